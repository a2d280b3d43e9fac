/**
 * The state database: identity and tokens, the command journal, the event spool with a cursor per control
 * API, and what may be written late. One folder, one writer, few writes.
 *
 * When something reaches the disk: values, commands, events from warning up and `command.state` before the
 * call returns; everything else in one transaction every 15 minutes and at close (an idle node, which has
 * only its traffic to count: every hour). What happens when the disk does not play along is in file/state-file.ts.
 */
import type { Clock } from "../system/clock.ts";
import { abandonState, belongsToIdentity, goesWithIdentity, restoreState } from "./abandon.ts";
import { openCommands } from "./commands.ts";
import { openStateFile } from "./file/state-file.ts";
import { pruneAside } from "./set-aside.ts";
import { openSmartSamples } from "./smart-samples.ts";
import { LIMITS, type SpoolLimits } from "./spool/drop.ts";
import { openSpool } from "./spool/spool.ts";
import type { Store } from "./types.ts";
import { openUndo } from "./undo.ts";
import { openValues } from "./values.ts";
import { openLazy } from "./written-late.ts";

export interface StoreOptions {
  readonly clock: Clock;
  /** Bounds of the event spool; 10 000 events, 10 MiB and 500 events of history. */
  readonly limits?: Partial<SpoolLimits>;
  /** Upper bound of state.db in pages of 4 KiB, for tests of a full disk. */
  readonly maxPages?: number;
}

const LAZY_MS = 15 * 60_000;
const TRAFFIC_MS = 60 * 60_000;

/**
 * Open the state in `folder`, made with mode 0700 when missing. Never throws for what a disk can do to it:
 * see `mode` and `problem`, which change while running.
 * @throws AgentError `state_locked` when another agent runs on it
 */
export function openStore(folder: string, options: StoreOptions): Store {
  const { clock, maxPages } = options;
  const file = openStateFile(folder, { clock, ...(maxPages !== undefined && { maxPages }) });
  const values = openValues(file);
  const lazy = openLazy(file);
  const spool = openSpool(file, { ...LIMITS, ...options.limits }, lazy.writeTo);
  const smart = openSmartSamples(file.read);
  const commands = openCommands(file, spool, clock.now());
  pruneAside(file, clock.now());
  let lookedAt = clock.now();
  let writtenAt = lookedAt;
  let closed = false;

  function flush(now: number, force = false): void {
    if (closed || !(hasToTry() || (force ? isDirty() : isDue(now)))) return;
    lookedAt = now;
    if (file.mode === "too_new") values.retry();
    const committed: (() => void)[] = [];
    const done = file.write((db) => {
      committed.length = 0;
      committed.push(spool.writeTo(db, now, true), lazy.writeTo(db), smart.writeTo(db));
    }, force);
    if (!done) return;
    for (const apply of committed) apply();
    writtenAt = now;
    if (values.dirty) values.retry();
  }

  /** The disk could not be written and may be by now; how often that is tried is file.write's matter. */
  const hasToTry = (): boolean => file.failing || spool.overdue;

  const isDirty = (): boolean => spool.dirty || values.dirty || smart.dirty() || lazy.dirty() !== "no";

  function isDue(now: number): boolean {
    // Either way: a clock that was in 1970 or in the future must not put it off for ever.
    if (Math.abs(now - lookedAt) < LAZY_MS) return false;
    lookedAt = now;
    if (spool.dirty || values.dirty || smart.dirty()) return true;
    const dirty = lazy.dirty();
    return dirty === "yes" || (dirty === "traffic" && Math.abs(now - writtenAt) >= TRAFFIC_MS);
  }

  return {
    get mode() {
      return file.mode;
    },
    get problem() {
      return file.problem;
    },
    get fresh() {
      return file.fresh;
    },
    get lost() {
      return file.lost;
    },
    keepLost: file.keepLost,
    markStart: file.markStart,
    values: values.of,
    appendEvents: spool.appendEvents,
    pendingEvents: spool.pendingEvents,
    pendingCount: spool.pendingCount,
    answerPending: spool.answerPending,
    acknowledgeEvents: spool.acknowledgeEvents,
    eventsSince: spool.eventsSince,
    setSubscribers: spool.setSubscribers,
    spool: spool.spool,
    listen: spool.listen,
    confirmedHashes: lazy.confirmedHashes,
    setConfirmedHashes: lazy.setConfirmedHashes,
    memory: lazy.memory,
    smart: { read: smart.read, add: smart.add },
    ...commands,
    undo: openUndo(file),
    abandon(reason, now, fate = "set_aside") {
      const result = abandonState(file, values.rows(belongsToIdentity), reason, now, fate);
      values.reload(goesWithIdentity);
      spool.clear();
      lazy.clear(true);
      smart.clear();
      return result;
    },
    restore(at, now) {
      const asideAt = restoreState(file, values.rows(belongsToIdentity), at, now);
      if (asideAt === null) return null;
      values.reload(goesWithIdentity);
      lazy.clear(false);
      return asideAt;
    },
    pruneSetAside: (now) => pruneAside(file, now),
    registered: () => values.rows((namespace) => namespace.startsWith("api.")).length > 0,
    addTraffic: lazy.addTraffic,
    traffic: lazy.traffic,
    flush,
    written: file.written,
    close() {
      if (closed) return;
      flush(clock.now(), true);
      closed = true;
      file.close();
    },
  };
}
