/** Words that the gates' sentences share. */
import type { Why } from "../../model/command.ts";
import { printable } from "../../model/text/scrub.ts";
import { clause, ended, plural } from "../../model/text/sentence.ts";
import type { GateVerdict } from "./gate.ts";

/** What a gate that does not simply let through has found. */
export interface Stop {
  readonly verdict: "wait" | "refuse" | "pass";
  /** Where it is for real: in the present. */
  readonly why: Why;
  /** As in GateVerdict: where nothing is done. */
  readonly would: string | null;
}

/** @param whatFor what it waits for, as in "it would wait for …" */
export function wait(code: string, text: string, nextStep: string | null, whatFor: string): Stop {
  return { verdict: "wait", why: { code, text, nextStep }, would: whatFor };
}

export function refuse(code: string, text: string, nextStep: string | null): Stop {
  return { verdict: "refuse", why: { code, text, nextStep }, would: null };
}

/** It lets through, and says something all the same. @param would as in "it would …", where `text` is no such sentence */
export function note(code: string, text: string, would: string | null = null): Stop {
  return { verdict: "pass", why: { code, text, nextStep: null }, would };
}

/** What a gate says where nothing is done (a rehearsal, a dry run): in the conditional. Null: it says nothing. */
export function conditional({ verdict, why, would }: Omit<GateVerdict, "gate">): string | null {
  if (would == null) return why?.text ?? null;
  return ended(verdict === "wait" ? `It would wait for ${would}` : `It would ${would}`);
}

/** "a, b and c" */
export function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** `45 seconds`, `3 minutes`, `2 hours`, `4 days`: rounded up, so that nobody is told too short a wait. */
export function duration(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 120) return plural(seconds, "second");
  if (seconds < 120 * 60) return plural(Math.ceil(seconds / 60), "minute");
  const hours = Math.ceil(seconds / 3600);
  return hours < 72 ? plural(hours, "hour") : plural(Math.ceil(hours / 24), "day");
}

/** `2026-11-21 22:00 UTC`, to the second where that matters; without the zones of ICU. */
export function utc(at: number, to: "minute" | "second" = "minute"): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime())
    ? "an unknown time"
    : `${date
        .toISOString()
        .slice(0, to === "minute" ? 16 : 19)
        .replace("T", " ")} UTC`;
}

/** Somebody else's words within a sentence: printable, cut, without a full stop of their own. */
export function words(text: string, max = 200): string {
  return clause(printable(text).trim().slice(0, max));
}

/** `a, b and 3 more` */
export function some(names: readonly string[], most = 3): string {
  const shown = names
    .slice(0, most)
    .map((name) => words(name))
    .join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
