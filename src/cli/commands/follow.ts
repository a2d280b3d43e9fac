/** Follows a command on the terminal until it is over, the host goes down, or somebody has seen enough. */

import { isFinal } from "../../model/command.ts";
import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import type { CommandWire, HistoryWire } from "../../sockets/wire/command-schemas.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { at, shownFor } from "../show/conditions.ts";
import type { Client } from "../socket/client.ts";
import { paint } from "../text/format.ts";
import { nextLine, nextStepHere } from "../text/next-step.ts";
import { timeCell } from "../text/time.ts";
import { pause } from "../text/watch.ts";
import { stateColor } from "./text.ts";

export const POLL_MS = 1_000;

export interface FollowOptions {
  readonly socket: unknown;
  /** Only the last answer, as JSON. */
  readonly json: boolean;
  readonly pollMs: number;
}

/**
 * @returns the exit code: of its end, or ok where the host goes down or Ctrl-C was typed; and the command as it was last
 * seen, with its result where it is over. @throws AgentError `daemon_unreachable`
 */
export async function followCommand(
  client: Client,
  first: CommandWire,
  { socket, json, pollMs }: FollowOptions,
  io: Io,
): Promise<{ readonly code: number; readonly command: CommandWire }> {
  const say = (text: string): void => (json ? io.stderr(text) : io.stdout(text));
  const later = nextStepHere(`foundry-agent commands ${first.id}`, socket);
  let command = first;
  let told = 0;
  if (!json) io.stdout(`Taken as ${printable(first.id)}; times are UTC.\n`);
  while (true) {
    const { history = [] } = command;
    if (!json) for (const entry of history.slice(told)) io.stdout(entryLine(entry, io));
    told = history.length;
    if (isFinal(command.state)) break;
    await pause(pollMs, io.signal);
    if (io.signal.aborted) {
      const cancel = nextStepHere(`foundry-agent commands cancel ${first.id}`, socket);
      io.stderr(`\nThe command goes on without being watched. To cancel it: ${printable(cancel)}\n`);
      return { code: EXIT.ok, command };
    }
    try {
      command = await client.get("/v1/commands/{id}", { params: { id: first.id } });
    } catch (error) {
      if (io.signal.aborted) continue;
      if (!(error instanceof AgentError) || error.code !== "daemon_unreachable") throw error;
      if (!isGoingDown(command))
        throw new AgentError(error.code, `${error.message}; the command stays in its journal`, later);
      say(`The host is going down, and the connection with it. After the boot: ${printable(later)}\n`);
      if (json) printJson(io, command);
      return { code: EXIT.ok, command };
    }
  }
  if (json) printJson(io, command);
  const next = command.error?.next_step ?? null;
  if (!json && next !== null) io.stdout(`${printable(nextLine(next, shownFor(io, socket).socket))}\n`);
  return { code: exitOf(command), command };
}

export function exitOf({ state }: Pick<CommandWire, "state">): number {
  if (state === "refused") return EXIT.refused;
  return state === "failed" || state === "cancelled" || state === "expired" ? EXIT.failed : EXIT.ok;
}

/** From its last step on the agent may be ended at any moment, with all other services. */
function isGoingDown({ state, step }: CommandWire): boolean {
  return state === "rebooting" || (state === "running" && step === "reboot");
}

function entryLine({ at: time, state, text }: HistoryWire, io: Io): string {
  return `${timeCell(at(time))}  ${paint(state.padEnd(9), stateColor(state), io.color)}  ${printable(text)}\n`;
}
