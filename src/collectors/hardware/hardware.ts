/**
 * What the machine is built of, as only root may read it: memory modules with their serial numbers, board,
 * BIOS, chassis, power supplies, display adapters and network cards. It changes while the machine is off, or
 * by a hot-plug once in years: read at every start and once a day.
 */
import * as v from "valibot";
import { type Inventory, inventorySchema } from "../../helper/inventory/schema.ts";
import type { HelperPort } from "../../helper/port.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import { plural } from "../../model/text/sentence.ts";
import { type CollectContext, type Collector, type NoData, nobodyIsRoot, noData } from "../collector.ts";
import { historyKeeper, untold } from "../told-once.ts";
import { parseDimmMemory, rememberDimms } from "./news.ts";
import { type HardwareData, hardwareSchema } from "./schema.ts";
import { hardwareMetrics, hardwareTable } from "./view.ts";

/** A failed look is repeated after this; a good one holds for a day. */
const EVERY_MS = 3_600_000;
/** Less than a day by what the schedule's jitter may take away. */
const HOLDS_MS = 23.5 * 3_600_000;

export function hardwareCollector({ helper }: { readonly helper: HelperPort }): Collector<HardwareData> {
  let last: { at: number; found: Inventory } | null = null;
  const told = historyKeeper(parseDimmMemory);

  async function look(context: CollectContext): Promise<Inventory> {
    const parsed = v.safeParse(inventorySchema, await helper.call("inventory", {}, context.signal));
    if (parsed.success) return parsed.output;
    throw new AgentError(
      "helper_protocol",
      "The helper's answer to inventory has another shape than expected",
      "systemctl restart foundry-agent-helper.socket  # after an upgrade",
    );
  }

  async function collect(context: CollectContext): Promise<HardwareData | NoData> {
    if (helper.how.kind === "none") return nobodyIsRoot(helper.how);
    const { clock } = context.machine;
    if (last === null || clock.monotonic() - last.at >= HOLDS_MS) {
      last = { at: clock.monotonic(), found: await look(context) };
    }
    const { found } = last;
    if (found.source === null && found.gpus.length === 0 && found.nics.length === 0)
      return noData("This machine tells nothing of its parts: it has neither SMBIOS nor PCI devices.");
    const before = told.read(context.memory);
    const memory = rememberDimms(before, found.dimms, new Date(clock.now()).toISOString());
    told.keep(context.memory, before, memory);
    return { ...found, history: [...memory.history], history_base: told.base() };
  }

  return {
    name: "hardware",
    summary:
      "What the machine is built of: memory modules, board, BIOS, chassis, power supplies, GPUs, NICs.",
    everyMs: EVERY_MS,
    timeoutMs: 15_000,
    get schema() {
      return hardwareSchema;
    },
    volatile: { history_base: {} },
    sensitive: [
      "product.serial",
      "product.uuid",
      "board.serial",
      "board.asset_tag",
      "chassis.serial",
      "chassis.asset_tag",
      "dimms[slot].serial",
      "power_supplies[].serial",
      "power_supplies[].asset_tag",
      "history[seq].serial",
      "history[seq].replaced_by",
    ],
    metrics: hardwareMetrics,
    glance: ({ product, board, dimms, nics, gpus }) =>
      [
        product.name ?? board.name,
        plural(dimms.filter(({ populated }) => populated).length, "memory module"),
        plural(nics.length + gpus.length, "card"),
      ]
        .filter((part) => part !== null)
        .join(", "),
    table: hardwareTable,
    conditions: hardwareConditions,
    changes: hardwareEvents,
    collect,
  };
}

/** What the firmware found at the last start. Sizes of modules are not judged: mixed ones may be meant. */
export function hardwareConditions({ power_supplies }: HardwareData): ConditionDraft[] {
  return power_supplies.flatMap((supply, index): ConditionDraft[] => {
    if (supply.status !== "critical" || supply.present === false) return [];
    const subject = supply.location ?? supply.name ?? `${index + 1}`;
    const text = `The firmware found the power supply ${subject} in a critical state at the last start.`;
    return [
      {
        code: "power_supply_critical",
        subject,
        severity: "warning",
        text,
        nextStep: "foundry-agent report bmc",
      },
    ];
  });
}

/** The changes noted since `before`; after a start, since the agent stopped. */
export function hardwareEvents(before: HardwareData | null, after: HardwareData): EventDraft[] {
  return untold(before?.history ?? null, after.history, after.history_base).map(
    ({ seq, what, ...module }) => ({
      type: `hardware.dimm_${what}`,
      severity: what === "missing" ? "warning" : "info",
      data: module,
    }),
  );
}
