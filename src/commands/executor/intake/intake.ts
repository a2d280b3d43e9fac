/**
 * Takes in what is asked for, over the network or on this host: judged, written down (fsynced) and only then
 * acknowledged by the event that says so. Known ids are only answered again.
 */
import { type Command, isFinal, NEVER_BEGUN, type Why } from "../../../model/command.ts";
import { AgentError, errorCode, errorText } from "../../../model/errors.ts";
import { makeRoom } from "../../../system/housekeeping.ts";
import type { AnyCommandType } from "../../command-type.ts";
import { notBefore } from "../../gates/grace.ts";
import { FUTURE_MS } from "../../gates/may-leave.ts";
import { whyOf } from "../../journal/event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Floods } from "../../quota/floods.ts";
import type { JournalRoom } from "../../quota/room.ts";
import type { Asked, CommandRecord, Progress } from "../../record.ts";
import type { ExecutorPorts } from "../ports.ts";
import type { ServerTime } from "../server-time.ts";
import { blank, settled } from "../state-lost.ts";
import type { Delivery, LocalRequest } from "../types.ts";
import { firstProgress, isPromising, refusal } from "./accept.ts";
import { openAnswers } from "./again.ts";
import { openDrafts } from "./local.ts";

/** Nobody has given so many commands: a number above says nothing of their order. */
const MOST_COUNTED = 2 ** 40;
/** So many are written down until room is made for the next: each leaves its texts behind. */
const AT_ONCE = 20;
/** Of one answer. */
const MAX_CANCELS = 100;

export interface Intake {
  /** @returns ids that were new */
  deliver(delivery: Delivery): string[];
  /** @throws AgentError the code it is refused with */
  submit(request: LocalRequest): CommandRecord;
  /** As `submit` would take it, written nowhere. @throws AgentError `unsupported`, `bad_params` */
  draft(request: LocalRequest): CommandRecord;
}

export function openIntake(
  { state, host, gates, tell }: ExecutorPorts,
  inside: {
    readonly types: ReadonlyMap<string, AnyCommandType>;
    readonly journal: Journal;
    readonly time: ServerTime;
    /** Something new is in the journal. */
    readonly kick: () => void;
    /** A source has said what it had open, and all of it is written down. */
    readonly settle: (source: string, anew: boolean) => void;
    readonly unfinished: (of: Pick<Asked, "source" | "by">) => number;
    readonly floods: Floods;
    readonly room: JournalRoom;
    readonly cancel: (id: string, by: string) => CommandRecord | null;
  },
): Intake {
  const { types, journal, time, floods, room } = inside;
  const { journal: store } = state;
  const { clock } = host;
  const { log } = tell;
  const answers = openAnswers({ store, journal, floods, clock, log });
  const draft = openDrafts({ clock, nodeId: () => gates.nodeId("local"), judge });
  /** Of the delivery under way, which is one of many: so many were written down of it. */
  let written: number | null = null;

  /** @returns whether it was new. @throws AgentError when it can't be written down */
  function take(asked: Asked, why: Why | null): boolean {
    const type = types.get(asked.type);
    const grace = why === null && type?.needs.disruptive === true && asked.source !== "local";
    const start = grace ? notBefore(asked, host, gates.settings()) : null;
    // Before: what is remembered goes into the transaction of the command.
    time.keep();
    if (written !== null && written++ % AT_ONCE === 0) makeRoom();
    const isNew = journal.take(asked, firstProgress(why, clock.now(), start), why?.text ?? "Accepted.");
    if (isNew && why !== null) floods.refused(asked.source, why.code);
    return isNew;
  }

  /** One that was never seen: refused, taken, or left out for now, so that it comes again. */
  function takeNew(asked: Asked): boolean {
    const { source } = asked;
    const left = floods.room(source);
    // What is cheap first: of a flood most is left out, whatever else is wrong with it.
    const mayBeTaken =
      left === "promising" && isPromising(asked, gates.policy().policy) && room.fullFor(asked) === null;
    if (left === "all" || mayBeTaken) {
      const why = judge(asked) ?? room.fullFor(asked);
      if (why === null ? floods.take(source, "taking") : left === "all") return take(asked, why);
    }
    floods.leftOut(source);
    return false;
  }

  function judge(command: Asked): Why | null {
    const known = time.known();
    const lastSeq = lastSeqBefore(command, known.atLeast ?? clock.now(), store);
    const signature = gates.signature(command, known);
    return refusal(command, {
      types,
      time: known,
      lastSeq,
      unfinished: inside.unfinished(command),
      signature,
    });
  }

  function deliverOne(command: Command): boolean {
    const asked: Asked = { ...command, receivedAt: clock.now(), by: null, reason: null };
    if (!store.isCommandKnown(command.id))
      return !answers.isToldOf(command.source, command.id) && takeNew(asked);
    if (answers.again(command.source, command.id)) answers.compare(command);
    return false;
  }

  /** An id of which there is nothing to carry out: its row is there so that it never will be. */
  function close(source: string, id: string, type: string, progress: Progress, text: string): boolean {
    if (store.isCommandKnown(id)) {
      answers.again(source, id);
      return false;
    }
    if (answers.isToldOf(source, id)) return false;
    const asked = { ...blank(source, id, type), nodeId: gates.nodeId(source) ?? "", receivedAt: clock.now() };
    const fits = NEVER_BEGUN.includes(progress.state) || room.fullFor(asked) === null;
    if (!fits || !floods.take(source, "refusal")) {
      floods.leftOut(source);
      return false;
    }
    return journal.take(asked, progress, text);
  }

  /** It can't be written down, so it is not taken: answered once as refused, and not carried out. */
  function guarded(source: string, id: string, type: string, work: () => boolean): boolean {
    try {
      return work();
    } catch (error) {
      if (store.answerPending(source, id)) return false;
      if (!floods.take(source, "refusal")) {
        floods.leftOut(source);
        return false;
      }
      log.warn({ command: id, code: errorCode(error) }, `refused: ${errorText(error)}`);
      // One that was taken stays what it is: a cancel of it that can't be written down comes again.
      if (store.isCommandKnown(id)) return false;
      const why = whyOf(error);
      answers.say(
        { id, type, operationId: null },
        { state: "refused", why, step: null, result: {} },
        why.text,
      );
      return true;
    }
  }

  function settleOpen(source: string, open: Delivery["openCommands"][number]): boolean {
    const { progress, text } = settled(open, host.bootId, clock.now());
    return close(source, open.id, open.type, progress, text);
  }

  return {
    deliver({ source, commands, cancel, openCommands, rejected, serverNow, registered = false }) {
      if (serverNow !== null) time.heard(serverNow);
      const fresh: string[] = [];
      const each = (id: string, type: string, work: () => boolean): void => {
        if (guarded(source, id, type, work)) fresh.push(id);
      };
      const inOrder = [...commands].sort((a, b) => a.seq - b.seq);
      written = inOrder.length >= AT_ONCE ? 0 : null;
      for (const command of inOrder) each(command.id, command.type, () => deliverOne(command));
      written = null;
      for (const { id, code, message } of rejected) {
        const why = { code, text: message, nextStep: null };
        each(id, "unknown", () =>
          close(source, id, "unknown", firstProgress(why, clock.now(), null), message),
        );
      }
      for (const open of openCommands) {
        // Never acknowledged: the server repeats it, and it is taken like any other.
        if (open.state !== "received") each(open.id, open.type, () => settleOpen(source, open));
      }
      // Where one could not be written down it is still to be settled, and comes again.
      if (openCommands.every(({ id, state: told }) => told === "received" || store.isCommandKnown(id)))
        inside.settle(source, registered);
      for (const id of cancel.slice(0, MAX_CANCELS))
        each(id, "unknown", () => {
          // One that was never seen must not come later and be carried out.
          if (!store.isCommandKnown(id)) {
            const why: Why = { code: "cancelled", text: `Cancelled by ${source}.`, nextStep: null };
            const progress: Progress = { ...firstProgress(null, clock.now(), null), state: "cancelled", why };
            return close(source, id, "unknown", progress, why.text);
          }
          // What somebody on this host, or another server, asked for is not this one's to cancel.
          if (store.command(id)?.source !== source) return false;
          const record = inside.cancel(id, source);
          if (record === null || isFinal(record.progress.state)) answers.again(source, id);
          return false;
        });
      if (fresh.length > 0) inside.kick();
      return fresh;
    },
    submit(request) {
      const { asked, progress } = draft(request);
      if (store.isCommandKnown(asked.id))
        throw new AgentError(
          "known_command",
          `the command ${asked.id} was given before`,
          `foundry-agent commands ${asked.id}`,
        );
      const why = progress.why ?? room.fullFor(asked);
      take(asked, why);
      inside.kick();
      if (why !== null) throw new AgentError(why.code, why.text, why.nextStep);
      return journal.read(asked.id) ?? { asked, progress };
    },
    draft,
  };
}

/**
 * The highest number that this one must not be below: of what was issued no earlier than it, and not in the future. A
 * number alone is anything a server cares to send, and one huge one would shut out all that follow.
 */
function lastSeqBefore(
  { source, epoch, issuedAt }: Command,
  now: number,
  store: ExecutorPorts["state"]["journal"],
): number | null {
  if (source === "local" || issuedAt === null) return null;
  const within = { from: issuedAt, until: now + FUTURE_MS, most: MOST_COUNTED };
  return store.lastCommandSeq(source, epoch, within);
}
