/** The section `sensors` as Prometheus families, named and labelled as node_exporter's. */
import type { Metric, Sample } from "../../collector.ts";
import type { Sensor, Sensors } from "./schema.ts";

type Kind = Sensor["kind"];

function family(
  name: string,
  help: string,
  kind: Kind,
  of: (sensor: Sensor) => number | boolean | null,
  type: "gauge" | "counter" = "gauge",
): Metric<Sensors> {
  return {
    name: `node_hwmon_${name}`,
    help,
    type,
    *samples({ sensors }): Iterable<Sample> {
      for (const one of sensors) {
        const value = one.kind === kind ? of(one) : null;
        if (value !== null) yield { value: Number(value), labels: { chip: one.chip, sensor: one.sensor } };
      }
    },
  };
}

const WORDS: Readonly<Record<Kind, [unit: string, what: string]>> = {
  temp: ["_celsius", "temperature in degrees Celsius"],
  fan: ["_rpm", "speed of a fan in revolutions per minute"],
  in: ["_volts", "voltage in volts"],
  curr: ["_amps", "current in amperes"],
  power: ["_watt", "power in watts"],
  energy: ["_joule_total", "energy in joules"],
};

function ofKind(kind: Kind): Metric<Sensors>[] {
  const [unit, what] = WORDS[kind];
  const limit = (name: string, word: string, field: "min" | "max" | "critical"): Metric<Sensors> =>
    family(`${kind}_${name}${unit}`, `${word} ${what}.`, kind, (sensor) => sensor[field]);
  const limits =
    kind === "energy"
      ? []
      : [
          limit("min", "Lowest", "min"),
          limit("max", "Highest", "max"),
          limit("crit", "Critical", "critical"),
        ];
  return [
    family(
      `${kind}${unit}`,
      `Measured ${what}.`,
      kind,
      ({ value, averaged }) => (averaged ? null : value),
      kind === "energy" ? "counter" : "gauge",
    ),
    ...limits,
    family(`${kind}_alarm`, `1 where the chip raises an alarm for a ${what}.`, kind, ({ alarm }) => alarm),
    family(
      `${kind}_fault`,
      `1 where the chip finds no working sensor for a ${what}.`,
      kind,
      ({ fault }) => fault,
    ),
  ];
}

export const sensorMetrics: readonly Metric<Sensors>[] = [
  ...(["temp", "fan", "in", "curr", "power", "energy"] as const).flatMap(ofKind),
  family("power_average_watt", "Measured power in watts, averaged.", "power", ({ value, averaged }) =>
    averaged ? value : null,
  ),
  {
    name: "node_hwmon_chip_names",
    help: "One per chip, with the name its driver has.",
    type: "gauge",
    *samples({ sensors }) {
      for (const [chip, name] of new Map(sensors.map((one) => [one.chip, one.chip_name])))
        yield {
          value: 1,
          labels: { chip, chip_name: name?.toLowerCase().replace(/[^a-z0-9:_]/g, "_") ?? "" },
        };
    },
  },
  {
    name: "node_hwmon_sensor_label",
    help: "One per sensor that has a label.",
    type: "gauge",
    *samples({ sensors }) {
      for (const { chip, sensor, label } of sensors)
        if (label !== null) yield { value: 1, labels: { chip, sensor, label } };
    },
  },
  {
    name: "foundry_agent_sensors_left_out",
    help: "Sensors of hardware monitors that are not read, because there are too many.",
    type: "gauge",
    samples: ({ left_out }) => [{ value: left_out }],
  },
];
