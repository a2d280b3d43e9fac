/**
 * What the helper's `reboot.look` says of a reboot that was asked for, and what is made of it: whether it may still
 * come, whether this command caused it, and why it did not happen. Pure.
 */
import type { Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError } from "../../model/errors.ts";
import type { CommandRecord, RebootIntent } from "../record.ts";

export interface Look {
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
export function lookOf(answer: unknown): Look {
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

export function isPossible({ inFlight, shutdown, doubt }: Look): boolean {
  return inFlight || shutdown || doubt !== null;
}

export function intentIn({ progress }: CommandRecord): RebootIntent {
  if (progress.reboot === null)
    throw new AgentError("no_transition", "a reboot under way without its intent");
  return progress.reboot;
}

/** @param sleptMs how long the host was suspended meanwhile, milliseconds */
export function didNotHappen({ known, error }: Look, sleptMs: number): Why {
  const because =
    error !== null
      ? `: ${error}`
      : known === null
        ? ": the helper was never asked, or refused"
        : known === "done"
          ? ": it was asked for and given up again by something on this host"
          : ": it was begun and came to nothing";
  const slept =
    sleptMs === 0 ? "" : ` It was suspended for ${Math.round(sleptMs / 1_000)} s, which is no reboot.`;
  return {
    code: "reboot_did_not_happen",
    text: `The host is still on the boot it was on, and nothing is under way any more${because}.${slept}`,
    nextStep: "journalctl -u foundry-agent-helper -u systemd-logind -n 50",
  };
}

export const SOFT: Why = {
  code: "reboot_was_soft",
  text: "The host did a soft-reboot: its services were started anew, its kernel was not, so it is still on the boot it was on.",
  nextStep: "systemctl show --property=SoftRebootsCount; findmnt /run/nextroot",
};

export const NO_BOOT_ID: Why = {
  code: "no_boot_id",
  text: "The kernel does not tell its boot id, so a reboot could not be proven.",
  nextStep: "cat /proc/sys/kernel/random/boot_id",
};

export const UNSETTLED: ConditionDraft = {
  code: "reboot_unsettled",
  severity: "error",
  text: "Whether a reboot that was asked for is still under way can't be said, because the helper does not answer.",
  nextStep: "systemctl status foundry-agent-helper.socket foundry-agent-helper",
};

export const HANGS: ConditionDraft = {
  code: "shutdown_hangs",
  severity: "error",
  text: "The host was asked to reboot a quarter of an hour ago and is still going down.",
  nextStep: "systemctl list-jobs  # shows what it waits for; foundry-agent reboot --hard ends it",
};
