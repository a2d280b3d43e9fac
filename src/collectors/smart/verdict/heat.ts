/**
 * A drive that is too hot (or too cold) is not failing: it warns, as `hot`, however its family says so, and
 * nothing of it is left when it is over. Pure.
 */
import { kindOf } from "../../../helper/smart/attributes/kinds.ts";
import type { SmartAttribute, SmartFacts, SmartReason } from "../../../model/smart.ts";
import { nvmeHas } from "./nvme.ts";
import { senseWarnings } from "./sense-codes.ts";

/**
 * An attribute of temperature, whatever its number: ATA's 190 and 194 as a rule. Not 231 by smartctl's default name,
 * which it also has on flash drives that smartctl does not know, and there it is the life that is left.
 */
export function isHeat(row: SmartAttribute): boolean {
  if (row.id === 231 && row.name === "Temperature_Celsius") return false;
  const kind = kindOf(row);
  return kind === "temperature" || kind === "throttling";
}

/** One reason at most: one drive is hot once. */
export function heat(facts: SmartFacts): SmartReason[] {
  const said = nvmeHas(facts, 0x02)
    ? [{ code: "hot", detail: "The drive is outside the temperatures it is made for." }]
    : senseWarnings(facts.scsi).filter(({ code }) => code === "hot");
  if (said.length > 0) return said;
  const { temperature_c: now, temperature_limit_c: limit } = facts;
  if (now !== null && limit !== null && now > limit)
    return [
      { code: "hot", detail: `The drive is hotter than the ${limit} °C that it gives as its own limit.` },
    ];
  const row = facts.attributes.find((one) => one.when_failed === "now" && isHeat(one));
  if (row === undefined) return [];
  return [
    {
      code: "hot",
      params: { attribute: row.id },
      detail: `The drive is at the limit of temperature that it sets itself (attribute ${row.id} ${row.name}).`,
    },
  ];
}
