/**
 * The way of a reboot: intent on the disk, a word to whoever asked, one call of the helper, and then only the boot
 * id decides. On the same boot nobody calls it failed before it can't happen any more.
 */
import { randomUUID } from "node:crypto";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Picture } from "../after-boot/picture.ts";
import type { AnyCommandType } from "../command-type.ts";
import { suspendedMs, userspaceIsNew } from "../facts/userspace.ts";
import { whyOf } from "../journal/event.ts";
import type { Input } from "../machine.ts";
import { causeOf, NOT_BEGUN } from "../reboot-cause.ts";
import type { CommandRecord, RebootIntent } from "../record.ts";
import type { ExecutorPorts } from "./ports.ts";
import {
  didNotHappen,
  HANGS,
  intentIn,
  isPossible,
  type Look,
  lookOf,
  NO_BOOT_ID,
  SOFT,
  UNSETTLED,
} from "./reboot-verdict.ts";
import { callAs } from "./steps.ts";
import { within } from "./waker.ts";

/** After the intent the helper must have begun within: for the ladder of a hard reboot the BMC is asked twice. */
const CALL_MS = { graceful: 30_000, hard: 180_000 } as const;
/** What the helper may take to end a program whose time is over, and to say so. */
const SETTLE_MS = 5_000;
/** Within this the host is expected to be down: stopping services may take its minutes. */
const DOWN_MS = 15 * 60_000;
const REPORT_MS = 5_000;
const LOOK_MS = 20_000;
const NOTE_MS = 45_000;
const LOOK_AGAIN_MS = 5_000;
/** How often the helper is asked after a boot why it came: right after it, it may not be there yet. */
const LOOKS_AFTER_BOOT = 24;

export interface RebootFlow {
  /** From the last step to its end on this boot, or until the agent stops. */
  begin(record: CommandRecord, type: AnyCommandType): Promise<CommandRecord>;
  /** Found in `rebooting`: by a start of the agent, on whichever boot. */
  settle(record: CommandRecord): Promise<CommandRecord>;
}

export function openRebootFlow(
  { host, hands, tell, afterBoot }: ExecutorPorts,
  inside: {
    readonly apply: (record: CommandRecord, input: Input) => CommandRecord;
    /** Resolves after so long, or when the agent stops. */
    readonly pause: (ms: number) => Promise<void>;
    /** Fires when the agent stops. */
    readonly stopping: AbortSignal;
    /** What is to be known while nobody can say how a reboot stands; null: nothing. */
    readonly unsettled: (condition: ConditionDraft | null) => void;
  },
): RebootFlow {
  const { bootId } = host;
  const { apply, pause, stopping, unsettled } = inside;

  async function begin(record: CommandRecord, type: AnyCommandType): Promise<CommandRecord> {
    const method = type.reboot?.(record.asked.params) ?? "graceful";
    const live = record.asked.mode === "live";
    if (bootId === "unknown" && live) return apply(record, { kind: "step_failed", why: NO_BOOT_ID });
    const before = live ? await noted() : null;
    if (stopping.aborted) return record;
    const intended = apply(record, { kind: "intend", intent: intentOf(method, before) });
    if (intended.progress.state !== "rebooting") return intended;
    if (intended.asked.mode !== "live") return apply(intended, { kind: "simulated_boot" });
    await within(stopping, REPORT_MS, (signal) => tell.report(intended.asked.source, signal));
    if (stopping.aborted) return intended;
    return await watch(await call(intended));
  }

  /** What works now. A reboot is not put off for what hangs: that is among what it may mend. */
  async function noted(): Promise<Picture | null> {
    return await within(stopping, NOTE_MS, (signal) => afterBoot.note(signal));
  }

  function intentOf(method: RebootIntent["method"], before: Picture | null): RebootIntent {
    const now = host.uptimeMs();
    return {
      method,
      fromBootId: bootId,
      callDeadlineMs: now + CALL_MS[method],
      deadlineMs: now + DOWN_MS,
      attempt: 1,
      answer: "none",
      monotonicMs: host.clock.monotonic(),
      before,
      lookUntil: null,
      tally: null,
    };
  }

  /** Once: there is no second call for an intent, whatever comes of this one. */
  async function call(record: CommandRecord): Promise<CommandRecord> {
    const { method, callDeadlineMs } = intentIn(record);
    const left = callDeadlineMs - host.uptimeMs();
    // Telling the server took all the time: the look that follows settles it.
    if (left <= 0) return record;
    try {
      await hands.helper().call("reboot", { method }, stopping, { ...callAs(record), deadlineMs: left });
      return apply(record, { kind: "called", answer: "taken" });
    } catch (error) {
      if (stopping.aborted) return record;
      const answer = NOT_BEGUN.has(errorCode(error)) ? "refused" : "unknown";
      return apply(record, { kind: "called", answer, why: whyOf(error) });
    }
  }

  /** Until the host is gone, or it is certain that it stays. */
  async function watch(given: CommandRecord): Promise<CommandRecord> {
    let record = given;
    while (record.progress.state === "rebooting" && !stopping.aborted) {
      const { callDeadlineMs, deadlineMs } = intentIn(record);
      const wait = callDeadlineMs + SETTLE_MS - host.uptimeMs();
      await pause(Math.max(wait, LOOK_AGAIN_MS));
      if (stopping.aborted || host.uptimeMs() < callDeadlineMs + SETTLE_MS) continue;
      let look = await lookAt(record);
      // The helper looks at the shutdown first and at what is in flight then: one that was taken in between is seen by
      // the second look, and no other can have begun.
      if (look !== null && !isPossible(look)) look = await lookAt(record);
      if (look === null) unsettled(UNSETTLED);
      else {
        // It was asked for, and who was asked did not answer: a BMC may take its time.
        const unanswered = look.errorCode === "reboot_unanswered" && host.uptimeMs() <= deadlineMs;
        const possible = unanswered || isPossible(look);
        unsettled(possible && host.uptimeMs() > deadlineMs ? HANGS : null);
        const soft = possible ? false : await wasSoft(record);
        record = apply(record, {
          kind: "same_boot",
          possible,
          why: soft ? SOFT : didNotHappen(look, sleptMs(record)),
        });
      }
    }
    if (record.progress.state !== "rebooting") unsettled(null);
    return record;
  }

  return {
    begin,
    async settle(record) {
      if (record.asked.mode !== "live") return apply(record, { kind: "simulated_boot" });
      if (intentIn(record).fromBootId === bootId) return await watch(record);
      const look = await lookAfterBoot(record);
      if (stopping.aborted) return record;
      const lookUntilMs = host.uptimeMs() + afterBoot.boundMs();
      const how = look?.steps ?? [];
      const input = {
        kind: "new_boot",
        bootId,
        cause: causeOf(look),
        how,
        way: host.way(),
        lookUntilMs,
      } as const;
      return apply(record, input);
    },
  };

  /** How it came about is in the helper's record, which is worth a while; not to wait for ever. */
  async function lookAfterBoot(record: CommandRecord): Promise<Look | null> {
    for (let looks = 1; ; looks++) {
      const look = await lookAt(record);
      if (look !== null || looks >= LOOKS_AFTER_BOOT || stopping.aborted) return look;
      await pause(LOOK_AGAIN_MS);
    }
  }

  /** How long the host was suspended since the intent, which is no boot either. */
  function sleptMs(record: CommandRecord): number {
    const { monotonicMs, callDeadlineMs, method } = intentIn(record);
    if (monotonicMs === null) return 0;
    const since = host.uptimeMs() - (callDeadlineMs - CALL_MS[method]);
    return suspendedMs(since, host.clock.monotonic() - monotonicMs) ?? 0;
  }

  /** Whether the userspace was started anew since the intent, on the kernel it was on. */
  async function wasSoft(record: CommandRecord): Promise<boolean> {
    const since = intentIn(record).monotonicMs;
    if (since === null) return false;
    const answer = await within(stopping, LOOK_MS, (signal) =>
      hands.helper().call("systemd.look", {}, signal, { deadlineMs: LOOK_MS }),
    ).catch(() => null);
    return userspaceIsNew(answer, since);
  }

  async function lookAt({ asked, progress }: CommandRecord): Promise<Look | null> {
    const args = { id: asked.id, source: asked.source, method: progress.reboot?.method ?? "graceful" };
    const about = { id: randomUUID(), source: asked.source, deadlineMs: LOOK_MS };
    try {
      const answer = await within(stopping, LOOK_MS, (signal) =>
        hands.helper().call("reboot.look", args, signal, about),
      );
      return lookOf(answer);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return null;
    }
  }
}
