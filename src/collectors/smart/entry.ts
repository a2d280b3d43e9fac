/**
 * One drive of the section out of what came of asking it in this round, what it said before and what is
 * remembered of it. Pure.
 */

import { TYPE_NOT_PASSED_ON } from "../../helper/smart/device.ts";
import type { AgentError } from "../../model/errors.ts";
import type { SmartFacts, SmartReason, SmartVerdict } from "../../model/smart.ts";
import { sentence } from "../../model/text/sentence.ts";
import { type Ack, acknowledged } from "./acks/acks.ts";
import type { SmartTrend } from "./history.ts";
import { isHang, type SmartOutcome } from "./rounds/ask.ts";
import type { SmartIdentity } from "./rounds/identity.ts";
import type { SmartWay } from "./rounds/ways.ts";
import type { SmartDrive, SmartLastVerdict } from "./schema.ts";
import { copied, shownFacts } from "./shown.ts";
import { smartVerdict, unknownVerdict } from "./verdict/verdict.ts";

/** What a drive said last, for as long as the agent runs. */
export interface SmartKept {
  readonly facts: SmartFacts;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly trend: SmartTrend | null;
  readonly verdict: SmartVerdict;
}

export interface SmartSeen {
  readonly id: string;
  readonly identity: SmartIdentity;
  /** The one that was asked stands first. */
  readonly ways: readonly [SmartWay, ...SmartWay[]];
  /** null: not asked, or no answer yet. */
  readonly outcome: SmartOutcome | null;
  readonly quarantined: boolean;
  readonly hangs: number;
  readonly kept: SmartKept | null;
  readonly trend: SmartTrend | null;
  readonly lastVerdict: SmartLastVerdict | null;
  /** What somebody has said to be known of it. */
  readonly ack: Ack | null;
  /** When the round began; an answer from before it has its time said. */
  readonly since: number;
}

type State = SmartDrive["state"];

/** Whether the drive told anything of itself; one that could not be opened did not. */
export function hasData(facts: SmartFacts): boolean {
  const { serial, model, passed, attributes, nvme } = facts;
  return serial !== null || model !== null || passed !== null || attributes.length > 0 || nvme !== null;
}

export function driveEntry(seen: SmartSeen): SmartDrive {
  const { state, verdict: found } = judged(seen);
  const [way] = seen.ways;
  const fresh = state === "answered" && seen.outcome?.facts != null && hasData(seen.outcome.facts);
  const facts = fresh ? seen.outcome.facts : (seen.kept?.facts ?? null);
  const at = fresh ? seen.outcome.at : (seen.kept?.at ?? null);
  const verdict = acknowledged(found, facts, seen.ack);
  const trend = fresh ? seen.trend : (seen.kept?.trend ?? null);
  return {
    id: seen.id,
    device: way.label,
    serial: seen.identity.serial ?? seen.kept?.facts.serial ?? null,
    model: seen.identity.model ?? seen.kept?.facts.model ?? null,
    paths: seen.ways.map(({ device, type }) => ({ device, type })),
    state,
    smart_ok: verdict.smart_ok,
    severity: verdict.severity,
    reasons: copied(verdict.reasons),
    last_verdict: lastVerdict(verdict, seen, facts),
    acknowledged: seen.ack === null ? null : shownAck(seen.ack),
    hangs: seen.hangs,
    values_at: at === null || (fresh && at >= seen.since) ? null : new Date(at).toISOString(),
    trend: trend === null ? null : { ...trend },
    facts: facts === null ? null : shownFacts(facts),
  };
}

/** A drive that could not be asked because nobody could. */
export function silenced(drive: SmartDrive, error: AgentError, at: number | null): SmartDrive {
  const verdict = unknownVerdict({ code: error.code, detail: error.message });
  return {
    ...drive,
    ...verdict,
    reasons: [...verdict.reasons],
    state: "failed",
    values_at: at === null ? null : new Date(at).toISOString(),
  };
}

function judged({ ways, outcome, quarantined, kept, trend, lastVerdict: before }: SmartSeen): {
  state: State;
  verdict: SmartVerdict;
} {
  const [way] = ways;
  if (outcome?.facts != null) {
    const state = outcome.facts.asleep ? "asleep" : "answered";
    const verdict = smartVerdict(outcome.facts, trend ?? undefined);
    return { state, verdict: takesBackNothing(verdict, before) };
  }
  if (outcome?.error != null) {
    const { error } = outcome;
    const state = quarantined ? "quarantined" : isHang(error) ? "hangs" : "failed";
    return { state, verdict: unknownVerdict({ code: error.code, detail: sentence(error.message) }) };
  }
  if (way.openError !== null) return { state: "failed", verdict: unknownVerdict(openProblem(way.openError)) };
  if (quarantined) {
    const detail = "The drive did not answer several times and is left alone for a day.";
    return { state: "quarantined", verdict: unknownVerdict({ code: "quarantined", detail }) };
  }
  const detail = "The drive has not answered yet.";
  return { state: "pending", verdict: kept?.verdict ?? unknownVerdict({ code: "pending", detail }) };
}

/** A drive that said that it fails, and now says nothing of itself, has not recovered because its counters look well. */
function takesBackNothing(verdict: SmartVerdict, before: SmartLastVerdict | null): SmartVerdict {
  const isSilent = verdict.reasons.some(({ code }) => code === "no_own_verdict");
  const didFail = before?.reasons.some(({ code }) => code === "smart_failed" || code === "failure_predicted");
  if (!isSilent || didFail !== true || verdict.severity === "fail") return verdict;
  return { ...verdict, smart_ok: null, severity: "unknown" };
}

/** The verdict itself where it is one, with since when it holds; else the one before. */
function lastVerdict(
  { severity, reasons }: SmartVerdict,
  seen: SmartSeen,
  facts: SmartFacts | null,
): SmartLastVerdict | null {
  if (severity === "unknown" || severity === "asleep") return standing(seen, facts);
  const since =
    seen.lastVerdict?.severity === severity ? seen.lastVerdict.since : new Date(seen.since).toISOString();
  return { severity, reasons: copied(reasons), since };
}

/** The one before, by what is accepted today. */
function standing(
  { lastVerdict: before, ack }: SmartSeen,
  facts: SmartFacts | null,
): SmartLastVerdict | null {
  if (before === null) return null;
  const now = acknowledged(
    { smart_ok: null, severity: before.severity, reasons: before.reasons },
    facts,
    ack,
  );
  return { ...before, severity: now.severity as SmartLastVerdict["severity"], reasons: copied(now.reasons) };
}

function shownAck({ by, at, note, reasons }: Ack): NonNullable<SmartDrive["acknowledged"]> {
  return { by, at, note, reasons: [...new Set(reasons.map(({ code }) => code))] };
}

function openProblem(text: string): SmartReason {
  if (/permission denied|operation not permitted/i.test(text))
    return { code: "no_permission", detail: `smartctl may not open the drive: ${text}.` };
  const type = TYPE_NOT_PASSED_ON.exec(text)?.[1];
  if (type !== undefined)
    return {
      code: "type_not_passed_on",
      detail: `smartctl lists the drive with the type ${type}, which the agent does not know and so does not pass on.`,
    };
  if (/unknown usb bridge|device type/i.test(text))
    return { code: "type_unknown", detail: `smartctl does not know how to talk to the drive: ${text}.` };
  return { code: "open_failed", detail: `The drive could not be opened: ${text}.` };
}
