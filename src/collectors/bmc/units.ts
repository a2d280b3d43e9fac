/**
 * Units of a BMC's sensors, as ipmitool calls those of IPMI 2.0's table 43-15. Only a plain unit is one: "degrees C/minute"
 * is no temperature, "% Volts" no voltage, "color temp deg K" no heat.
 */
import type { BmcSensor } from "./schema.ts";

type Measured = Extract<BmcSensor["kind"], "temperature" | "fan" | "voltage" | "current" | "power">;

const UNITS: Readonly<Record<string, readonly [Measured, (value: number) => number]>> = {
  "degrees c": ["temperature", (value) => value],
  "degrees f": ["temperature", (value) => (value - 32) / 1.8],
  "degrees k": ["temperature", (value) => value - 273.15],
  rpm: ["fan", (value) => value],
  volts: ["voltage", (value) => value],
  amps: ["current", (value) => value],
  watts: ["power", (value) => value],
};

/** What is measured in a unit; null: something else, or no unit. */
export function kindOfUnit(unit: string | null): Measured | null {
  return UNITS[unit?.toLowerCase() ?? ""]?.[0] ?? null;
}

/** In degrees Celsius, revolutions a minute, volts, amperes, watts; null: not a plain unit of those. */
export function baseValue({ value, unit }: Pick<BmcSensor, "value" | "unit">): number | null {
  const found = UNITS[unit?.toLowerCase() ?? ""];
  return value === null || found === undefined ? null : Number(found[1](value).toFixed(3));
}
