/**
 * What a control API says of itself, once. Configuration and its documents, scrubbing, the policy's words, enrolling,
 * leaving and what sentences call it follow from this; nothing outside its folder names it.
 */
import {
  flag,
  type KeyDeclaration,
  type SectionOf,
  type SectionProblem,
  seconds,
} from "../model/config-key.ts";
import type { ControlApi, ControlContext } from "./control-api.ts";

/** What every section of a control API has; the rest is its own. */
export interface ControlKeys extends Readonly<Record<string, KeyDeclaration>> {
  readonly enabled: ReturnType<typeof enabledKey>;
  /** The configuration's own wish; null: what the server says. */
  readonly interval_s: ReturnType<typeof seconds>;
}

/** What the rest of the configuration has for all of them. */
export interface ControlSurroundings {
  /** `agent.name`. */
  readonly agentName: string | null;
  readonly profile: "normal" | "metered";
}

export interface ControlDeclaration<Keys extends ControlKeys = ControlKeys> {
  /** `[a-z]{1,32}`: its section in the file, its word on the command line, in metrics, conditions and the policy. */
  readonly name: string;
  /** As sentences call it. */
  readonly title: string;
  readonly config: {
    readonly doc: string;
    readonly keys: Keys;
    /** Lines below `[name]` that make a node report: the first example of the documents. */
    readonly example: readonly string[];
  };
  /** What no key shows alone. Pure. */
  check(values: SectionOf<Keys>): readonly SectionProblem[];
  /** How its keys and tokens begin, at least four characters each; never shown by anything (model/text/scrub.ts). */
  readonly tokens: readonly string[];
  /** Its line in the shipped policy: what it may have done there, in words of the policy. */
  readonly policy: readonly string[];
  /** How this node comes to belong to it. */
  readonly enroll:
    | {
        /** What the key is, as whoever types it unseen is asked for it. */
        readonly key: string;
        /** A sentence on a key that is not the best one, before it is used; null: nothing to say. */
        caution(key: string): string | null;
      }
    /** Not by a key that is used once: a clause on what is done instead, and the next step. */
    | { readonly instead: string; readonly nextStep: string };
  /** What `leave` does to this node: "forgets its token and id". */
  readonly leave: string;
  open(values: SectionOf<Keys>, around: ControlSurroundings, context: ControlContext): ControlApi;
}

/** Keeps the types of its keys where it is written, and forgets them in the table. */
export function declareControlApi<const Keys extends ControlKeys>(
  declared: ControlDeclaration<Keys>,
): ControlDeclaration {
  return declared as unknown as ControlDeclaration;
}

/** The key `enabled`: on as soon as the section says anything. @param title as in the declaration */
export function enabledKey(title: string) {
  return {
    ...flag(true, `Whether to report to ${title}.`),
    fallback: null,
    absent: "true as soon as any other key of this section is set",
  };
}

/** The key `interval_s`. @param absent what holds without it */
export function intervalKey(absent: string) {
  return seconds(10, 86_400, absent, 60, "Pause between two rounds.");
}
