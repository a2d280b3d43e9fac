/**
 * Takes in what control APIs ask for. Each command is written down (fsynced) before anything else, known
 * ids are only answered again, and the answer is a `command.state` event like any other: kept until it is
 * acknowledged. This build carries out no command type yet, so each is refused as `unsupported`.
 */
import type { Logger } from "pino";
import type { Command, CommandState } from "../model/command.ts";
import type { EventDraft } from "../model/event.ts";
import type { Store, StoredCommand } from "./store-types.ts";

const FINAL: ReadonlySet<CommandState> = new Set(["succeeded", "failed", "cancelled", "refused", "expired"]);

/** The event that tells a control API where a command stands. */
export function commandStateEvent(
  id: string,
  state: CommandState,
  error: { code: string; message: string } | null,
): EventDraft {
  return {
    type: "command.state",
    severity: state === "failed" ? "error" : error === null ? "info" : "warning",
    data: { command_id: id, state, ...(error === null ? {} : { message: error.message, error }) },
  };
}

/** Why a command can't be taken at all just now, or null. */
function refusalOf(store: Store, command: Command): { code: string; message: string } {
  if (store.mode === "too_new")
    return {
      code: "state_too_new",
      message: "The state on this node was written by a newer version of the agent.",
    };
  if (store.mode === "read_only")
    return {
      code: "journal_not_writable",
      message: "The state folder can't be written, so the command could not be recorded.",
    };
  return { code: "unsupported", message: `This version of the agent does not carry out "${command.type}".` };
}

/**
 * Record and answer commands; answer again for those already known whose answer the server seems to have
 * lost.
 * @param api the control API they came from: whose spool tells which answers are still on their way
 * @returns the ids that were new
 */
export function takeCommands(
  store: Store,
  api: string,
  commands: readonly Command[],
  cancel: readonly string[],
  now: number,
  log: Logger,
): string[] {
  const fresh: string[] = [];
  for (const command of commands) {
    const stored: StoredCommand = {
      id: command.id,
      source: command.source,
      epoch: command.epoch,
      type: command.type,
      state: "received",
      receivedAt: now,
      command: JSON.stringify(command),
      error: null,
    };
    if (store.insertCommand(stored)) {
      fresh.push(command.id);
      const error = refusalOf(store, command);
      store.setCommandState(
        command.id,
        "refused",
        error,
        commandStateEvent(command.id, "refused", error),
        now,
      );
      log.warn(
        { command: command.id, type: command.type, mode: command.mode, code: error.code },
        `refused: ${error.message}`,
      );
    } else answerAgain(store, api, command.id, now);
  }
  for (const id of cancel) answerAgain(store, api, id, now);
  return fresh;
}

function answerAgain(store: Store, api: string, id: string, now: number): void {
  const known = store.command(id);
  if (known === null || !FINAL.has(known.state)) return;
  const onItsWay = store
    .pendingEvents(api, 1000)
    .some((event) => event.type === "command.state" && event.data.command_id === id);
  if (!onItsWay) store.appendEvents([commandStateEvent(id, known.state, known.error)], now);
}
