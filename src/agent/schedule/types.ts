/** What the schedule (schedule.ts) is given and what may be asked of it. */

import type { Memory } from "../../collectors/collector.ts";
import type { AnyCollector } from "../../collectors/index.ts";
import type { Logger } from "../../model/log.ts";
import type { Section } from "../../model/report.ts";
import type { Machine } from "../../system/machine.ts";

export interface CollectorPlan {
  readonly collector: AnyCollector;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly memory: Memory;
}

export interface RunRecord {
  runs: number;
  failures: number;
  /** Failures since the last good run. */
  failuresInRow: number;
  lastRunAt: number | null;
  durationMs: number | null;
  /** Monotonic, milliseconds. */
  dueAt: number;
  running: boolean;
}

export interface Schedule {
  start(): void;
  /** Resolves when runs under way have ended, or after a short while without those that don't. */
  stop(): Promise<void>;
  /** Run one now, whatever is due; joins a run that is under way. @throws AgentError `no_such_collector`. */
  runNow(name: string): Promise<Section>;
  /** Run all that have never run; resolves when each has a section. */
  runAll(): Promise<void>;
  section(name: string): Section | undefined;
  /** The interval in effect, milliseconds. */
  everyMs(name: string): number;
  records(): ReadonlyMap<string, Readonly<RunRecord>>;
  /** Monotonic time of the last finished tick: what the watchdog is fed by. */
  lastTickAt(): number;
}

export interface ScheduleOptions {
  readonly machine: Machine;
  readonly log: Logger;
  readonly plans: readonly CollectorPlan[];
  /** What was known before a reload: it holds until a collector has something of its own to say. */
  readonly known?: (name: string) => Section | undefined;
  /** Called for each new section with the one before it. */
  readonly onSection: (
    section: Section,
    before: Section | undefined,
    collector: AnyCollector,
    failuresInRow: number,
  ) => void;
  /** After all that was due together is done or given up. */
  readonly onTick: () => void;
  /** 0 ≤ random < 1, for the jitter. */
  readonly random: () => number;
}
