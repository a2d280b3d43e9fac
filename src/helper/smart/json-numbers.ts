/** Numbers out of smartctl's JSON: counters, wear and data volume, whose source differs between the families. */
import type { SmartAttribute, SmartFacts } from "../../model/smart.ts";
import { attributeWear, hasWearAttribute, type Wear } from "./attributes/wear.ts";
import type { SmartJson } from "./json-schema.ts";

/** NVMe counts data in units of 1000 × 512 bytes. */
const NVME_UNIT_BYTES = 512_000;

/** A drive this worn by its attributes has not used 0 %. */
const FILLED_IN = 10;

/** Multiplied by a unit it must still be a number that JSON can carry. */
const MOST = 1e40;

/** A whole number from 0 up, or null. */
export function natural(value: number | undefined): number | null {
  return value !== undefined && value >= 0 ? Math.min(Math.trunc(value) + 0, MOST) : null;
}

/** A counter, by its text twin where the number is beyond what a double holds exactly or is missing. */
export function counted<K extends string>(
  part:
    | ({ readonly [key in K]?: number | undefined } & { readonly [key in `${K}_s`]?: string | undefined })
    | undefined,
  key: K,
): number | null {
  return (
    natural(part?.[key]) ??
    (part?.[`${key}_s`] === undefined ? null : Math.min(Number(part[`${key}_s`]), MOST))
  );
}

/**
 * Rated endurance used: told as such by NVMe, SCSI and ATA's device statistics, else by the vendors' attributes.
 * smartctl's own `endurance_used` (7.5) is a guess from an attribute's normalised value on ATA drives without these
 * statistics, so there it counts only where no such attribute is seen.
 */
export function wearOf(
  it: SmartJson,
  attributes: readonly SmartAttribute[],
  drive: Pick<SmartFacts, "model" | "family">,
): Wear {
  const own = attributeWear(attributes, drive);
  const guess = it.endurance_used?.current_percent;
  const told =
    it.nvme_smart_health_information_log?.percentage_used ??
    it.scsi_percentage_used_endurance_indicator ??
    statistic(it, "Percentage Used Endurance Indicator") ??
    (hasWearAttribute(attributes) ? undefined : guess);
  if (told === undefined || told === null) return own;
  // A statistic that was never filled in.
  if (told === 0 && own.percent !== null && own.percent >= FILLED_IN)
    return {
      percent: null,
      problem: "How worn it is can't be told: its statistics and its attributes contradict each other.",
    };
  return { percent: natural(told), problem: null };
}

/** A value of ATA's device statistics log (ACS-4, 9.5) that the drive calls valid. */
function statistic(it: SmartJson, name: string): number | null {
  for (const page of it.ata_device_statistics?.pages ?? [])
    for (const row of page.table ?? [])
      if (row.name === name && row.flags?.valid !== false) return counted(row, "value");
  return null;
}

/** Bytes over the drive's life; only from sources whose unit is known. */
export function bytesOf(it: SmartJson, way: "read" | "write"): number | null {
  const log = it.nvme_smart_health_information_log;
  const units = counted(log, way === "read" ? "data_units_read" : "data_units_written");
  if (units !== null) return units * NVME_UNIT_BYTES;
  const sectors = statistic(it, way === "read" ? "Logical Sectors Read" : "Logical Sectors Written");
  if (sectors !== null) return sectors * (natural(it.logical_block_size) ?? 512);
  const gigabytes = Number.parseFloat(it.scsi_error_counter_log?.[way]?.gigabytes_processed ?? "");
  return Number.isFinite(gigabytes) && gigabytes >= 0 ? Math.min(Math.round(gigabytes * 1e9), MOST) : null;
}
