/** Whether a command that arrived is one to be carried out at all. Pure: what it needs to know is handed in. */
import * as v from "valibot";
import type { Policy } from "../../../helper/policy/policy.ts";
import { allowedTo, isPolicyWord } from "../../../helper/policy/words.ts";
import type { Command, Why } from "../../../model/command.ts";
import { printable } from "../../../model/text/scrub.ts";
import { nearest } from "../../../model/text/suggest.ts";
import type { AnyCommandType } from "../../command-type.ts";
import type { KnownTime } from "../../gates/gate.ts";
import { FUTURE_MS } from "../../gates/may-leave.ts";
import { MAX_WAITING, tooManyWaiting } from "../../quota/limits.ts";
import type { Progress } from "../../record.ts";

export interface Situation {
  readonly types: ReadonlyMap<string, AnyCommandType>;
  readonly time: KnownTime;
  /** The highest number of what was taken of this source and epoch and issued no earlier; null: none. */
  readonly lastSeq: number | null;
  readonly unfinished: number;
  /** What is wrong with its signature, where the policy wants one. */
  readonly signature: Why | null;
}

/** Why it is refused at once, or null: accepted. The code `expired` makes it expired. */
export function refusal(
  command: Command,
  { types, time, lastSeq, unfinished, signature }: Situation,
): Why | null {
  const type = types.get(command.type);
  if (type === undefined) return unsupported(command.type, [...types.keys()]);
  // An array passes for an object without keys.
  const params = v.safeParse(type.params, Array.isArray(command.params) ? null : command.params);
  if (!params.success) return badParams(command.type, type.params, params.issues[0]);
  if (command.expiresAt !== null && time.atLeast !== null && time.atLeast >= command.expiresAt)
    return {
      code: "expired",
      text: `It expired at ${new Date(command.expiresAt).toISOString()}, before it arrived.`,
      nextStep: "ask for it again if it is still wanted",
    };
  if (
    command.issuedAt !== null &&
    time.exact &&
    time.atLeast !== null &&
    command.issuedAt > time.atLeast + FUTURE_MS
  )
    return {
      code: "from_the_future",
      text: `It says it was issued at ${new Date(command.issuedAt).toISOString()}, which has not come yet by the server's own clock.`,
      nextStep: "look at the clock of whoever issues commands",
    };
  if (lastSeq !== null && command.seq < lastSeq)
    return {
      code: "out_of_order",
      text: `A later command (number ${lastSeq}) of the same source was taken before this one (number ${command.seq}).`,
      nextStep: "ask for it again if it is still wanted",
    };
  // No trusted time yet is a reason to wait, which a gate says.
  if (signature !== null && signature.code !== "no_trusted_time") return signature;
  // A server that sends more has lost its mind, or it is not the server.
  return unfinished >= MAX_WAITING ? tooManyWaiting(unfinished) : null;
}

/** Whether the policy would let it be done: the ones that are still looked at when most of a source is refused. */
export function isPromising({ source, type, mode }: Command, policy: Policy | null): boolean {
  // Without a policy nothing but a test is carried out for the network.
  if (policy === null) return mode === "test";
  const goesOn = policy.remote === "on" || (policy.remote === "rehearse" && mode === "test");
  return goesOn && (!isPolicyWord(type) || allowedTo(policy.allow, source).includes(type));
}

/** Brought here by hand, and meant for another node than `own`: whether the policy asks for signatures or not. */
export function foreign(signed: Command, own: string | null): Why | null {
  if (own === null || signed.nodeId === own) return null;
  const text = `It was made for the node ${printable(signed.nodeId).slice(0, 64)}, and this is ${own}.`;
  return { code: "foreign", text, nextStep: "foundry-agent commands sign --help  # --node names the node" };
}

/** The first state of a command. @param why null: accepted */
export function firstProgress(why: Why | null, at: number, notBefore: Progress["notBefore"]): Progress {
  return {
    state: why === null ? "accepted" : why.code === "expired" ? "expired" : "refused",
    since: at,
    why,
    notBefore,
    step: null,
    result: {},
    reboot: null,
    cancelledBy: null,
  };
}

function unsupported(type: string, known: readonly string[]): Why {
  const meant = nearest(type, known);
  const name = printable(type).slice(0, 64);
  return {
    code: "unsupported",
    text: `This version of the agent does not carry out "${name}"${meant === null ? "" : ` (did you mean ${meant}?)`}.`,
    nextStep: `ask for one of ${known.join(", ")}`,
  };
}

function badParams(type: string, schema: v.GenericSchema, issue: v.BaseIssue<unknown>): Why {
  const known = "entries" in schema ? Object.keys(schema.entries as object) : [];
  const place = printable(v.getDotPath(issue) ?? "").slice(0, 64);
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  const expected = issue.expected === null ? issue.message : `expected ${issue.expected}`;
  return {
    code: "bad_params",
    text: unknown
      ? `${type} has no parameter ${place}.`
      : `${type}: ${place === "" ? "the parameters are" : `the parameter ${place} is`} not as it should be (${printable(expected).slice(0, 200)}).`,
    nextStep: known.length === 0 ? null : `${type} takes ${known.join(", ")}`,
  };
}
