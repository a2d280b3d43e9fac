/**
 * Runs the collectors: each at its own interval, bounded by its own time-out, never two runs of one at a
 * time. What is due together runs in one tick, so that hashing, the database and housekeeping are touched
 * once a tick and not once a collector. A collector that hangs is left behind when its time is up; the
 * others' results are there already.
 */

import { type CollectContext, isNoData } from "../../collectors/collector.ts";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import type { Reason, Section } from "../../model/report.ts";
import { span } from "../../model/text/span.ts";
import type { CollectorPlan, RunRecord, Schedule, ScheduleOptions } from "./types.ts";

/**
 * What is due within this share of its interval runs along with what is due now: as much as the jitter can
 * part them, so that equal intervals wake the process (and its housekeeping) once and not once each.
 */
const GATHER = 0.1;
/** Results within this time of each other are one tick, milliseconds. */
const SETTLE_MS = 50;
/** With nothing due (all hanging), look again after this, milliseconds. */
const IDLE_MS = 60_000;
const STOP_MS = 500;
/** Reason of a section that may have something soon. */
export const PENDING = "pending";
/** ± share of the interval. */
const JITTER = 0.05;

export function openSchedule(options: ScheduleOptions): Schedule {
  const { machine, log } = options;
  const clock = machine.clock;
  const sections = new Map<string, Section>();
  const records = new Map<string, RunRecord>();
  const underway = new Map<string, Promise<Section>>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let lastTickAt = clock.monotonic();
  let settling: NodeJS.Timeout | undefined;

  for (const plan of options.plans) {
    const known = options.known?.(plan.collector.name);
    if (known !== undefined) sections.set(plan.collector.name, known);
    records.set(plan.collector.name, {
      runs: 0,
      failures: 0,
      failuresInRow: 0,
      lastRunAt: null,
      durationMs: null,
      dueAt: clock.monotonic(),
      running: false,
    });
  }

  function recordOf(name: string): RunRecord {
    const record = records.get(name);
    if (!record)
      throw new AgentError(
        "no_such_collector",
        `There is no collector "${name}"`,
        `foundry-agent report  # lists ${[...records.keys()].join(", ")}`,
      );
    return record;
  }

  function planOf(name: string): CollectorPlan {
    recordOf(name);
    return options.plans.find((candidate) => candidate.collector.name === name) as CollectorPlan;
  }

  function run(plan: CollectorPlan): Promise<Section> {
    const name = plan.collector.name;
    const already = underway.get(name);
    if (already) return already;
    const started = runOnce(plan).finally(() => underway.delete(name));
    underway.set(name, started);
    return started;
  }

  async function runOnce(plan: CollectorPlan): Promise<Section> {
    const { collector } = plan;
    const record = recordOf(collector.name);
    const before = sections.get(collector.name);
    const startedAt = clock.monotonic();
    record.running = true;
    record.lastRunAt = clock.now();
    const { outcome, endedAt } = await attempt(plan);
    record.running = false;
    record.runs++;
    record.durationMs = endedAt - startedAt;
    record.dueAt = clock.monotonic() + plan.everyMs * (1 - JITTER + 2 * JITTER * options.random());
    const section = sectionOf(collector.name, outcome, before, record, clock.now());
    // Cut off by the stop, or back after it: whoever took part in the results is gone by then.
    if (stopping.signal.aborted) return section;
    sections.set(collector.name, section);
    options.onSection(section, before, collector, record.failuresInRow);
    return section;
  }

  async function attempt(plan: CollectorPlan): Promise<{ outcome: unknown; endedAt: number }> {
    const { name, collect } = {
      name: plan.collector.name,
      collect: plan.collector.collect.bind(plan.collector),
    };
    const limit = new AbortController();
    const signal = AbortSignal.any([limit.signal, stopping.signal]);
    const context: CollectContext = { machine, memory: plan.memory, options: plan.options, signal };
    const ended = (outcome: unknown) => ({ outcome, endedAt: clock.monotonic() });
    const failed = (error: unknown) =>
      ended(error instanceof Error ? error : new AgentError("unexpected", errorText(error)));
    let value: unknown;
    try {
      value = collect(context);
    } catch (error) {
      return failed(error);
    }
    // Most read from memory and are done here: the clock stops now, not when the next one has run as well.
    if (!(value instanceof Promise)) return ended(value);
    let timeout: NodeJS.Timeout | undefined;
    let onStop = (): void => undefined;
    const expired = new Promise<AgentError>((resolve) => {
      timeout = setTimeout(() => {
        const late = new AgentError(
          "timeout",
          `${name} was not done within ${span(plan.timeoutMs)}`,
          `foundry-agent collect ${name}`,
        );
        resolve(late);
        limit.abort(late);
      }, plan.timeoutMs);
      // One that is deaf to the stop is left behind at once: its time-out must not keep the process.
      onStop = () => resolve(stopping.signal.reason as AgentError);
      if (stopping.signal.aborted) onStop();
      // Not on the joint signal: Node keeps one that is listened to for as long as its sources live.
      else stopping.signal.addEventListener("abort", onStop, { once: true });
    });
    try {
      return ended(await Promise.race([value, expired]));
    } catch (error) {
      return failed(error);
    } finally {
      clearTimeout(timeout);
      stopping.signal.removeEventListener("abort", onStop);
    }
  }

  function sectionOf(
    name: string,
    outcome: unknown,
    before: Section | undefined,
    record: RunRecord,
    now: number,
  ): Section {
    const durationMs = Math.round((record.durationMs ?? 0) * 100) / 100;
    if (outcome instanceof Error) {
      record.failures++;
      record.failuresInRow++;
      const reason: Reason = {
        code: errorCode(outcome),
        text: errorText(outcome),
        nextStep: outcome instanceof AgentError ? outcome.nextStep : null,
      };
      if (record.failuresInRow === 1 && !stopping.signal.aborted)
        log.warn({ collector: name, code: reason.code }, `collector failed: ${reason.text}`);
      const kept = before?.data ?? null;
      return {
        name,
        state: kept === null ? "failed" : "stale",
        data: kept,
        reason,
        collectedAt: before?.collectedAt ?? null,
        durationMs,
      };
    }
    if (record.failuresInRow > 0) log.info({ collector: name }, "collector works again");
    record.failuresInRow = 0;
    if (isNoData(outcome)) {
      if (outcome.pending === true && before?.data != null) return { ...before, durationMs };
      const code = outcome.pending === true ? PENDING : (outcome.code ?? "no_data");
      const reason: Reason = { code, text: outcome.noData, nextStep: outcome.nextStep };
      return { name, state: "absent", data: null, reason, collectedAt: now, durationMs };
    }
    return { name, state: "ok", data: outcome, reason: null, collectedAt: now, durationMs };
  }

  function due(): CollectorPlan[] {
    const now = clock.monotonic();
    const late = (plan: CollectorPlan) => recordOf(plan.collector.name).dueAt - plan.everyMs * GATHER <= now;
    return options.plans.filter((plan) => !underway.has(plan.collector.name) && late(plan));
  }

  function settle(): void {
    if (stopping.signal.aborted) return;
    clearTimeout(settling);
    settling = undefined;
    lastTickAt = clock.monotonic();
    options.onTick();
  }

  /** What is done at about the same time is one tick; a run that hangs has no part in it. */
  function settleSoon(): void {
    if (!stopping.signal.aborted) settling ??= setTimeout(settle, SETTLE_MS);
  }

  function arm(): void {
    if (stopping.signal.aborted) return;
    clearTimeout(timer);
    let next = clock.monotonic() + IDLE_MS;
    for (const [name, record] of records) if (!underway.has(name)) next = Math.min(next, record.dueAt);
    timer = setTimeout(fire, Math.max(SETTLE_MS, next - clock.monotonic()));
  }

  function fire(): void {
    const plans = due();
    // Nothing to collect for a while: the disk, the watchdog and the housekeeping still want their tick.
    if (plans.length === 0) settleSoon();
    for (const plan of plans) {
      void run(plan).finally(() => {
        settleSoon();
        arm();
      });
    }
    arm();
  }

  return {
    start: arm,
    async stop() {
      stopping.abort(new AgentError("stopping", "the agent is stopping"));
      clearTimeout(timer);
      clearTimeout(settling);
      // Runs end by the signal; one that ignores it is left behind, bounded by its own time-out.
      await Promise.race([
        Promise.allSettled(underway.values()),
        new Promise((resolve) => setTimeout(resolve, STOP_MS).unref()),
      ]);
    },
    async runNow(name) {
      const plan = planOf(name);
      const section = await run(plan);
      settle();
      return section;
    },
    async runAll() {
      await Promise.all(options.plans.filter((plan) => recordOf(plan.collector.name).runs === 0).map(run));
      settle();
    },
    section: (name) => sections.get(name),
    everyMs: (name) => planOf(name).everyMs,
    records: () => records,
    lastTickAt: () => lastTickAt,
  };
}
