/**
 * Takes in what control APIs ask for. Each command is written down (fsynced) before anything else, known
 * ids are only answered again, and the answer is a `command.state` event like any other: kept until it is
 * acknowledged. This build carries out no command type yet, so each is refused as `unsupported`.
 */

import type { OpenCommand, RejectedCommand } from "../control/control-api.ts";
import type { Command, CommandState } from "../model/command.ts";
import { errorCode, errorText } from "../model/errors.ts";
import type { EventDraft } from "../model/event.ts";
import type { Logger } from "../model/log.ts";
import type { Store, StoredCommand } from "./store-types.ts";

const FINAL: ReadonlySet<CommandState> = new Set(["succeeded", "failed", "cancelled", "refused", "expired"]);

/** The event that tells a control API where a command stands. */
export function commandStateEvent(
  id: string,
  state: CommandState,
  error: { code: string; message: string } | null,
  result?: Readonly<Record<string, unknown>>,
): EventDraft {
  return {
    type: "command.state",
    severity: state === "failed" ? "error" : error === null ? "info" : "warning",
    data: {
      command_id: id,
      state,
      ...(error === null ? {} : { message: error.message, error }),
      ...(result === undefined ? {} : { result }),
    },
  };
}

/** What came of a round that concerns commands. */
export interface Incoming {
  readonly commands: readonly Command[];
  readonly cancel: readonly string[];
  readonly openCommands: readonly OpenCommand[];
  readonly rejected: readonly RejectedCommand[];
}

export interface Intake {
  readonly store: Store;
  /** The control API they came from: its spool tells which answers are still on their way. */
  readonly api: string;
  readonly bootId: string;
  readonly now: number;
  readonly log: Logger;
}

interface Answer {
  readonly state: "refused" | "failed" | "succeeded";
  readonly error: { code: string; message: string } | null;
  readonly result?: Readonly<Record<string, unknown>>;
}

/**
 * Record and answer; answer again for those already known whose answer the server seems to have lost.
 * @returns the ids that were new
 */
export function takeCommands(intake: Intake, incoming: Incoming): string[] {
  const fresh: string[] = [];
  const take = (command: StoredCommand, answer: Answer): void => {
    if (record(intake, command, answer)) fresh.push(command.id);
  };
  for (const command of incoming.commands) {
    const { id, source, epoch, type } = command;
    const error = { code: "unsupported", message: `This version of the agent does not carry out "${type}".` };
    take(stored(intake, { id, source, epoch, type, command: JSON.stringify(command) }), {
      state: "refused",
      error,
    });
  }
  for (const { id, code, message } of incoming.rejected) {
    take(stored(intake, { id, type: "unknown", command: "{}" }), {
      state: "refused",
      error: { code, message },
    });
  }
  for (const open of incoming.openCommands) {
    // Never acknowledged: the server repeats it, and it is taken like any other.
    if (open.state === "received") continue;
    take(
      stored(intake, { id: open.id, type: open.type, command: JSON.stringify(open) }),
      settled(open, intake.bootId),
    );
  }
  for (const id of incoming.cancel) answerAgain(intake, id);
  return fresh;
}

/** A command of which this node knows nothing any more: only a reboot can be told from outside. */
function settled(open: OpenCommand, bootId: string): Answer {
  if (open.type === "reboot" && open.fromBootId !== null && open.fromBootId !== bootId) {
    return {
      state: "succeeded",
      error: null,
      result: { cause: "unverified", from_boot_id: open.fromBootId, boot_id: bootId },
    };
  }
  const message = "The state of this node was lost, so nobody knows how far the command came.";
  return { state: "failed", error: { code: "state_lost", message } };
}

function stored(
  intake: Intake,
  fields: Pick<StoredCommand, "id" | "type" | "command"> & Partial<StoredCommand>,
): StoredCommand {
  return { source: intake.api, epoch: "", state: "received", receivedAt: intake.now, error: null, ...fields };
}

/** @returns whether it was new */
function record(intake: Intake, command: StoredCommand, answer: Answer): boolean {
  const { store, now, log } = intake;
  const said = { command: command.id, type: command.type, state: answer.state };
  try {
    if (!store.insertCommand(command) && isSettled(store, command.id)) {
      answerAgain(intake, command.id);
      return false;
    }
    const event = commandStateEvent(command.id, answer.state, answer.error, answer.result);
    store.setCommandState(command.id, answer.state, answer.error, event, now);
    log.warn(said, answer.error?.message ?? "settled after the state was lost");
  } catch (error) {
    // It can't be written down, so it is not taken: answered once as refused, and not carried out.
    const refusal = { code: errorCode(error), message: errorText(error) };
    if (store.answerPending(intake.api, command.id)) return false;
    store.appendEvents([commandStateEvent(command.id, "refused", refusal)], now);
    log.warn({ ...said, code: refusal.code }, `refused: ${refusal.message}`);
  }
  return true;
}

/** Known but without an answer: the agent died right after it was written down, and is asked for it again. */
function isSettled(store: Store, id: string): boolean {
  const known = store.command(id);
  return known !== null && FINAL.has(known.state);
}

function answerAgain(intake: Intake, id: string): void {
  const known = intake.store.command(id);
  if (known === null || !FINAL.has(known.state) || intake.store.answerPending(intake.api, id)) return;
  intake.store.appendEvents([commandStateEvent(id, known.state, known.error)], intake.now);
}
