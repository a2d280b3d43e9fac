/**
 * `ipmitool -c sdr elist`. A line has one of two forms, whichever ipmitool finds fit for the sensor:
 * `CPU Temp,42,degrees C,ok` (a value and its unit) and `PS1 Status,C8h,ok,10.1,Presence detected` (what is
 * asserted, with number and entity; here other commas may follow). The form with ` | ` (without `-c`) is
 * understood too, for ipmitools that don't know better.
 */
import * as v from "valibot";
import { cleanValue, linesOf } from "./text.ts";

const MAX_SENSORS = 1_000;

/** nc, cr, nr: beyond a threshold, how far; lnc to unr say on which side; ns: no reading. */
const SENSOR_STATES = ["ok", "ns", "na", "nc", "cr", "nr", "lnc", "lcr", "lnr", "unc", "ucr", "unr"] as const;
const STATE = SENSOR_STATES.join("|");

/** All states of one sensor together: the longest name has 60 characters. */
const MAX_ASSERTED = 512;

const text = v.pipe(v.string(), v.maxLength(128));

export const sensorReadingSchema = v.object({
  name: text,
  /** Sensor number and entity (`10.1`: power supply 1), where ipmitool tells. */
  number: v.nullable(v.number()),
  entity: v.nullable(text),
  state: v.picklist(SENSOR_STATES),
  value: v.nullable(v.number()),
  unit: v.nullable(text),
  /** What a sensor without a value says. */
  asserted: v.nullable(v.pipe(v.string(), v.maxLength(MAX_ASSERTED))),
});

export type SensorReading = v.InferOutput<typeof sensorReadingSchema>;

const ANALOG = new RegExp(`^(.+?),(-?\\d+(?:\\.\\d+)?|0x[0-9a-f]+|),([^,]{0,64}),(${STATE})(?:,(.*))?$`, "i");
/** What follows where a sensor has a value and states as well. */
const STATES = /^\s*(\d+\.\d+),(.*)$/;
const ELIST = new RegExp(`^(.+?),([0-9a-f]{2,4})h,(${STATE}),\\s*(\\d+\\.\\d+),(.*)$`, "i");

/** Every line that is a sensor; others (warnings of ipmitool, half lines) are left out and counted. */
export function parseSensors(stdout: string): { sensors: SensorReading[]; strange: number } {
  const sensors: SensorReading[] = [];
  let strange = 0;
  for (const line of linesOf(stdout)) {
    if (line.trim() === "") continue;
    const sensor = parseSensor(line.slice(0, 1_000));
    if (sensor === null || sensors.length >= MAX_SENSORS) strange++;
    else sensors.push(sensor);
  }
  return { sensors, strange };
}

function parseSensor(line: string): SensorReading | null {
  const flat = line.includes(" | ") ? line.replace(/\s+\|(?:\s+|$)/g, ",") : line;
  const listed = ELIST.exec(flat);
  if (listed) {
    const [, name, number, state, entity, reading] = listed as unknown as string[];
    return sensorOf(name, state, {
      number: Number.parseInt(number as string, 16),
      entity: entity as string,
      ...readingOf((reading as string).trim()),
    });
  }
  const analog = ANALOG.exec(flat);
  if (analog === null) return null;
  const [, name, value, unit, state, rest] = analog as unknown as string[];
  const isNumber = /^-?\d/.test(value as string) && !/^0x/i.test(value as string);
  const states = STATES.exec(rest ?? "");
  return sensorOf(name, state, {
    entity: states?.[1] ?? null,
    value: isNumber ? Number(value) : null,
    unit: isNumber ? cleanValue(unit) : null,
    asserted: states === null ? null : statesIn(states[2] as string),
  });
}

/** `42 degrees C` is a value, `42 degrees C, Limit Exceeded` has a state too, `Presence detected, Failure detected` only states. */
function readingOf(reading: string): Pick<SensorReading, "value" | "unit" | "asserted"> {
  const found = /^(-?\d+(?:\.\d+)?) ([^,]{1,64})(?:, (.*))?$/.exec(reading);
  if (found)
    return { value: Number(found[1]), unit: cleanValue(found[2]), asserted: statesIn(found[3] ?? "") };
  return { value: null, unit: null, asserted: statesIn(reading) };
}

function statesIn(reading: string): string | null {
  const isNothing = /^(?:no reading|disabled|not readable|n\/?a)$/i.test(reading.trim());
  return isNothing ? null : cleanValue(reading, MAX_ASSERTED);
}

function sensorOf(
  name: string | undefined,
  state: string | undefined,
  rest: Partial<SensorReading>,
): SensorReading | null {
  const cleanName = cleanValue(name);
  if (cleanName === null) return null;
  return {
    name: cleanName,
    number: null,
    entity: null,
    state: (state as string).toLowerCase() as SensorReading["state"],
    value: null,
    unit: null,
    asserted: null,
    ...rest,
  };
}
