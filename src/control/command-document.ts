/**
 * Commands as our agent API and signed files write them (docs/agent-api.openapi.json), one by one: what can't be read
 * is answered, never executed, and hides no other.
 */
import * as v from "valibot";
import type { Command } from "../model/command.ts";
import { AgentError } from "../model/errors.ts";
import { signedTextOf } from "../model/signed-text.ts";
import { printable } from "../model/text/scrub.ts";
import type { OpenCommand, RejectedCommand } from "./control-api.ts";
import { id, text, time } from "./wire-atoms.ts";

export const OpenCommandWire = v.object({
  id,
  type: text(64),
  state: v.picklist(["received", "accepted", "waiting", "running", "rebooting", "verifying"]),
  from_boot_id: v.nullish(text(128), null),
});

const CommandWire = v.object({
  id,
  node_id: text(64),
  /** Anything that is not `live` is test. */
  mode: v.string(),
  type: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/, "no name of a command type")),
  params: v.record(v.string(), v.unknown()),
  operation_id: v.nullish(text(64), null),
  epoch: text(64),
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  issued_at: time,
  expires_at: time,
  signature: v.nullish(text(1000), null),
});

const MAX_COMMANDS = 100;
const MAX_PARAMS_CHARACTERS = 64 * 1024;
/** Of lists and objects in each other; what is deeper can't even be measured, or written down. */
const MAX_DEPTH = 16;

export interface ParsedCommands {
  readonly commands: readonly Command[];
  /** Unreadable, with an id to answer to. */
  readonly rejected: readonly RejectedCommand[];
  /** For another node: ids. Not answered, since this node has no say in them. */
  readonly foreign: readonly string[];
  /** Unreadable and without an id. */
  readonly nameless: number;
}

/** For whom commands are read. */
export interface Addressee {
  readonly nodeId: string;
  /** Of this node: test makes every command a test. */
  readonly mode: "live" | "test";
  /** Where they come from: a control API's name, or `local`. */
  readonly source: string;
}

/** @param raw of which only the first hundred are looked at */
export function parseCommands(raw: readonly unknown[], addressee: Addressee): ParsedCommands {
  const { nodeId } = addressee;
  const commands = new Map<string, Command>();
  const rejected = new Map<string, RejectedCommand>();
  const foreign: string[] = [];
  let nameless = 0;
  for (const item of raw.slice(0, MAX_COMMANDS)) {
    const id = idOf(item);
    if (isDeeper(item, MAX_DEPTH)) {
      if (id === null) nameless += 1;
      else if (nodeOf(item) !== null && nodeOf(item) !== nodeId) foreign.push(id);
      else rejected.set(id, { id, code: "malformed", message: `nested deeper than ${MAX_DEPTH}` });
      continue;
    }
    const parsed = v.safeParse(CommandWire, item);
    if (id !== null && nodeOf(item) !== null && nodeOf(item) !== nodeId) foreign.push(id);
    else if (!parsed.success) {
      if (id === null) nameless += 1;
      else rejected.set(id, { id, code: "malformed", message: problem(parsed.issues[0]) });
    } else if (JSON.stringify(parsed.output.params).length > MAX_PARAMS_CHARACTERS) {
      rejected.set(parsed.output.id, {
        id: parsed.output.id,
        code: "malformed",
        message: `params are longer than ${MAX_PARAMS_CHARACTERS} characters`,
      });
    } else if (!commands.has(parsed.output.id)) {
      const signed = signedText(item, parsed.output.signature);
      if (signed instanceof AgentError)
        rejected.set(parsed.output.id, { id: parsed.output.id, code: "malformed", message: signed.message });
      else commands.set(parsed.output.id, toCommand(parsed.output, addressee, signed));
    }
  }
  return { commands: [...commands.values()], rejected: [...rejected.values()], foreign, nameless };
}

/** Those that can be read; `raw` comes from a registration's answer. */
export function parseOpenCommands(raw: readonly unknown[]): OpenCommand[] {
  const found: OpenCommand[] = [];
  for (const item of raw.slice(0, MAX_COMMANDS)) {
    const parsed = v.safeParse(OpenCommandWire, item);
    if (!parsed.success) continue;
    const { id, type, state, from_boot_id: fromBootId } = parsed.output;
    found.push({ id, type, state, fromBootId });
  }
  return found;
}

function toCommand(
  wire: v.InferOutput<typeof CommandWire>,
  { mode, source }: Addressee,
  signedText: string | null,
): Command {
  return {
    id: wire.id,
    source,
    nodeId: wire.node_id,
    mode: wire.mode === "live" && mode === "live" ? "live" : "test",
    type: wire.type,
    params: wire.params,
    operationId: wire.operation_id,
    epoch: wire.epoch,
    seq: wire.seq,
    issuedAt: wire.issued_at,
    expiresAt: wire.expires_at,
    signature: wire.signature,
    signedText,
  };
}

/** Of the item as it came, with the fields that are unknown here: they are under the signature too. */
function signedText(item: unknown, signature: string | null): string | null | AgentError {
  if (signature === null) return null;
  try {
    return signedTextOf(item as Readonly<Record<string, unknown>>);
  } catch (error) {
    if (error instanceof AgentError) return error;
    throw error;
  }
}

/** Goes no deeper than `most` itself. */
function isDeeper(value: unknown, most: number): boolean {
  if (value === null || typeof value !== "object") return false;
  return most === 0 || Object.values(value).some((inner) => isDeeper(inner, most - 1));
}

function idOf(item: unknown): string | null {
  const found = v.safeParse(v.object({ id: CommandWire.entries.id }), item);
  return found.success ? found.output.id : null;
}

function nodeOf(item: unknown): string | null {
  const found = v.safeParse(v.object({ node_id: CommandWire.entries.node_id }), item);
  return found.success ? found.output.node_id : null;
}

function problem(issue: v.BaseIssue<unknown>): string {
  return printable(`${v.getDotPath(issue) ?? "command"}: ${issue.message}`).slice(0, 200);
}
