/**
 * Memory errors the hardware corrected or could not, counted by the kernel's EDAC drivers since they were
 * loaded (Linux Documentation/admin-guide/ras.rst): a memory controller mcN, its modules dimmN (rankN where
 * the hardware only knows ranks). Without a driver for the controller nothing is counted: null, not zero.
 */
import * as v from "valibot";
import type { Files } from "../../system/files.ts";
import { counter, oneLine } from "../linux/text.ts";

const MC = "/sys/devices/system/edac/mc";

export const edacSchema = v.object({
  controllers: v.array(
    v.object({
      controller: v.pipe(v.string(), v.description("number of mcN")),
      name: v.nullable(v.string()),
      corrected: v.pipe(v.number(), v.description("since the driver was loaded, usually since boot")),
      uncorrected: v.number(),
      modules: v.array(
        v.object({
          module: v.pipe(v.string(), v.description("dimmN or rankN")),
          label: v.pipe(v.nullable(v.string()), v.description("as silk-screened, where the driver knows")),
          location: v.nullable(v.string()),
          corrected: v.number(),
          uncorrected: v.number(),
        }),
      ),
    }),
  ),
});
export type Edac = v.InferOutput<typeof edacSchema>;
export type EdacController = Edac["controllers"][number];
export type EdacModule = EdacController["modules"][number];

/** Null without a driver. Modules are read again only when their controller's counters moved. */
export function edacReader(): (files: Files) => Edac | null {
  const before = new Map<string, EdacController>();
  return (files) => {
    const controllers: EdacController[] = [];
    for (const folder of files.list(MC)) {
      const controller = /^mc(\d+)$/.exec(folder)?.[1];
      if (controller === undefined) continue;
      const corrected = counter(files, `${MC}/${folder}/ce_count`);
      const uncorrected = counter(files, `${MC}/${folder}/ue_count`);
      if (corrected === null || uncorrected === null) continue;
      const last = before.get(controller);
      const same = last?.corrected === corrected && last.uncorrected === uncorrected;
      const found: EdacController = same
        ? last
        : {
            controller,
            name: oneLine(files.text(`${MC}/${folder}/mc_name`)),
            corrected,
            uncorrected,
            modules: readModules(files, `${MC}/${folder}`),
          };
      before.set(controller, found);
      controllers.push(found);
    }
    return controllers.length === 0 ? null : { controllers };
  };
}

function readModules(files: Files, folder: string): EdacModule[] {
  const modules: EdacModule[] = [];
  for (const module of files.list(folder)) {
    if (!/^(?:dimm|rank)\d+$/.test(module)) continue;
    const at = `${folder}/${module}`;
    const corrected = counter(files, `${at}/dimm_ce_count`);
    const uncorrected = counter(files, `${at}/dimm_ue_count`);
    if (corrected === null || uncorrected === null) continue;
    modules.push({
      module,
      label: oneLine(files.text(`${at}/dimm_label`)),
      location: oneLine(files.text(`${at}/dimm_location`)),
      corrected,
      uncorrected,
    });
  }
  return modules.sort((a, b) => number(a.module) - number(b.module));
}

function number(module: string): number {
  return Number(module.slice(4));
}
