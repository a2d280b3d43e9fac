/** Raw values that hold several figures: what is shown instead of the number, which would be read with a unit beside it. */
import { type AttributeKind, kindOf } from "../../helper/smart/attributes/kinds.ts";
import type { SmartAttribute } from "../../model/smart.ts";

/** All ones in 32 bits, and more, is no count of anything (verdict/counts.ts). */
const COUNT = 0xffff_fffe;

/** Beyond these a number of that kind holds more than itself, or was never set. */
const MOST: Partial<Record<AttributeKind, number>> = {
  temperature: 255,
  power_on_hours: 263_000,
  loaded_hours: 263_000,
  flying_hours: 263_000,
  command_timeouts: 0xffff,
  wear_used: 10_000,
  wear_left: 10_000,
  reallocated: COUNT,
  pending: COUNT,
  uncorrectable: COUNT,
  reported_uncorrectable: COUNT,
  end_to_end: COUNT,
  spin_retries: COUNT,
  crc: COUNT,
};

/** As smartctl or we read it; null: it is nothing but the number. */
export function decodedRaw(row: Pick<SmartAttribute, "id" | "name" | "raw" | "raw_text">): string | null {
  const { raw, raw_text: told } = row;
  const kind = kindOf(row);
  if (kind === "helium_level" && raw !== null && raw % 0x1_0000 <= 100) return `${raw % 0x1_0000} %`;
  if (told !== null) return told;
  const most = kind === null ? undefined : MOST[kind];
  return most !== undefined && raw !== null && raw > most ? "(packed)" : null;
}
