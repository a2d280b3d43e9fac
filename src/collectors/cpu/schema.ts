/** Shape of the section `cpu`. */
import * as v from "valibot";
import { pressureSchema } from "../linux/pressure.ts";

const text = v.nullable(v.string());
const count = v.nullable(v.number());

const utilisationSchema = v.object({
  user: v.pipe(v.number(), v.description("fraction of all CPUs' time, 0 to 1; nice included")),
  system: v.pipe(v.number(), v.description("kernel and interrupts")),
  iowait: v.number(),
  steal: v.pipe(v.number(), v.description("taken by the hypervisor for others")),
  idle: v.number(),
});
export type Utilisation = v.InferOutput<typeof utilisationSchema>;

const temperatureSchema = v.object({
  sensor: v.pipe(
    v.string(),
    v.description(
      "kind and label: `coretemp Package id 0`, `cpu-thermal`; numbered in the order of their devices where several have one name: `k10temp 1 Tctl`",
    ),
  ),
  celsius: v.number(),
  critical_celsius: v.pipe(count, v.description("where the hardware shuts down or throttles by itself")),
  chip: v.pipe(text, v.description("node_exporter's label of the hwmon chip")),
  input: v.pipe(text, v.description("node_exporter's label of the sensor: temp1")),
  zone: v.pipe(text, v.description("number of the thermal zone that this is")),
  zone_type: text,
});
export type Temperature = v.InferOutput<typeof temperatureSchema>;

const flag = v.object({
  now: v.nullable(v.boolean()),
  since_boot: v.pipe(v.nullable(v.boolean()), v.description("null: can't be read here")),
});

const throttlingSchema = v.object({
  state: v.pipe(
    v.picklist(["none", "earlier", "active", "unknown"]),
    v.description("earlier: not now, but since boot; unknown: nothing here tells, which is not 'none'"),
  ),
  text: v.pipe(v.string(), v.description("one sentence")),
  source: v.nullable(v.picklist(["get_throttled", "rpi_volt", "thermal_throttle"])),
  under_voltage: flag,
  frequency_capped: flag,
  throttled: flag,
  soft_temperature_limit: flag,
  packages: v.pipe(
    v.array(v.object({ package: v.string(), count: v.number() })),
    v.description("how often each Intel package throttled since boot"),
  ),
});
export type Throttling = v.InferOutput<typeof throttlingSchema>;

export const cpuSchema = v.object({
  model: text,
  vendor: text,
  microcode: text,
  sockets: count,
  cores: count,
  threads: v.pipe(count, v.description("logical CPUs that are online")),
  frequency: v.nullable(
    v.object({
      min_mhz: count,
      max_mhz: count,
      current_mhz: v.pipe(count, v.description("mean of at most four CPUs, so that asking costs little")),
      governor: text,
    }),
  ),
  load: v.nullable(v.object({ one: v.number(), five: v.number(), fifteen: v.number() })),
  utilisation: v.pipe(
    v.nullable(utilisationSchema),
    v.description("since the collection before; null at the first one"),
  ),
  pressure: v.pipe(v.nullable(pressureSchema), v.description("null: this kernel does not tell")),
  temperatures: v.array(temperatureSchema),
  sensors_failed: v.pipe(v.array(v.string()), v.description("temperature sensors that can't be read")),
  throttling: throttlingSchema,
});
export type Cpu = v.InferOutput<typeof cpuSchema>;
