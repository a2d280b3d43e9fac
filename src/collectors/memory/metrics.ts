/** Memory errors as Prometheus families, named and labelled as node_exporter's where it has them; the rest of memory is read at each scrape. */
import type { Metric, Sample } from "../collector.ts";
import type { EdacController } from "./edac.ts";
import type { MemoryData } from "./schema.ts";

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
