/**
 * Handlers of /v1/commands, /v1/hold and /v1/release (routes.ts). What is asked for here goes through the same
 * journal as what comes over the network; all but looking is answered on control.sock only.
 */
import * as v from "valibot";
import type { LocalRequest } from "../../commands/executor/types.ts";
import { decide } from "../../commands/gates/gates.ts";
import { COMMAND_TYPES } from "../../commands/index.ts";
import { testStep } from "../../commands/mode-advice.ts";
import { parseCommands } from "../../control/command-document.ts";
import type { Command } from "../../model/command.ts";
import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import type { AgentView } from "../agent-view.ts";
import { commandWire, dryRunWire, holdWire, wholeCommandWire } from "../wire/command.ts";
import type { CommandWire, HoldWire, ReleaseWire, SubmittedWire } from "../wire/command-schemas.ts";
import type { DoneWire } from "../wire/schemas.ts";
import { numberOf } from "./reads.ts";
import type { Call, Data, RouteContext } from "./route.ts";

const COMMANDS_MAX = 1_000;
const HOLD_MAX_S = 30 * 86_400;
const HELP = "foundry-agent commands --help";

/** Characters. */
const REASON_MAX = 500;
const reason = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(REASON_MAX), v.transform(printable));

/** Body of POST /v1/commands: a type, or a whole command that was signed elsewhere. */
export const submitBody = v.strictObject({
  type: v.pipe(v.optional(v.pipe(v.string(), v.maxLength(64))), v.description("What is to be done")),
  params: v.optional(v.record(v.string(), v.unknown())),
  mode: v.pipe(
    v.optional(v.picklist(["live", "test"])),
    v.description("live without it; test touches nothing"),
  ),
  command: v.pipe(
    v.optional(v.record(v.string(), v.unknown())),
    v.description("Instead of type, params and mode: what foundry-agent commands sign prints"),
  ),
  reason: v.pipe(v.optional(reason), v.description("Why, in the words of who asks; kept with it")),
  dry_run: v.pipe(v.optional(v.boolean()), v.description("Only say what stands in the way")),
});

/** Body of POST /v1/hold. */
export const holdBody = v.strictObject({
  reason: v.pipe(reason, v.description("Why; who looks at the node reads it")),
  for_s: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(HOLD_MAX_S))),
    v.description("Seconds until it ends by itself; without it until it is released"),
  ),
});

export function readCommands({ view, texts }: RouteContext, { socket, query }: Call): Data<CommandWire[]> {
  const rows = view.commands(numberOf(query, "limit", 100, COMMANDS_MAX));
  if (socket === "control") return { data: rows.map((row) => wholeCommandWire(row, [])) };
  return { data: texts.hide(rows.map(commandWire)) };
}

export function readCommand({ view, texts }: RouteContext, { socket, params }: Call): Data<CommandWire> {
  const row = view.command(params.id ?? "");
  if (row === null)
    throw new AgentError(
      "no_such_command",
      `no command with the id "${printable(params.id ?? "").slice(0, 128)}" is known`,
      "foundry-agent commands",
    );
  if (socket === "control") return { data: wholeCommandWire(row, view.commandHistory(row.id)) };
  return { data: texts.hide(commandWire(row)) };
}

export async function submitCommand({ view }: RouteContext, call: Call): Promise<Data<SubmittedWire>> {
  const body = v.safeParse(submitBody, call.body);
  const given = body.success ? body.output : null;
  // A list is a record to valibot.
  if (given === null || hasList(call.body) || (given.type === undefined) === (given.command === undefined))
    throw new AgentError(
      "bad_request",
      `expected {"type": "reboot"} and, if wished, "params", "mode", "reason" (at most ${REASON_MAX} characters) and "dry_run", or {"command": {…}} with a signed one`,
      HELP,
    );
  if (given.command !== undefined && (given.params !== undefined || given.mode !== undefined))
    throw new AgentError("bad_request", "a signed command has its own params and mode", HELP);
  const signed = given.command === undefined ? null : signedCommand(given.command);
  const request: LocalRequest = {
    type: signed?.type ?? given.type ?? "",
    params: signed?.params ?? given.params ?? {},
    mode: signed?.mode ?? given.mode ?? "live",
    reason: given.reason ?? null,
    by: call.caller,
    signed,
  };
  if (given.dry_run === true) {
    // It touches nothing; that this node's key lets nothing be touched is one of its gates.
    const gates = await view.dryRunCommand(request);
    return { data: dryRunWire(decide(gates).verdict, gates) };
  }
  mayBeLive(view, request);
  const { asked } = view.submitCommand(request);
  const row = view.command(asked.id);
  if (row === null)
    throw new AgentError(
      "no_such_command",
      `the command ${asked.id} is gone again`,
      "foundry-agent commands",
    );
  return { data: wholeCommandWire(row, view.commandHistory(row.id)) };
}

export function cancelCommand({ view }: RouteContext, { params, caller }: Call): Data<CommandWire> {
  const { asked } = view.cancelCommand(params.id ?? "", caller.name);
  const row = view.command(asked.id);
  if (row === null)
    throw new AgentError("no_such_command", `the command ${asked.id} is gone`, "foundry-agent commands");
  return { data: wholeCommandWire(row, view.commandHistory(row.id)) };
}

export function ackCommand({ view }: RouteContext, { params, caller }: Call): Data<DoneWire> {
  view.ackReboot(params.id ?? "", caller.name);
  return { data: { done: true } };
}

export function hold({ view, now }: RouteContext, { body, caller }: Call): Data<HoldWire> {
  const parsed = v.safeParse(holdBody, body);
  if (!parsed.success)
    throw new AgentError(
      "bad_request",
      `expected {"reason": "…"} (at most ${REASON_MAX} characters) and, if wished, "for_s" from 1 to ${HOLD_MAX_S}`,
      "foundry-agent hold --help",
    );
  const { reason: why, for_s: forS } = parsed.output;
  const until = forS === undefined ? null : now() + forS * 1_000;
  return { data: holdWire(view.hold({ reason: why, by: caller.name, until })) };
}

export function release({ view }: RouteContext, { caller }: Call): Data<ReleaseWire> {
  const released = view.release(caller.name);
  return { data: { released: released === null ? null : holdWire(released) } };
}

function hasList(body: unknown): boolean {
  const { params, command } = (body ?? {}) as { params?: unknown; command?: unknown };
  return Array.isArray(params) || Array.isArray(command);
}

/** As it would be read from a control API, whichever node it is for: whether it is for this one its signature decides. */
function signedCommand(given: Readonly<Record<string, unknown>>): Command {
  const node = typeof given.node_id === "string" ? given.node_id : "";
  const { commands, rejected } = parseCommands([given], { nodeId: node, mode: "live", source: "local" });
  const [command] = commands;
  if (command !== undefined) return command;
  throw new AgentError(
    "malformed",
    `this is no command (${rejected[0]?.message ?? "it has no usable id"})`,
    "foundry-agent commands sign --help",
  );
}

/** A node that is registered with a test key, or only looked at, touches no hardware whoever asks. */
function mayBeLive(view: AgentView, { type, mode, signed }: LocalRequest): void {
  if (mode !== "live" || COMMAND_TYPES.find((one) => one.type === type)?.needs.hardware !== true) return;
  const node = view.status().mode;
  if (node !== "test" && node !== "read-only") return;
  throw new AgentError(
    "refused_mode",
    node === "test"
      ? "this node is registered with a test key, so hardware is not touched"
      : "this node's key only reads, so hardware is not touched",
    testStep(type, signed !== null),
  );
}
