/**
 * A reboot that no command of ours asked for is an event, with its cause as far as anything on this host knows:
 * what the kernel left (pstore), the watchdog, the BMC, a Raspberry Pi's firmware, and whether this agent was
 * stopped before it or just ended, as in a power cut.
 *
 * Told apart by `kind`: through the firmware, by kexec, or soft (the userspace anew on the kernel that runs, so that the
 * boot id stays). A host that was suspended goes on where it was: that is `resume`, and no boot.
 */
import { suspendedMs, userspaceIsNew } from "../../commands/facts/userspace.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Report } from "../../model/report.ts";
import type { Store } from "../../store/types.ts";
import type { Clock } from "../../system/clock.ts";

interface Mark {
  readonly bootId: string;
  /** The agent ended by itself, as it does when the host is shut down. */
  readonly stopped: boolean;
  /** CLOCK_MONOTONIC of this boot up to which its userspaces are told, milliseconds; null: an earlier version's mark. */
  readonly toldMs: number | null;
}

const KEY = "mark";
/** A clock that is set right steps too, so a step is only a reason to look. */
const STEP_MS = 5_000;
/** A helper that is started with the agent is there by then; so often it is tried. */
const ASK_AFTER_MS = 60_000;
const ASKED_AT_MOST = 5;

export interface BootWatch {
  /**
   * Once, after the first collection: what is known of the boot.
   * @param asked id of the command that the boot `from` was ended for, or null
   */
  started(report: Report, asked: (from: string) => string | null): void;
  /** Now and then. A minute after the start PID 1 is asked, once; afterwards only a step of the wall clock costs anything. */
  ticked(): void;
  /** The agent ends in an orderly way. */
  stopped(): void;
}

export interface BootHost {
  readonly bootId: string;
  readonly clock: Clock;
  /** /proc/uptime, which counts suspended time too; null: not known. */
  uptimeMs(): number | null;
  /** What the helper's `systemd.look` answers; null: nobody can be asked. */
  systemd(): Promise<unknown>;
}

export function openBootWatch(store: Store, { bootId, clock, uptimeMs, systemd }: BootHost): BootWatch {
  const values = store.values("boot");
  let apart = clock.now() - clock.monotonic();
  let slept = suspendedMs(uptimeMs(), clock.monotonic());
  let askAt = clock.monotonic() + ASK_AFTER_MS;
  let asked = 0;
  let isAsking = false;
  let hasBegun = false;
  let isOver = false;

  function write(mark: Mark): void {
    const before = markOf(values.get(KEY));
    // Every write is an fsync on somebody's SD card.
    if (before?.bootId !== mark.bootId || before.stopped !== mark.stopped || before.toldMs !== mark.toldMs)
      values.set(KEY, JSON.stringify(mark));
  }

  function userspace(answer: unknown): void {
    isAsking = false;
    if (answer === null || isOver) return;
    asked = ASKED_AT_MOST;
    const since = told();
    if (since !== null && !userspaceIsNew(answer, since)) return;
    if (since !== null) store.appendEvents([soft(bootId)], clock.now());
    write({ bootId, stopped: false, toldMs: Math.round(clock.monotonic()) });
  }

  const told = (): number | null => markOf(values.get(KEY))?.toldMs ?? null;

  return {
    started(report, asked) {
      const before = markOf(values.get(KEY));
      const isNew = before !== null && before.bootId !== bootId && bootId !== "unknown";
      if (isNew && asked(before.bootId) === null)
        store.appendEvents([unasked(before, bootId, report)], clock.now());
      const toldMs = before?.bootId === bootId ? before.toldMs : Math.round(clock.monotonic());
      // After the event: told twice is better than not told.
      write({ bootId, stopped: false, toldMs });
      hasBegun = true;
    },
    ticked() {
      // It went with an identity that this node is no more; the boot is the same.
      if (hasBegun && values.get(KEY) === null)
        write({ bootId, stopped: false, toldMs: Math.round(clock.monotonic()) });
      if (asked < ASKED_AT_MOST && !isAsking && clock.monotonic() >= askAt) {
        isAsking = true;
        asked += 1;
        askAt = clock.monotonic() + ASK_AFTER_MS;
        void systemd().then(userspace);
      }
      const now = clock.now() - clock.monotonic();
      if (Math.abs(now - apart) < STEP_MS) return;
      apart = now;
      const whole = suspendedMs(uptimeMs(), clock.monotonic());
      const more = whole === null || slept === null ? 0 : whole - slept;
      slept = whole;
      if (more >= STEP_MS) store.appendEvents([resumed(bootId, more)], clock.now());
    },
    stopped() {
      isOver = true;
      write({ bootId, stopped: true, toldMs: told() });
    },
  };
}

/** Pure. */
function soft(bootId: string): EventDraft {
  const ids = { from_boot_id: bootId, boot_id: bootId };
  return { type: "reboot", severity: "warning", data: { asked: false, kind: "soft", ...ids } };
}

/** Pure. */
function resumed(bootId: string, sleptMs: number): EventDraft {
  const data = { boot_id: bootId, suspended_s: Math.round(sleptMs / 1_000) };
  return { type: "resume", severity: "info", data };
}

/** Pure. */
function unasked(before: Mark, bootId: string, { sections }: Report): EventDraft {
  const system = sections.system?.data as
    | {
        boot_time?: string | null;
        last_boot?: {
          cause: string | null;
          source: string | null;
          kernel_dumps: number | null;
          way?: "firmware" | "kexec" | null;
        };
      }
    | null
    | undefined;
  const bmc = sections.bmc?.data as { restart_cause?: string | null } | null | undefined;
  const cpu = sections.cpu?.data as
    | { throttling?: { under_voltage?: { since_boot?: boolean | null } } }
    | null
    | undefined;
  return {
    type: "reboot",
    severity: "warning",
    data: {
      asked: false,
      kind: system?.last_boot?.way ?? null,
      from_boot_id: before.bootId,
      boot_id: bootId,
      boot_time: system?.boot_time ?? null,
      clean_stop: before.stopped,
      cause: system?.last_boot?.cause ?? (before.stopped ? "shutdown" : null),
      source: system?.last_boot?.source ?? (before.stopped ? "the agent was stopped before" : null),
      kernel_dumps: system?.last_boot?.kernel_dumps ?? null,
      bmc_restart_cause: bmc?.restart_cause ?? null,
      under_voltage: cpu?.throttling?.under_voltage?.since_boot ?? null,
    },
  };
}

function markOf(text: string | null): Mark | null {
  if (text === null) return null;
  try {
    const { bootId, stopped, toldMs } = JSON.parse(text) as Partial<Mark>;
    if (typeof bootId !== "string" || typeof stopped !== "boolean") return null;
    return { bootId, stopped, toldMs: typeof toldMs === "number" ? toldMs : null };
  } catch {
    return null;
  }
}
