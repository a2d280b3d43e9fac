/** The section `cpu` as Prometheus families, named and labelled as node_exporter's where it has them. */
import type { Metric, Sample } from "../collector.ts";
import type { Cpu } from "./schema.ts";
import { CPU_MODES, parseTicksByCpu, TICKS_PER_SECOND } from "./usage.ts";

function one(value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [{ value }];
}

/**
 * @param stat the cpu lines of /proc/stat of the last collection. Seconds of each CPU are a thousand numbers
 * on a big machine: of use to who scrapes and asks for rates, far too much for the report, so they are not
 * in the section but taken from the text when somebody scrapes.
 */
export function cpuMetrics(stat: () => string): readonly Metric<Cpu>[] {
  return [
    {
      name: "node_load1",
      help: "Load average of 1 minute.",
      type: "gauge",
      samples: ({ load }) => one(load?.one),
    },
    {
      name: "node_load5",
      help: "Load average of 5 minutes.",
      type: "gauge",
      samples: ({ load }) => one(load?.five),
    },
    {
      name: "node_load15",
      help: "Load average of 15 minutes.",
      type: "gauge",
      samples: ({ load }) => one(load?.fifteen),
    },
    {
      name: "node_cpu_seconds_total",
      help: "Seconds each CPU spent in each mode.",
      type: "counter",
      *samples() {
        for (const [cpu, ticks] of parseTicksByCpu(stat()))
          for (const [index, mode] of CPU_MODES.entries())
            yield { value: (ticks[index] ?? 0) / TICKS_PER_SECOND, labels: { cpu, mode } };
      },
    },
    {
      name: "node_pressure_cpu_waiting_seconds_total",
      help: "Seconds in which a task waited for a CPU.",
      type: "counter",
      samples: ({ pressure }) => one(pressure === null ? null : pressure.some.total_us / 1e6),
    },
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
}
