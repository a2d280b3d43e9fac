/**
 * Where audit lines go, so that a main process that was taken over can't push one out by asking at full rate.
 *
 * What was changed stands in a file of its own for each word of the policy, fsynced before it is done; how much of that
 * there can be is bounded by the policy's limits. What was refused stands in another file. The journal gets both, and
 * what was only read. Of refusals and reads the same again is counted a minute long, for each client and each of the two
 * by itself, and there as well as in the file stands how many more there were.
 */
import { join } from "node:path";
import { errorText } from "../../model/errors.ts";
import { moreText, openRepeats, type Repeats } from "../../model/text/repeats.ts";
import type { Clock } from "../../system/clock.ts";
import { type Audit, type AuditEntry, asciiOnly, auditText, type Priority, shownArguments } from "./audit.ts";
import { appendLine } from "./audit-file.ts";

/** Below the helper's own folder. */
export const AUDIT_FOLDER = "audit";
/** Name of the file of what was refused; the others are called as the policy's words, and end alike. */
export const REFUSED = "refused";
/** Uids that are served are few; more than these share their count. */
const MAX_CLIENTS = 8;
const SHARED = "others";

/** What counts as the same: operation, outcome, and what else tells it apart. */
type Kind = [operation: string | null, outcome: string, detail: unknown];

/** Of one client. */
interface Counted {
  readonly reads: Repeats;
  readonly refusals: Repeats;
}

export interface AuditTrail {
  readonly note: Audit;
  /** Nothing comes any more: say what was counted. */
  close(): void;
}

/** @param tell the journal's line, without its break */
export function openAuditTrail(options: {
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly tell: (priority: Priority, text: string) => void;
  readonly windowMs?: number;
}): AuditTrail {
  const { stateFolder, clock, tell, windowMs } = options;
  const clients = new Map<string, Counted>();
  const { monotonic } = clock;
  const window = windowMs === undefined ? {} : { windowMs };
  // A disk that takes nothing is worth a line, not one for each line that it did not take.
  const notWritten = openRepeats({ ...window, monotonic, tell: () => undefined });

  function write(name: string, text: string, durable: boolean): void {
    const line = `{"at":"${new Date(clock.now()).toISOString()}",${text.slice(1)}`;
    appendLine(join(stateFolder, AUDIT_FOLDER, `${name}.log`), line, durable);
  }

  function writeIfPossible(name: string, text: string, durable: boolean): void {
    try {
      write(name, text, durable);
    } catch (error) {
      if (notWritten.take(name)) tell(4, errorText(error));
    }
  }

  function counted(client: string, isRead: boolean): Repeats {
    const others = isRead ? "reads that failed otherwise" : "calls that were refused otherwise";
    return openRepeats({
      ...{ ...window, monotonic },
      tell(kind, more) {
        const [what, outcome] = kind === null ? [null, null] : (JSON.parse(kind) as Kind);
        const message = moreText(more, kind === null ? others : "of these");
        const peer = /^\d+$/.test(client) ? { uid: Number(client) } : null;
        const text = asciiOnly(JSON.stringify({ audit: what, outcome, message, more, peer }));
        tell(6, text);
        if (!isRead) writeIfPossible(REFUSED, text, false);
      },
    });
  }

  function repeatsOf(peer: object | null): Counted {
    const uid = peer !== null && "uid" in peer ? String(peer.uid) : "unknown";
    const client = clients.has(uid) || clients.size < MAX_CLIENTS ? uid : SHARED;
    const found = clients.get(client);
    if (found !== undefined) return found;
    const made = { reads: counted(client, true), refusals: counted(client, false) };
    clients.set(client, made);
    return made;
  }

  function noteAct(entry: AuditEntry, word: string): void {
    const text = auditText(entry);
    if (entry.outcome === "begun") write(word, text, true);
    else {
      writeIfPossible(word, text, true);
      tell(6, text); // of what was begun the journal gets what came of it
    }
  }

  return {
    note(entry) {
      const { act, request, outcome, message, isRead = false, peer } = entry;
      if (act !== undefined) {
        noteAct(entry, act);
        return;
      }
      // A round of a hundred drives is a line and a count, and what went wrong with one of them another one. Of a refusal
      // what it was asked with tells nothing.
      const isWhole = isRead && request !== null && outcome !== "ok";
      const detail = isWhole ? shownArguments(request.args) : message;
      const operation = request?.operation ?? null;
      const kind: Kind = [operation, outcome, detail];
      const { reads, refusals } = repeatsOf(peer);
      // What is read has one of the helper's own names: there are few, and none hides another, nor a failure what went well.
      const group = `${operation} ${outcome === "ok"}`;
      const isNew = isRead ? reads.take(JSON.stringify(kind), group) : refusals.take(JSON.stringify(kind));
      if (!isNew) return;
      const text = auditText(entry);
      tell(6, text);
      if (!isRead) writeIfPossible(REFUSED, text, false);
    },
    close() {
      for (const { reads, refusals } of clients.values()) {
        reads.flush();
        refusals.flush();
      }
    },
  };
}
