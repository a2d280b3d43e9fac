/**
 * Section `smart`: what every drive says of its own health, and what that means.
 *
 * Asking is the helper's work (root); whom to ask is decided in rounds/rounds.ts, what is made of the answers
 * here. A run returns as soon as all drives answered that are going to: the ones still silent then stay
 * pending, and what they answer later is merged by another run, which `onLate` asks for. Sleeping drives are
 * not woken and keep their last values.
 */

import type { HelperPort } from "../../helper/port.ts";
import type { SmartFacts, SmartHistory } from "../../model/smart.ts";
import { plural } from "../../model/text/sentence.ts";
import { type CollectContext, type Collector, type NoData, nobodyIsRoot, noData } from "../collector.ts";
import { type DriveKeys, driveKeys } from "../drives/scan/keys.ts";
import { areTwo } from "../drives/scan/same-drive.ts";
import { byName } from "../drives/text.ts";
import { historyKeeper } from "../told-once.ts";
import { unaccepted } from "./acks/acks.ts";
import { type AckBook, NO_ACKS, openAcks } from "./acks/book.ts";
import { smartConditions, smartEvents } from "./conditions.ts";
import { driveEntry, hasData, type SmartKept, silenced } from "./entry.ts";
import { smartSensitive, smartVolatile } from "./facets.ts";
import { dayOf, trendOf } from "./history.ts";
import { lastVerdictOf, parseSmartMemory, rememberSmart, type SmartMemory } from "./memory.ts";
import { smartMetrics } from "./metrics.ts";
import { factsIdentity, type SmartIdentity } from "./rounds/identity.ts";
import { learnSmart, named, sampleKey, twinsOf } from "./rounds/named.ts";
import { smartOptions, smartOverrides } from "./rounds/options.ts";
import { type SmartRound, type SmartRounds, smartRounds } from "./rounds/rounds.ts";
import { grouped, type SmartWay } from "./rounds/ways.ts";
import { type SmartData, type SmartDrive, smartSchema } from "./schema.ts";
import { smartTable } from "./table.ts";
import { sampleOf } from "./verdict/counts.ts";

const EVERY_MS = 30 * 60_000;
const TIMEOUT_MS = 5 * 60_000;
/** smartctl takes up to 1.7 s on a sound drive. */
const PATIENCE_MS = 5_000;
/** The first run is waited for at the agent's start, so it takes no longer than this. */
const FIRST_MS = 2_000;
/** A run this soon after a round, with answers that came after it, only merges them. */
const MERGE_MS = 20 * 60_000;

/** Not "nothing there": what was wrong before the start is as wrong as it was until they have answered. */
const FIRST_TIME: NoData = {
  noData: "The drives are being asked for the first time.",
  nextStep: null,
  pending: true,
};

export interface SmartCollectorOptions {
  readonly helper: HelperPort;
  /** null: nothing is kept, and no growth told. */
  readonly history: SmartHistory | null;
  /** Those of the section `drives`; of its own without it. */
  readonly keys?: DriveKeys;
  /** What is known and accepted of drives; nothing without it. */
  readonly acks?: AckBook;
  /** How long a round waits for its last drives, milliseconds. */
  readonly patienceMs?: number;
  /**
   * Called when there is more to tell than the last run told: run this collector again soon. Without it the
   * next run tells, and the first one takes as long as the drives do.
   */
  readonly onLate?: () => void;
  /** How long the first run takes at most when there is `onLate`, milliseconds. */
  readonly firstMs?: number;
}

export function smartCollector(
  options: SmartCollectorOptions,
): Collector<SmartData> & { options: typeof smartOptions } {
  const {
    helper,
    history,
    keys = driveKeys(),
    acks = openAcks(NO_ACKS),
    onLate,
    patienceMs = PATIENCE_MS,
    firstMs = FIRST_MS,
  } = options;
  const told = historyKeeper(parseSmartMemory);
  const kept = new Map<string, SmartKept>();
  let rounds: SmartRounds | null = null;
  let previous: readonly SmartDrive[] = [];
  let twins: SmartData["twins"] = [];
  let ranBefore = false;
  let ackVersion = acks.version();
  let untold = false;
  let stopped: AbortSignal | null = null;

  function tellLater(): void {
    untold = true;
    if (stopped?.aborted !== true) onLate?.();
  }

  function entries(
    { isQuarantined, hangs, knownOf }: SmartRounds,
    { outcomes, since }: SmartRound,
    ways: readonly SmartWay[],
    memory: SmartMemory,
  ): SmartDrive[] {
    // Of ways that seem to lead to one drive the one that says it is failing counts: it may be another drive after all.
    const rank = (way: SmartWay): number => {
      const facts = outcomes.get(way.key)?.facts;
      if (facts != null) return facts.passed === false ? 0 : 1;
      return outcomes.has(way.key) || hangs(way) > 0 ? 2 : 3;
    };
    const ordered = [...ways].sort((a, b) => rank(a) - rank(b));
    const seen = named(grouped(ordered, knownOf), knownOf, keys);
    const drives = seen.map(({ ways: own, identity, id }) => {
      const [first, ...rest] = own as [SmartWay, ...SmartWay[]];
      const outcome = outcomes.get(first.key) ?? null;
      const facts = outcome?.facts != null && !outcome.facts.asleep ? outcome.facts : null;
      const trend = facts !== null && hasData(facts) ? noted(id, identity, facts, since) : null;
      const before = kept.get(id) ?? null;
      const entry = driveEntry({
        id,
        identity,
        ways: [first, ...rest],
        outcome,
        quarantined: isQuarantined(first),
        hangs: hangs(first),
        // A bridge keeps its id whichever drive is in it.
        kept: before !== null && areTwo(factsIdentity(before.facts), identity) ? null : before,
        trend,
        lastVerdict: lastVerdictOf(memory, id, identity.serial),
        ack: acks.of(sampleKey(id, identity, keys)),
        since,
      });
      const { smart_ok, severity, reasons } = entry;
      if (facts !== null && hasData(facts))
        kept.set(id, { facts, at: outcome?.at ?? since, trend, verdict: { smart_ok, severity, reasons } });
      return entry;
    });
    twins = twinsOf(seen);
    acks.see(
      seen.map(({ id, identity }, index) => ({
        id,
        key: sampleKey(id, identity, keys),
        facts: kept.get(id)?.facts ?? null,
        verdict: unaccepted(drives[index] as SmartDrive),
      })),
    );
    ackVersion = acks.version();
    const present = new Set(drives.map(({ id }) => id));
    for (const id of kept.keys()) if (!present.has(id)) kept.delete(id);
    return drives.sort((a, b) => byName({ name: a.device }, { name: b.device }));
  }

  /** Today's sample kept, and what rose until now. */
  function noted(id: string, identity: SmartIdentity, facts: SmartFacts, now: number) {
    const key = sampleKey(id, identity, keys);
    if (history === null || key === null) return null;
    const day = dayOf(now);
    const samples = history.read(key);
    if (!samples.some((sample) => sample.day === day)) history.add(key, sampleOf(facts, day));
    return trendOf(samples, facts, day);
  }

  async function refreshed({ machine, signal, options: own }: CollectContext): Promise<SmartRounds> {
    const { clock, files } = machine;
    const overrides = smartOverrides(own);
    rounds ??= smartRounds({ helper, overrides, keys, clock, patienceMs, onLate: tellLater });
    const sinceRound = clock.monotonic() - rounds.state().begunAt;
    // What is accepted by now is judged from what they said.
    const isTold = !untold && ackVersion === acks.version();
    if (!isTold && !rounds.running() && sinceRound < MERGE_MS) return rounds;
    stopped = signal;
    const done = rounds.refresh(files, signal);
    if (ranBefore || onLate === undefined) await done;
    else {
      await within(firstMs, done);
      if (rounds.running()) void done.then(tellLater);
    }
    return rounds;
  }

  async function collect(context: CollectContext): Promise<SmartData | NoData> {
    if (helper.how.kind === "none") return nobodyIsRoot(helper.how);
    if (!ranBefore) learnSmart(keys, told.read(context.memory));
    const asked = await refreshed(context);
    [ranBefore, untold] = [true, false];
    const round = asked.state();
    const { failure, ways } = round;
    if (failure !== null && !failure.code.startsWith("smartctl_")) throw failure;
    if (failure === null && ways === null) return FIRST_TIME;
    if (failure === null && ways?.length === 0)
      return noData("No drive here gives SMART data; virtual disks, SD cards and eMMC have none.");
    const keptMemory = told.read(context.memory);
    previous =
      failure === null
        ? entries(asked, round, ways ?? [], keptMemory)
        : previous.map((drive) => silenced(drive, failure, kept.get(drive.id)?.at ?? null));
    const memory = rememberSmart(keptMemory, previous, new Date(round.since).toISOString(), keys.shared());
    told.keep(context.memory, keptMemory, memory);
    return {
      smartctl_version: failure === null ? round.smartctlVersion : null,
      drives: [...previous],
      twins: [...twins],
      ack_problem: acks.problem(),
      scan_hangs: round.scanHangs,
      problem:
        failure === null ? null : { code: failure.code, text: failure.message, next_step: failure.nextStep },
      history: [...memory.history],
      history_base: told.base(),
    };
  }

  return {
    name: "smart",
    summary: "What every drive says of its own health (SMART), and what that means.",
    everyMs: EVERY_MS,
    timeoutMs: TIMEOUT_MS,
    get schema() {
      return smartSchema;
    },
    volatile: smartVolatile,
    sensitive: smartSensitive,
    options: smartOptions,
    metrics: smartMetrics,
    glance: ({ drives, problem }) => {
      const bad = drives.filter(({ severity }) => severity === "warn" || severity === "fail").length;
      return (
        problem?.text ?? `${plural(drives.length, "drive")}${bad === 0 ? "" : `, ${bad} of them not well`}`
      );
    },
    table: smartTable,
    conditions: smartConditions,
    changes: smartEvents,
    collect,
  };
}

/** The end of `work`, or of the time. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, time]);
  clearTimeout(timer);
}
