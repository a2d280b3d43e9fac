/** The section `memory` as Prometheus families, named and labelled as node_exporter's where it has them. */
import type { Metric, Sample } from "../collector.ts";
import type { EdacController } from "./edac.ts";
import type { MemoryData } from "./schema.ts";

type Value = number | null | undefined;

function gauge(name: string, help: string, pick: (data: MemoryData) => Value): Metric<MemoryData> {
  return { name, help, type: "gauge", samples: (data) => one(pick(data)) };
}

function counter(name: string, help: string, pick: (data: MemoryData) => Value): Metric<MemoryData> {
  return { name, help, type: "counter", samples: (data) => one(pick(data)) };
}

function one(value: Value): Sample[] {
  return value === null || value === undefined ? [] : [{ value }];
}

function byController(
  name: string,
  help: string,
  samples: (controller: EdacController) => Sample[],
): Metric<MemoryData> {
  return {
    name,
    help,
    type: "counter",
    samples: ({ edac }) => (edac?.controllers ?? []).flatMap(samples),
  };
}

function byModule(kind: "corrected" | "uncorrected"): (controller: EdacController) => Sample[] {
  return ({ controller, modules }) =>
    modules.map((module) => ({
      value: module[kind],
      labels: { controller, module: module.module, label: module.label ?? "" },
    }));
}

export const memoryMetrics: readonly Metric<MemoryData>[] = [
  gauge("node_memory_MemTotal_bytes", "Memory in total.", (data) => data.total_bytes),
  gauge(
    "node_memory_MemAvailable_bytes",
    "Memory available without swapping.",
    (data) => data.available_bytes,
  ),
  gauge("node_memory_MemFree_bytes", "Memory not used at all.", (data) => data.free_bytes),
  gauge("node_memory_Buffers_bytes", "Memory in block device buffers.", (data) => data.buffers_bytes),
  gauge("node_memory_Cached_bytes", "Memory in the page cache.", (data) => data.cached_bytes),
  gauge("node_memory_SwapTotal_bytes", "Swap space in total.", (data) => data.swap_total_bytes),
  gauge("node_memory_SwapFree_bytes", "Swap space not used.", (data) => data.swap_free_bytes),
  gauge("node_memory_HugePages_Total", "Huge pages in the pool.", (data) => data.huge_pages?.total),
  gauge("node_memory_HugePages_Free", "Huge pages not used.", (data) => data.huge_pages?.free),
  gauge("node_memory_Hugepagesize_bytes", "Size of a huge page.", (data) => data.huge_pages?.size_bytes),
  counter(
    "node_pressure_memory_waiting_seconds_total",
    "Seconds in which a task waited for memory.",
    ({ pressure }) => (pressure === null ? null : pressure.some.total_us / 1e6),
  ),
  counter(
    "node_pressure_memory_stalled_seconds_total",
    "Seconds in which all tasks waited for memory.",
    ({ pressure }) => (pressure?.full == null ? null : pressure.full.total_us / 1e6),
  ),
  counter("node_vmstat_oom_kill", "Processes killed for lack of memory.", (data) => data.oom_kills),
  byController(
    "node_edac_correctable_errors_total",
    "Memory errors that were corrected.",
    ({ controller, corrected }) => [{ value: corrected, labels: { controller } }],
  ),
  byController(
    "node_edac_uncorrectable_errors_total",
    "Memory errors that could not be corrected.",
    ({ controller, uncorrected }) => [{ value: uncorrected, labels: { controller } }],
  ),
  byController(
    "foundry_agent_memory_module_corrected_errors_total",
    "Corrected errors of one memory module.",
    byModule("corrected"),
  ),
  byController(
    "foundry_agent_memory_module_uncorrected_errors_total",
    "Uncorrected errors of one memory module.",
    byModule("uncorrected"),
  ),
];
