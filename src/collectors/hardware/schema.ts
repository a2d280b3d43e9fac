/** The shape of the section `hardware`: the helper's inventory, and what became of the memory modules. */
import * as v from "valibot";
import { inventoryEntries } from "../../helper/inventory/schema.ts";
import { dimmHistorySchema } from "./news.ts";

export const hardwareSchema = v.object({
  ...inventoryEntries,
  history: v.pipe(
    v.array(dimmHistorySchema),
    v.description("Memory modules that went, came or were replaced, oldest first"),
  ),
  history_base: v.pipe(v.number(), v.description("seq of the newest when this agent started")),
});

export type HardwareData = v.InferOutput<typeof hardwareSchema>;
