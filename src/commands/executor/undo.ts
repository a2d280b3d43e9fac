/**
 * Taking back what commands changed: apart from their outcome, retried for ever, and seen as a condition as long as
 * it is not done. A record is on the disk before its change is made, so it may name a change that never came about:
 * every undo action must be right for that too.
 */

import { isFinal } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError, errorText } from "../../model/errors.ts";
import { clause, plural } from "../../model/text/sentence.ts";
import type { Undo } from "../record.ts";
import type { ExecutorPorts } from "./ports.ts";
import { within } from "./waker.ts";

const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 10 * 60_000;
const ACTION_MS = 60_000;
const LOOK_MS = 30_000;
/** Of one source: before it changes more, what it changed has to be taken back. */
const MAX_PENDING = 100;

export interface Undoing {
  /** Before the change is made. @param ttlMs at the latest after so long @throws AgentError `undo_full`: it must not be made */
  add(commandId: string, kind: string, args: Readonly<Record<string, unknown>>, ttlMs: number): void;
  /** Its changes are to be taken back now. */
  commandOver(commandId: string): void;
  conditions(): ConditionDraft[];
  start(): void;
  stop(): Promise<void>;
}

/** @param changed called when `conditions` may say something else. @param stopping fires when the agent stops */
export function openUndoing(
  { state, host, hands, tell }: ExecutorPorts,
  stopping: AbortSignal,
  changed: () => void,
): Undoing {
  const { journal: store } = state;
  const { clock } = host;
  const { log } = tell;
  /** Monotonic time before which one that failed is not tried again. */
  const notBefore = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | null = null;
  let again = false;

  /** Its command is at its end, or gone from the journal. */
  function isOver({ commandId }: Undo): boolean {
    const row = store.command(commandId);
    return row === null || isFinal(row.state);
  }

  const isDue = (undo: Undo): boolean =>
    (isOver(undo) || clock.now() >= undo.until) && (notBefore.get(undo.number) ?? 0) <= clock.monotonic();

  async function look(): Promise<void> {
    for (const undo of store.undo.list()) {
      if (stopping.aborted) return;
      if (isDue(undo)) await take(undo);
    }
    changed();
  }

  async function take(undo: Undo): Promise<void> {
    try {
      const action = hands.undo[undo.kind];
      if (action === undefined) throw new Error(`this version can't take back "${undo.kind}"`);
      await within(stopping, ACTION_MS, (signal) => action(undo.args, signal));
      // By its time, while its command goes on: that may change it again, so it is taken back once more at the end.
      if (!isOver(undo)) return void notBefore.set(undo.number, Number.POSITIVE_INFINITY);
      store.undo.remove(undo.number);
      notBefore.delete(undo.number);
      store.appendEvents(
        [
          {
            type: `${undo.kind}.undone`,
            severity: "info",
            data: { command_id: undo.commandId, ...undo.args },
          },
        ],
        clock.now(),
      );
      log.info({ command: undo.commandId, undo: undo.kind }, `taken back: ${undo.kind}`);
    } catch (error) {
      if (stopping.aborted) return;
      const delay = Math.min(FIRST_RETRY_MS * 2 ** Math.min(undo.tries, 10), LAST_RETRY_MS);
      notBefore.set(undo.number, clock.monotonic() + delay);
      try {
        store.undo.failed(undo.number, errorText(error));
      } catch {
        // The disk takes nothing: counted in memory only, and tried all the same.
      }
    }
  }

  /** One round at a time; asked for meanwhile, one more follows. */
  function kick(): void {
    clearTimeout(timer);
    if (stopping.aborted) return;
    if (round !== null) {
      again = true;
      return;
    }
    round = look()
      .catch((error: unknown) => log.error({ err: error }, "what is to be taken back could not be looked at"))
      .finally(() => {
        round = null;
        if (stopping.aborted) return;
        if (again) kick();
        else if (store.undo.list().length > 0) timer = setTimeout(kick, nextMs());
        again = false;
      });
  }

  /** Until the next that failed is due, at most LOOK_MS. */
  function nextMs(): number {
    const left = [...notBefore.values()]
      .map((at) => at - clock.monotonic())
      .filter((ms) => ms > 0 && Number.isFinite(ms));
    return Math.min(LOOK_MS, ...left);
  }

  return {
    add(commandId, kind, args, ttlMs) {
      const source = store.command(commandId)?.source;
      const pending = store.undo.list().filter((undo) => store.command(undo.commandId)?.source === source);
      if (pending.length >= MAX_PENDING)
        throw new AgentError(
          "undo_full",
          `${pending.length} changes for ${source ?? "commands"} are to be taken back already, so no more are made`,
          "foundry-agent status",
        );
      store.undo.add({ commandId, kind, args, until: clock.now() + ttlMs, since: clock.now() });
    },
    commandOver(commandId) {
      const own = store.undo.list().filter((undo) => undo.commandId === commandId);
      for (const { number } of own) notBefore.delete(number);
      if (own.length > 0) kick();
    },
    conditions: () =>
      store.undo
        .list()
        .filter(({ tries }) => tries > 0)
        .map(({ kind, since, tries, lastError, commandId, number }) => ({
          code: "undo_pending",
          subject: `${kind} ${number}`,
          severity: "warning",
          text: `What ${commandId} changed (${kind}, since ${new Date(since).toISOString()}) could not be taken back in ${plural(tries, "try", "tries")}: ${clause(lastError ?? "no reason was given")}.`,
          nextStep: `foundry-agent commands ${commandId}`,
        })),
    start: kick,
    async stop() {
      clearTimeout(timer);
      await round;
    },
  };
}
