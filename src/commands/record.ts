/** What the journal keeps of one command: what was asked, which never changes, and how far it came. */
import * as v from "valibot";
import { COMMAND_STATES, type Command, type CommandState, type Why } from "../model/command.ts";
import { type Tally, tally, tallySchema } from "./after-boot/compare.ts";
import { type Picture, pictureSchema } from "./after-boot/picture.ts";

/** A command as it was accepted, with what was known at that moment. */
export interface Asked extends Command {
  /** Wall clock, milliseconds. */
  readonly receivedAt: number;
  /** Of a local one: who asked, as the kernel says. */
  readonly by: { readonly uid: number; readonly name: string } | null;
  /** In the words of who asked; printable and cut. */
  readonly reason: string | null;
}

/** What is on the disk before the host is asked to go down. Uptimes are those of the boot `fromBootId`. */
export interface RebootIntent {
  readonly method: "graceful" | "hard";
  readonly fromBootId: string;
  /** After this nobody begins the reboot any more, milliseconds of uptime. */
  readonly callDeadlineMs: number;
  /** Until then the host is expected to be gone, milliseconds of uptime. */
  readonly deadlineMs: number;
  readonly attempt: number;
  /** What the helper said, as far as this process lived to hear it. */
  readonly answer: "none" | "taken" | "unknown";
  /** CLOCK_MONOTONIC when it was meant, milliseconds: a userspace that began later is one of a soft-reboot. */
  readonly monotonicMs: number | null;
  /** What worked before it; null: nothing was noted, so nothing is looked for afterwards, or it is over. */
  readonly before: Picture | null;
  /** Until when the node is looked at after the boot `bootId`, milliseconds of its uptime. */
  readonly lookUntil: { readonly bootId: string; readonly uptimeMs: number } | null;
  /** What is left of the look when it is over: how many of each kind, and what is worse. */
  readonly tally: readonly Tally[] | null;
}

export interface Progress {
  readonly state: CommandState;
  /** When it came into this state; wall clock, milliseconds. */
  readonly since: number;
  /** Why it waits, or why it ended as it did; null where there is nothing to explain. */
  readonly why: Why | null;
  /** Not before this uptime of that boot, milliseconds: grace and splay. */
  readonly notBefore: { readonly bootId: string; readonly uptimeMs: number } | null;
  /** Name of the step that is being done. */
  readonly step: string | null;
  /** What the steps done so far gave. */
  readonly result: Readonly<Record<string, unknown>>;
  readonly reboot: RebootIntent | null;
  /** Somebody wants it cancelled; carried out at the next point where that is possible. */
  readonly cancelledBy: string | null;
}

export interface CommandRecord {
  readonly asked: Asked;
  readonly progress: Progress;
}

/** One line of `foundry-agent commands ID`. */
export interface HistoryEntry {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly state: CommandState;
  readonly step: string | null;
  /** One sentence. */
  readonly text: string;
}

/** A change that has to be taken back when its command is over, whatever came of it. */
export interface Undo {
  readonly number: number;
  readonly commandId: string;
  /** Which of the executor's undo actions: `noout`. */
  readonly kind: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Also taken back by then if its command is still not over; uptime does not matter, wall clock, milliseconds. */
  readonly until: number;
  /** Wall clock, milliseconds. */
  readonly since: number;
  readonly tries: number;
  readonly lastError: string | null;
}

/** As it is kept when it is over: hundreds of items are for nobody then. */
export function withoutPictures<I extends { before: Picture | null; tally: readonly Tally[] | null }>(
  intent: I,
  after: Picture | null,
): I {
  return intent.before === null ? intent : { ...intent, before: null, tally: tally(intent.before, after) };
}

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const whySchema = v.object({ code: text(100), text: text(4_000), nextStep: v.nullable(text(1_000)) });
const count = v.pipe(v.number(), v.finite());
const fields = v.record(v.string(), v.unknown());

const askedSchema = v.object({
  id: text(128),
  source: text(64),
  nodeId: text(128),
  mode: v.picklist(["live", "test"]),
  type: text(64),
  params: fields,
  operationId: v.nullable(text(128)),
  epoch: text(128),
  seq: count,
  issuedAt: v.nullable(count),
  expiresAt: v.nullable(count),
  signature: v.nullable(text(1_000)),
  signedText: v.nullable(text(64 * 1024)),
  receivedAt: count,
  by: v.nullable(v.object({ uid: count, name: text(256) })),
  reason: v.nullable(text(1_000)),
});

const progressSchema = v.object({
  state: v.picklist(COMMAND_STATES),
  since: count,
  why: v.nullable(whySchema),
  notBefore: v.nullable(v.object({ bootId: text(64), uptimeMs: count })),
  step: v.nullable(text(64)),
  result: fields,
  reboot: v.nullable(
    v.pipe(
      v.object({
        method: v.picklist(["graceful", "hard"]),
        fromBootId: text(64),
        callDeadlineMs: count,
        deadlineMs: count,
        attempt: count,
        answer: v.picklist(["none", "taken", "unknown"]),
        // Records of earlier versions have none of these, or both pictures; one that can't be read must not lose the reboot.
        monotonicMs: v.optional(v.nullable(count), null),
        before: v.fallback(v.optional(v.nullable(pictureSchema), null), null),
        lookUntil: v.optional(v.nullable(v.object({ bootId: text(64), uptimeMs: count })), null),
        after: v.fallback(v.optional(v.nullable(pictureSchema), null), null),
        tally: v.fallback(v.optional(v.nullable(tallySchema), null), null),
      }),
      v.transform(({ after, ...intent }) => (after === null ? intent : withoutPictures(intent, after))),
    ),
  ),
  cancelledBy: v.nullable(text(256)),
});

/** Both texts as the journal has them; null when either can't be read: then it is never carried out. */
export function parseRecord(asked: string, progress: string | null): CommandRecord | null {
  if (progress === null) return null;
  try {
    const parsedAsked = v.safeParse(askedSchema, JSON.parse(asked));
    const parsedProgress = v.safeParse(progressSchema, JSON.parse(progress));
    if (!parsedAsked.success || !parsedProgress.success) return null;
    // In this state the intent is what decides whether the host may go down again.
    if (parsedProgress.output.state === "rebooting" && parsedProgress.output.reboot === null) return null;
    return { asked: parsedAsked.output, progress: asNow(parsedProgress.output) };
  } catch {
    return null;
  }
}

/** An older version kept a rehearsal as a refusal: its rows stay what they were, under the name they have now. */
function asNow(progress: Progress): Progress {
  return progress.state === "refused" && progress.why?.code === "rehearsed"
    ? { ...progress, state: "rehearsed" }
    : progress;
}
