/**
 * Energy the processors used (kernel, Documentation/power/powercap/powercap.rst). Since Linux 5.10 only root may read
 * it, so an agent that is not root has none of it. It starts at 0 again when its register is full.
 */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

const POWERCAP = "/sys/class/powercap";

interface Zone {
  readonly name: string;
  readonly index: string;
  readonly path: string;
}
type Energy = readonly (Zone & { readonly joules: number })[];

export function raplReader(): Reader<Energy> {
  let zones: readonly Zone[] | null = null;
  return {
    name: "rapl",
    section: "cpu",
    read({ files, first }) {
      zones ??= first(zonesOf(files.list(POWERCAP), (path) => files.text(path)));
      const found = zones.flatMap((zone) => {
        const microjoules = files.number(`${zone.path}/energy_uj`);
        return microjoules === null || microjoules < 0 ? [] : [{ ...zone, joules: microjoules / 1e6 }];
      });
      return found.length === 0 ? null : found;
    },
    metrics: ["package", "core", "uncore", "dram", "psys"].map(
      (name): Metric<Energy> => ({
        name: `node_rapl_${name}_joules_total`,
        help: `Energy used by ${name} in joules.`,
        type: "counter",
        *samples(energy) {
          for (const { name: zone, index, path, joules } of energy)
            if (zone === name) yield { value: joules, labels: { index, path } };
        },
      }),
    ),
  };
}

/** `package-1` is package 1; the others are numbered in the order of their folders, as by node_exporter. */
function zonesOf(folders: readonly string[], text: (path: string) => string | null): Zone[] {
  const counts = new Map<string, number>();
  return folders
    .filter((folder) => /^intel-rapl(?:-mmio)?:[\d:]+$/.test(folder))
    .flatMap((folder) => {
      const path = `${POWERCAP}/${folder}`;
      const full = text(`${path}/name`);
      if (full === null) return [];
      const [, name = full, number] = /^([a-z]+)-(\d{1,3})$/.exec(full) ?? [];
      const index = number ?? String(counts.get(name) ?? 0);
      if (number === undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
      return [{ name, index, path }];
    });
}
