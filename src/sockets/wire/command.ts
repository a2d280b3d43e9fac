/** Commands on the wire of the two sockets: mapped field by field, for the reason that wire.ts names. */
import { tally } from "../../commands/after-boot/compare.ts";
import type { GateVerdict, Hold } from "../../commands/gates/gate.ts";
import { conditional } from "../../commands/gates/text.ts";
import { endedBadly } from "../../commands/journal/event.ts";
import { type CommandRecord, type HistoryEntry, parseRecord } from "../../commands/record.ts";
import { isFinal, type Why } from "../../model/command.ts";
import type { StoredCommand } from "../../store/types.ts";
import type { DryRunWire, HoldWire, ShownCommandWire, WholeCommandWire } from "./command-schemas.ts";
import { rfc3339 } from "./rfc3339.ts";

/** What both sockets show. */
export function commandWire(row: StoredCommand): ShownCommandWire {
  const record = parseRecord(row.command, row.progress ?? null);
  return publicCommand(record === null ? rowWire(row) : recordWire(record));
}

/** Without the words of whoever holds the node: they are for those who may use control.sock. */
export function publicCommand(shown: ShownCommandWire): ShownCommandWire {
  if (shown.waiting?.code !== "held") return shown;
  const text = "The node is held; by whom and why is shown on control.sock only.";
  return { ...shown, waiting: { ...shown.waiting, text } };
}

/** With everything that whoever may use control.sock may see. @param history empty in a list */
export function wholeCommandWire(row: StoredCommand, history: readonly HistoryEntry[]): WholeCommandWire {
  const record = parseRecord(row.command, row.progress ?? null);
  return {
    ...(record === null ? rowWire(row) : recordWire(record)),
    epoch: row.epoch,
    params: record === null ? commandParams(row.command) : record.asked.params,
    operation_id: record?.asked.operationId ?? null,
    issued_at: rfc3339(record?.asked.issuedAt ?? null),
    expires_at: rfc3339(record?.asked.expiresAt ?? null),
    signed: record !== null && record.asked.signature !== null,
    by: record?.asked.by ?? null,
    reason: record?.asked.reason ?? null,
    cancelled_by: record?.progress.cancelledBy ?? null,
    result: record?.progress.result ?? {},
    reboot: rebootWire(record),
    history: history.map(({ at, state, step, text }) => ({ at: rfc3339(at), state, step, text })),
  };
}

export function recordWire({ asked, progress }: CommandRecord): ShownCommandWire {
  const { state, why } = progress;
  const [over, bad] = [isFinal(state), endedBadly(state)];
  return {
    id: asked.id,
    source: asked.source,
    type: asked.type,
    mode: asked.mode,
    state,
    step: progress.step,
    received_at: rfc3339(asked.receivedAt),
    since: rfc3339(progress.since),
    waiting: over || why === null ? null : whyWire(why),
    error: bad && why !== null ? { code: why.code, message: why.text, next_step: why.nextStep } : null,
    rehearsal: state === "rehearsed" && why !== null ? { text: why.text, next_step: why.nextStep } : null,
  };
}

/** One that was only answered, or that can't be read: there is no story of it. */
function rowWire(row: StoredCommand): ShownCommandWire {
  return {
    id: row.id,
    source: row.source,
    type: row.type,
    mode: null,
    state: row.state,
    step: null,
    received_at: rfc3339(row.receivedAt),
    since: null,
    waiting: null,
    error: row.error === null ? null : { code: row.error.code, message: row.error.message, next_step: null },
    rehearsal: null,
  };
}

function rebootWire(record: CommandRecord | null): WholeCommandWire["reboot"] {
  const intent = record?.progress.reboot ?? null;
  if (intent === null) return null;
  const { method, fromBootId, attempt, answer, before } = intent;
  const checked = [...(intent.tally ?? (before === null ? [] : tally(before, null)))];
  return {
    method,
    from_boot_id: fromBootId,
    attempt,
    answer,
    checked: checked.length === 0 ? null : checked,
  };
}

/** The parameters of a command as it was kept; null when they can't be read. */
function commandParams(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const command: unknown = JSON.parse(text);
    const params = command !== null && typeof command === "object" && "params" in command && command.params;
    return params !== null && typeof params === "object" ? (params as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function dryRunWire(verdict: GateVerdict["verdict"], gates: readonly GateVerdict[]): DryRunWire {
  return {
    dry_run: true,
    verdict,
    gates: gates.map((one) => ({
      gate: one.gate,
      verdict: one.verdict,
      why: one.why === null ? null : whyWire(one.why),
      would: one.would == null ? null : conditional(one),
    })),
  };
}

export function holdWire({ reason, by, since, until }: Hold): HoldWire {
  return { reason, by, since: rfc3339(since), until: rfc3339(until) };
}

function whyWire({ code, text, nextStep }: Why): NonNullable<ShownCommandWire["waiting"]> {
  return { code, text, next_step: nextStep };
}
