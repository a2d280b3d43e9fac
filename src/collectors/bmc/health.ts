/**
 * How bad it is what a BMC says: of a sensor by the state it gives itself, and where there is only a sentence
 * (power supplies, log entries) by that sentence. The sentences are those ipmitool has for the event and
 * sensor types of the IPMI 2.0 specification, tables 42-2 and 42-3.
 */
import type { SelRecord } from "../../helper/bmc/sel.ts";
import type { SensorReading } from "../../helper/bmc/sensors.ts";
import type { BmcSensor } from "./schema.ts";

const CRITICAL_STATES = new Set(["cr", "nr", "lcr", "lnr", "ucr", "unr"]);
const WARNING_STATES = new Set(["nc", "lnc", "unc"]);

/** "Upper Non-critical going high" has the word and is none. */
const CRITICAL =
  /(?<!non-)\bcritical\b|non-recoverable|\bfail(?:ed|ure)?\b|\bfault\b|predictive|\blost\b|uncorrectable|thermal trip|overtemp|\bierr\b|\bfrb\d?\b|\bfatal\b|limit reached|\bparity\b|machine check|\bserr\b|\bperr\b|\bnmi\b|run-?time stop|panic|\bhard reset\b|watchdog.*power|power cycle|power off|out-of-range|config(?:uration)? error|chassis intrusion|in critical array|in failed array|\bdegraded\b|unrecoverable/i;
/** States and actions that share a word with the above and are no faults by themselves. */
const HARMLESS = /^(?:power off\/down|soft power control|redundancy (?:re)?gained|fully redundant)/i;
/** Sensor types whose power-off and resets are what somebody asked for. */
const BY_COMMAND = /^(?:power unit|system acpi power state|system boot|button)/i;

/** Whether a log entry is worth an event: a fault that began, not one that ended. */
export function isCriticalEntry({ sensor, event, asserted }: SelRecord): boolean {
  if (asserted !== true || event === null || !CRITICAL.test(event) || HARMLESS.test(event)) return false;
  const isAction = /^(?:power (?:off|cycle)|hard reset)/i.test(event);
  return !(isAction && BY_COMMAND.test(sensor ?? ""));
}

/** With ids that are unique: two sensors may have one name (a fan's speed and its presence). */
export function sensorsOf(readings: readonly SensorReading[]): BmcSensor[] {
  const ids = new Set<string>();
  return readings.map((reading) => {
    let id = reading.name;
    for (let times = 2; ids.has(id); times++) id = `${reading.name} ${times}`;
    ids.add(id);
    return {
      id,
      name: reading.name,
      kind: kindOf(reading),
      state: stateOf(reading),
      value: reading.value,
      unit: reading.unit,
      asserted: reading.asserted,
    };
  });
}

function stateOf({ state, asserted }: SensorReading): BmcSensor["state"] {
  if (state === "ns" || state === "na") return null;
  if (CRITICAL_STATES.has(state)) return "critical";
  if (WARNING_STATES.has(state)) return "warning";
  return asserted !== null && CRITICAL.test(asserted) && !HARMLESS.test(asserted) ? "critical" : "ok";
}

const UNITS: readonly (readonly [RegExp, BmcSensor["kind"]])[] = [
  [/degrees/i, "temperature"],
  [/rpm/i, "fan"],
  [/volt/i, "voltage"],
  [/amp/i, "current"],
  [/watt/i, "power"],
];

/** By the unit; without one by the entity (10 power supply, 29 and 30 cooling), else by the name. */
function kindOf({ unit, entity, name }: SensorReading): BmcSensor["kind"] {
  const byUnit = UNITS.find(([pattern]) => pattern.test(unit ?? ""))?.[1];
  if (byUnit !== undefined) return byUnit;
  const entityId = entity?.split(".", 1)[0];
  if (entityId === "10" || /^(?:psu?\d*|power supply)\b|^psu?\d|\bpsu?\d/i.test(name)) return "supply";
  if (entityId === "29" || entityId === "30" || /\bfan/i.test(name) || /^fan/i.test(name)) return "fan";
  return "other";
}
