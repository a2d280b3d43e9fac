/** The section `cpu` as Prometheus families, named and labelled as node_exporter's where it has them. */
import type { Metric } from "../collector.ts";
import type { Cpu } from "./schema.ts";

export const cpuMetrics: readonly Metric<Cpu>[] = [
  {
    name: "node_hwmon_temp_celsius",
    help: "Temperature of a hardware monitor's sensor.",
    type: "gauge",
    samples: ({ temperatures }) =>
      temperatures.flatMap(({ celsius, chip, input }) =>
        chip === null || input === null ? [] : [{ value: celsius, labels: { chip, sensor: input } }],
      ),
  },
  {
    name: "node_thermal_zone_temp",
    help: "Temperature of a thermal zone in degrees Celsius.",
    type: "gauge",
    samples: ({ temperatures }) =>
      temperatures.flatMap(({ celsius, zone, zone_type }) =>
        zone === null ? [] : [{ value: celsius, labels: { zone, type: zone_type ?? "" } }],
      ),
  },
  {
    name: "node_cpu_package_throttles_total",
    help: "How often a package throttled because of heat.",
    type: "counter",
    samples: ({ throttling }) =>
      throttling.packages.map(({ package: id, count }) => ({ value: count, labels: { package: id } })),
  },
  {
    name: "foundry_agent_cpu_throttling",
    help: "Raspberry Pi throttling flags (1 set, 0 not; absent: not known).",
    type: "gauge",
    *samples({ throttling }) {
      for (const flag of [
        "under_voltage",
        "frequency_capped",
        "throttled",
        "soft_temperature_limit",
      ] as const)
        for (const when of ["now", "since_boot"] as const) {
          const value = throttling[flag][when];
          if (value !== null) yield { value: value ? 1 : 0, labels: { flag, when } };
        }
    },
  },
];
