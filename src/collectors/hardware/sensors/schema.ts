/** Shape of the section `sensors`. */
import * as v from "valibot";

const number = v.nullable(v.number());

const sensorSchema = v.object({
  id: v.pipe(v.string(), v.description("chip/sensor")),
  chip: v.pipe(v.string(), v.description("node_exporter's label: bus and device, the same after a reboot")),
  chip_name: v.pipe(v.nullable(v.string()), v.description("the driver's name of it: nct6798")),
  sensor: v.pipe(v.string(), v.description("fan1, in0, temp2")),
  label: v.pipe(v.nullable(v.string()), v.description("what the driver or the firmware calls it")),
  kind: v.picklist(["temp", "fan", "in", "curr", "power", "energy"]),
  averaged: v.pipe(v.boolean(), v.description("power as a mean over the meter's own interval")),
  value: v.pipe(
    number,
    v.description("degrees Celsius, rpm, volts, amperes, watts or joules; null: it said nothing"),
  ),
  min: v.pipe(number, v.description("limits as the chip or the firmware has them, in the value's unit")),
  max: number,
  critical: number,
  alarm: v.pipe(
    v.nullable(v.boolean()),
    v.description("the chip's own flag; boards leave limits unset, so it is not judged"),
  ),
  fault: v.pipe(v.nullable(v.boolean()), v.description("the chip finds no sensor, or a broken one")),
  problem: v.pipe(v.nullable(v.string()), v.description("why there is no value: an error code")),
});
export type Sensor = v.InferOutput<typeof sensorSchema>;

export const sensorsSchema = v.object({
  sensors: v.array(sensorSchema),
  left_out: v.pipe(v.number(), v.description("sensors above the limit, which are not read")),
});
export type Sensors = v.InferOutput<typeof sensorsSchema>;
