/** A command in one sentence, for `status` and `why`; its whole story is in story.ts. */

import { type CommandState, isFinal } from "../../model/command.ts";
import { printable } from "../../model/text/scrub.ts";
import type { CommandWire } from "../../sockets/wire/command-schemas.ts";
import { at, type Shown } from "../show/conditions.ts";
import { type Color, heldFor, relativeTime } from "../text/format.ts";
import { nextLine } from "../text/next-step.ts";
import { wrapText } from "../text/wrap.ts";

/** What a sentence says of a command in this state. */
const STATE_WORDS: Readonly<Record<CommandState, string>> = {
  received: "was received",
  accepted: "is accepted",
  waiting: "waits",
  running: "is being carried out",
  rebooting: "is rebooting this host",
  verifying: "is being verified",
  succeeded: "has succeeded",
  failed: "has failed",
  cancelled: "was cancelled",
  refused: "was refused",
  expired: "has expired",
  rehearsed: "was rehearsed",
};

export function stateColor(state: CommandState): Color {
  if (state === "succeeded" || state === "rehearsed") return "green";
  if (state === "failed" || state === "refused" || state === "expired") return "red";
  return state === "cancelled" ? "dim" : "yellow";
}

/** "reboot from local (ID) waits, for 3 min: Packages are being installed." and what to type; ends with a line break. */
export function commandSentence(command: CommandWire, shown: Shown): string {
  const { id, type, source, state, step, waiting, error, rehearsal, since } = command;
  const from = at(since ?? command.received_at);
  const long = `, ${isFinal(state) ? relativeTime(from, shown.now) : heldFor(from, shown.now)}`;
  const why = waiting?.text ?? rehearsal?.text ?? (error === null ? null : errorWords(command, error));
  const how = step === null || step === type ? "" : ` (${step})`;
  const next =
    waiting?.next_step ??
    error?.next_step ??
    rehearsal?.next_step ??
    (why === null ? `foundry-agent commands ${id}` : null);
  const sentence = `${type} from ${source} (${id}) ${STATE_WORDS[state]}${how}${long}${why === null ? "." : `: ${why}`}`;
  const line = wrapText(printable(sentence), shown.width, 0);
  return `${line}\n${next === null ? "" : `${printable(nextLine(next, shown.socket))}\n`}`;
}

function errorWords({ state }: CommandWire, { message, code }: NonNullable<CommandWire["error"]>): string {
  return state === code ? message : `${message} (${code})`;
}
