/**
 * The baseboard management controller (BMC, IPMI): who it is, how it is reached, what its sensors and its
 * event log say. Whether there is one is read from sysfs, with no process at all; the rest needs root, so the
 * helper asks it with ipmitool (or, out of band, this process).
 *
 * BMCs are slow and hang, so what hardly changes is asked once an hour, the sensors every ten minutes, and one
 * that hung is left alone for ever longer, up to four hours.
 */
import type { BmcInfoResult, BmcLanResult, BmcSelResult } from "../../helper/bmc/reads.ts";
import type { HelperPort } from "../../helper/port.ts";
import { type RunProgram, runProgram } from "../../system/program.ts";
import { type CollectContext, type Collector, type NoData, nobodyIsRoot, noData } from "../collector.ts";
import { lastSeq } from "../told-once.ts";
import { helperAsker, lanAsker, openRound } from "./ask.ts";
import { bmcConditions, bmcEvents } from "./conditions.ts";
import { MAX_NEWS, parseSelMemory, rememberSel, type SelMemory } from "./event-log-news.ts";
import { sensorsOf } from "./health.ts";
import { bmcMetrics } from "./metrics.ts";
import { bmcOptions, lanTarget } from "./options.ts";
import { type BmcPresence, findBmc } from "./presence.ts";
import { type BmcData, type BmcSelData, type BmcSensor, bmcSchema } from "./schema.ts";
import { bmcTable } from "./table.ts";

const EVERY_MS = 600_000;
const IDENTITY_MS = 3_600_000;
const MAX_PAUSE_MS = 4 * 3_600_000;
/** How many of the newest log entries are looked at for new ones. */
const SEL_WINDOW = 100;

export interface BmcParts {
  readonly helper: HelperPort;
  /** For out of band; given in tests. */
  readonly run?: RunProgram;
}

export function bmcCollector({
  helper,
  run = runProgram,
}: BmcParts): Collector<BmcData> & { options: typeof bmcOptions } {
  let info: BmcInfoResult | null = null;
  let lan: BmcLanResult | null = null;
  let identityAt = Number.NEGATIVE_INFINITY;
  let sensors: BmcSensor[] | null = null;
  /** Those read last: a BMC that says nothing takes no alarm back. */
  let lastSensors: BmcSensor[] | null = null;
  let sel: BmcSelResult | null = null;
  let problems: BmcData["problems"] = [];
  let newsBase: number | null = null;
  let hangs = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  async function askAll(context: CollectContext, target: ReturnType<typeof lanTarget>): Promise<void> {
    const { clock } = context.machine;
    const asker = target === null ? helperAsker(helper) : lanAsker(target, run, () => clock.monotonic());
    const { signal } = context;
    const round = openRound();
    try {
      if (clock.monotonic() - identityAt >= IDENTITY_MS) {
        const newInfo = await round.ask("info", () => asker.info(signal));
        const newLan = await round.ask("lan", () => asker.lan(signal));
        info = newInfo ?? info;
        lan = newLan ?? lan;
        // Half an answer holds as well: many BMCs never give more.
        if (newInfo !== null && newLan !== null && !round.hung) identityAt = clock.monotonic();
      }
      const before = parseSelMemory(context.memory.get());
      const question = {
        after: before?.last ?? null,
        state: before === null ? null : (sel?.state ?? null),
        limit: before === null ? 1 : SEL_WINDOW,
      };
      const look = await round.ask("sel", () => asker.sel(question, signal));
      if (look !== null) {
        keepNews(context, before, look);
        sel = look.unchanged ? { ...look, last: sel?.last ?? null } : look;
      }
      const read = await round.ask("sensors", () => asker.sensors(signal));
      sensors = read === null ? null : sensorsOf(read.sensors);
      lastSensors = sensors ?? lastSensors;
    } finally {
      // What was not asked this time is as wrong as it was.
      problems = [...problems.filter(({ part }) => !round.asked.has(part)), ...round.problems];
      hangs = round.hung ? hangs + 1 : 0;
      if (round.hung)
        pausedUntil = clock.monotonic() + Math.min(MAX_PAUSE_MS, EVERY_MS * 2 ** Math.min(hangs, 10));
    }
  }

  function keepNews(context: CollectContext, before: SelMemory | null, look: BmcSelResult): void {
    const after = rememberSel(before, look);
    if (after !== before) context.memory.set(after);
  }

  async function collect(context: CollectContext): Promise<BmcData | NoData> {
    const { files, clock } = context.machine;
    const target = lanTarget(context.options);
    const presence = target === null ? findBmc(files) : null;
    if (target === null && presence === null) return noData("This machine has no BMC.");
    if (target === null && helper.how.kind === "none") return nobodyIsRoot(helper.how);
    const memory = parseSelMemory(context.memory.get());
    newsBase ??= lastSeq(memory?.news ?? []);
    if (clock.monotonic() >= pausedUntil) await askAll(context, target);
    const kept = parseSelMemory(context.memory.get());
    const data = build(target === null ? "in-band" : "lan", presence, selData(kept, newsBase));
    newsBase = lastSeq(kept?.news ?? []);
    return data;
  }

  function build(
    source: BmcData["source"],
    presence: BmcPresence | null,
    selection: BmcSelData | null,
  ): BmcData {
    const controller = info?.controller ?? null;
    return {
      source,
      answering: hangs === 0,
      firmware: controller?.firmware ?? presence?.firmware ?? null,
      ipmi_version: controller?.ipmi_version ?? presence?.ipmi_version ?? null,
      manufacturer_id: controller?.manufacturer_id ?? presence?.manufacturer_id ?? null,
      manufacturer: controller?.manufacturer ?? null,
      product_id: controller?.product_id ?? presence?.product_id ?? null,
      product: controller?.product ?? null,
      lan: lan?.lan ?? null,
      lan_channel: lan === null ? null : lan.lan !== null,
      chassis: info?.chassis ?? null,
      restart_cause: info?.restart_cause ?? null,
      sensors,
      sel: selection,
      problems,
    };
  }

  function selData(kept: SelMemory | null, base: number): BmcSelData | null {
    if (kept === null) return null;
    const failed = problems.some(({ part, code }) => part === "sel" && code !== "bmc_half_answer");
    const look = failed ? null : sel;
    return {
      entries: look?.entries ?? null,
      percent_used: look?.percent_used ?? null,
      overflow: look?.overflow ?? null,
      last: look === null ? null : lastOf(look),
      news: [...kept.news].slice(-2 * MAX_NEWS),
      news_base: base,
    };
  }

  return {
    name: "bmc",
    summary: "The management controller (BMC): its address, firmware, sensors, chassis and event log.",
    everyMs: EVERY_MS,
    timeoutMs: 120_000,
    get schema() {
      return bmcSchema;
    },
    options: bmcOptions,
    volatile: {
      "sensors[id].value": { abs: 5, rel: 0.1 },
      "sel.percent_used": { abs: 5 },
      "sel.news_base": {},
    },
    sensitive: ["lan.mac"],
    metrics: bmcMetrics,
    glance: ({ answering, product, manufacturer, firmware, source }) =>
      answering
        ? `${product ?? manufacturer ?? "a BMC"}${firmware === null ? "" : `, firmware ${firmware}`} (${source})`
        : "it does not answer",
    table: bmcTable,
    conditions: (data) => bmcConditions({ ...data, sensors: data.sensors ?? lastSensors }),
    changes: bmcEvents,
    collect,
  };
}

/** Without the seconds since the BMC started, which tell nobody anything. */
function lastOf({ last }: BmcSelResult): BmcSelData["last"] {
  if (last === null) return null;
  const { id, at, sensor, event, detail, asserted } = last;
  return { id, at, sensor, event, detail, asserted };
}
