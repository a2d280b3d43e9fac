/**
 * Which drives are known and accepted as they are: read from the file once, written before it counts. It outlives
 * the collector, which is made anew at each reload, and knows of each drive what the collector saw last.
 */
import { AgentError } from "../../../model/errors.ts";
import type { SmartFacts, SmartVerdict } from "../../../model/smart.ts";
import { type Ack, ackReasons, familyOf, joinedReasons, lowered, warningReasons } from "./acks.ts";

/** Where they are kept; the store has it. */
export interface AckFile {
  /** @returns `problem`: why nothing, or not all, of what is there can be used; a clause */
  read(): { readonly acks: readonly Ack[]; readonly problem: string | null };
  /** On the disk when it returns. @throws AgentError `ack_not_durable` */
  write(acks: readonly Ack[]): void;
}

/** A drive as the collector saw it last. */
export interface SeenDrive {
  readonly id: string;
  /** What it is remembered by; null: it tells nothing of itself. */
  readonly key: string | null;
  /** What it said last; null: nothing since the start. */
  readonly facts: SmartFacts | null;
  /** The verdict that stands, with nothing of it accepted. */
  readonly verdict: Pick<SmartVerdict, "severity" | "reasons"> | null;
}

export interface AckBook {
  of(key: string | null): Ack | null;
  /** All drives of the last round; counters that were set back are no longer accepted as high as they were. */
  see(drives: readonly SeenDrive[]): void;
  /**
   * From now on today's counters are known.
   * @param id of the drive, as in the section
   * @param codes of reasons; null: all there are
   * @throws AgentError `ack_nothing`, `ack_failing`, `ack_no_such_reason`, `ack_not_asked`, `ack_too_many`, `ack_not_durable`
   */
  accept(id: string, codes: readonly string[] | null, note: string | null, by: string, at: string): Ack;
  /** @param name id of a drive that was seen, or what it is remembered by. @returns what was accepted; null: nothing */
  remove(name: string): Ack | null;
  problem(): string | null;
  /** Rises with each change. */
  version(): number;
}

const MAX_ACKS = 1_000;

/** For who keeps nothing: no drive is accepted. */
export const NO_ACKS: AckFile = { read: () => ({ acks: [], problem: null }), write: () => undefined };

export function openAcks(file: AckFile): AckBook {
  let kept: { acks: Map<string, Ack>; problem: string | null } | null = null;
  let seen: readonly SeenDrive[] = [];
  let version = 0;

  function book(): { acks: Map<string, Ack>; problem: string | null } {
    if (kept === null) {
      const { acks, problem } = file.read();
      kept = { acks: new Map(acks.map((ack) => [ack.drive, ack])), problem };
    }
    return kept;
  }

  function write(acks: Map<string, Ack>): void {
    file.write([...acks.values()]);
    kept = { acks, problem: null };
    version++;
  }

  function lower(ack: Ack, facts: SmartFacts): void {
    const now = lowered(ack, facts);
    if (now === ack) return;
    const acks = new Map(book().acks).set(ack.drive, now);
    try {
      write(acks);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      // Told when somebody accepts something; until then it counts in memory.
      kept = { acks, problem: book().problem };
    }
  }

  return {
    of: (key) => (key === null ? null : (book().acks.get(key) ?? null)),
    see(drives) {
      seen = drives;
      for (const { key, facts } of drives) {
        const ack = key === null ? undefined : book().acks.get(key);
        if (ack !== undefined && facts !== null) lower(ack, facts);
      }
    },
    accept(id, codes, note, by, at) {
      const { key, facts, reasons } = acceptable(seen.find((drive) => drive.id === id));
      const families = codes?.map(familyOf) ?? null;
      const unknown = codes?.find((code) => !reasons.some((one) => familyOf(one.code) === familyOf(code)));
      if (unknown !== undefined)
        throw new AgentError(
          "ack_no_such_reason",
          `"${unknown}" is none of the drive's reasons, which are: ${reasons.map(({ code }) => code).join(", ")}`,
          "foundry-agent drives ack --help",
        );
      const chosen = reasons.filter(({ code }) => families?.includes(familyOf(code)) ?? true);
      const { acks } = book();
      if (!acks.has(key) && acks.size >= MAX_ACKS)
        throw new AgentError(
          "ack_too_many",
          `${MAX_ACKS} drives are accepted already, and no more are kept`,
          "foundry-agent drives unack --help",
        );
      const before = acks.get(key)?.reasons ?? [];
      const ack: Ack = {
        drive: key,
        by,
        at,
        note,
        reasons: joinedReasons(before, ackReasons(chosen, facts)),
      };
      write(new Map(acks).set(key, ack));
      return ack;
    },
    remove(name) {
      const key = seen.find(({ id }) => id === name)?.key ?? name;
      const acks = new Map(book().acks);
      const before = acks.get(key) ?? null;
      if (before === null) return null;
      acks.delete(key);
      write(acks);
      return before;
    },
    problem: () => book().problem,
    version: () => version,
  };
}

/** What of a drive can be accepted now. @throws AgentError why nothing */
function acceptable(drive: SeenDrive | undefined) {
  const { key = null, facts = null, verdict = null } = drive ?? {};
  if (verdict?.severity === "fail")
    throw new AgentError(
      "ack_failing",
      "the drive is failing, and that is never taken as known",
      "foundry-agent drives  # says why; replace it soon",
    );
  if (verdict?.severity !== "warn" || verdict.reasons.length === 0)
    throw new AgentError(
      "ack_nothing",
      "there is no warning on this drive that could be accepted",
      "foundry-agent drives",
    );
  if (key === null)
    throw new AgentError(
      "ack_nameless",
      "the drive tells neither a serial number nor a WWN that it could be remembered by",
      "foundry-agent drives",
    );
  if (facts === null)
    throw new AgentError(
      "ack_not_asked",
      "the drive has not told its counters since the agent started, so there is nothing to compare with later",
      "foundry-agent collect smart",
    );
  return { key, facts, reasons: warningReasons(verdict.reasons) };
}
