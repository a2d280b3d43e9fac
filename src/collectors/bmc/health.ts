/**
 * How bad it is what a BMC says: of a sensor by the state it gives itself, and where it only asserts states (power
 * supplies, log entries) by the specification's tables of them.
 */
import type { SelRecord } from "../../helper/bmc/sel.ts";
import type { SensorReading } from "../../helper/bmc/sensors.ts";
import type { BmcSensor } from "./schema.ts";
import { afterDeassertion, severityOf, typeOf, worstOf } from "./states.ts";
import { kindOfUnit } from "./units.ts";

const CRITICAL_STATES = new Set(["cr", "nr", "lcr", "lnr", "ucr", "unr"]);
const WARNING_STATES = new Set(["nc", "lnc", "unc"]);
/** A record of Linux itself, written by a kernel that could not go on. */
const PANIC = /^Linux kernel panic\b/;

/** Whether a log entry is worth an event: a fault that began, not one that ended. */
export function isCriticalEntry({ sensor, event, asserted }: SelRecord): boolean {
  if (asserted === null) return PANIC.test(sensor ?? "");
  if (event === null) return false;
  const state = asserted ? event : afterDeassertion(event);
  if (state === null) return false;
  // A sensor whose name has a comma leaves part of it in front of the event.
  const last = state.slice(state.lastIndexOf(",") + 1);
  return [state, last].some((name) => severityOf(name, typeOf(sensor)) === "critical");
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
  return asserted === null ? "ok" : worstOf(asserted);
}

/** By the unit; without one by the entity (10 power supply, 29 and 30 cooling), else by the name. */
function kindOf({ unit, entity, name }: SensorReading): BmcSensor["kind"] {
  const byUnit = kindOfUnit(unit);
  if (byUnit !== null) return byUnit;
  const entityId = entity?.split(".", 1)[0];
  if (entityId === "10" || /^(?:psu?\d*|power supply)\b|^psu?\d|\bpsu?\d/i.test(name)) return "supply";
  if (entityId === "29" || entityId === "30" || /\bfan/i.test(name) || /^fan/i.test(name)) return "fan";
  return "other";
}
