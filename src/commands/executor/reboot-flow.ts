/**
 * The way of a reboot: intent on the disk, a word to whoever asked, one call of the helper, and then only the boot
 * id decides. On the same boot nobody calls it failed before it can't happen any more.
 */
import { randomUUID } from "node:crypto";
import type { Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { AnyCommandType } from "../command-type.ts";
import { whyOf } from "../journal.ts";
import type { Input } from "../machine.ts";
import { causeOf, NOT_BEGUN } from "../reboot-cause.ts";
import type { CommandRecord, RebootIntent } from "../record.ts";
import type { ExecutorPorts } from "./ports.ts";
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
  { host, hands, tell }: ExecutorPorts,
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
    if (bootId === "unknown") return apply(record, { kind: "step_failed", why: NO_BOOT_ID });
    const intended = apply(record, { kind: "intend", intent: intentOf(method) });
    if (intended.progress.state !== "rebooting") return intended;
    if (intended.asked.mode !== "live") return apply(intended, { kind: "simulated_boot" });
    await within(stopping, REPORT_MS, (signal) => tell.report(intended.asked.source, signal));
    if (stopping.aborted) return intended;
    return await watch(await call(intended));
  }

  function intentOf(method: RebootIntent["method"]): RebootIntent {
    const now = host.uptimeMs();
    return {
      method,
      fromBootId: bootId,
      callDeadlineMs: now + CALL_MS[method],
      deadlineMs: now + DOWN_MS,
      attempt: 1,
      answer: "none",
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
        record = apply(record, { kind: "same_boot", possible, why: didNotHappen(look) });
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
      const cause = causeOf(look);
      return apply(record, { kind: "new_boot", bootId, cause, how: look?.steps ?? [] });
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

interface Look {
  readonly inFlight: boolean;
  readonly shutdown: boolean;
  readonly doubt: string | null;
  /** What the helper's record says of this id. */
  readonly known: string | null;
  readonly steps: readonly string[];
  readonly error: string | null;
  readonly errorCode: string | null;
}

/** What `reboot.look` answers; what can't be read of it is doubt. */
function lookOf(answer: unknown): Look {
  const { known, in_flight, shutdown, doubt } = (answer ?? {}) as {
    known?: { state?: string; steps?: string[]; error?: { code?: string; message?: string } } | null;
    in_flight?: boolean;
    shutdown?: { scheduled?: boolean; under_way?: boolean };
    doubt?: string | null;
  };
  return {
    inFlight: in_flight !== false,
    shutdown: shutdown?.scheduled !== false || shutdown.under_way !== false,
    doubt: doubt ?? null,
    known: known?.state ?? null,
    steps: known?.steps ?? [],
    error: known?.error?.message ?? null,
    errorCode: known?.error?.code ?? null,
  };
}

function isPossible({ inFlight, shutdown, doubt }: Look): boolean {
  return inFlight || shutdown || doubt !== null;
}

function intentIn({ progress }: CommandRecord): RebootIntent {
  if (progress.reboot === null)
    throw new AgentError("no_transition", "a reboot under way without its intent");
  return progress.reboot;
}

function didNotHappen({ known, error }: Look): Why {
  const because =
    error !== null
      ? `: ${error}`
      : known === null
        ? ": the helper was never asked, or refused"
        : known === "done"
          ? ": it was asked for and given up again by something on this host"
          : ": it was begun and came to nothing";
  return {
    code: "reboot_did_not_happen",
    text: `The host is still on the boot it was on, and nothing is under way any more${because}.`,
    nextStep: "journalctl -u foundry-agent-helper -u systemd-logind -n 50",
  };
}

const NO_BOOT_ID: Why = {
  code: "no_boot_id",
  text: "The kernel does not tell its boot id, so a reboot could not be proven.",
  nextStep: "cat /proc/sys/kernel/random/boot_id",
};

const UNSETTLED: ConditionDraft = {
  code: "reboot_unsettled",
  severity: "error",
  text: "Whether a reboot that was asked for is still under way can't be said, because the helper does not answer.",
  nextStep: "systemctl status foundry-agent-helper.socket foundry-agent-helper",
};

const HANGS: ConditionDraft = {
  code: "shutdown_hangs",
  severity: "error",
  text: "The host was asked to reboot a quarter of an hour ago and is still going down.",
  nextStep: "systemctl list-jobs  # shows what it waits for; foundry-agent reboot --hard ends it",
};
