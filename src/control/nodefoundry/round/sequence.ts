/**
 * The numbers of this node's reports, by which a server tells an old one from a new one. They follow what was sent,
 * begin anew with each registration, and what a server says of them moves them within bounds only: one answer with
 * a huge number must not end reporting for good (docs/adr/0012-numbers-from-outside.md).
 */
import type { KeyValue } from "../../control-api.ts";

export interface Sequence {
  /** The next number, used up. */
  take(): number;
  /** The next number, for a preview. */
  peek(): number;
  /** The server has one above the last: go on behind it. @returns false: no node ever sent so many, so it is not believed */
  follow(seen: number): boolean;
  /** Registered: what was counted before belongs to another registration. */
  restart(): void;
}

const BLOCK = 1000;
/** One report a second for 136 years: what a server claims beyond was never sent by anybody. */
const MOST_FOLLOWED = 2 ** 32;
/** What a node can come to by itself, blocks that restarts skip included; kept by an older version, it is a server's. */
const MOST_KEPT = 2 ** 40;

/**
 * Numbers that rise within a registration over restarts, at one fsync in a thousand: a block is reserved
 * before its first number is used, and what a crash leaves unused of it is skipped.
 */
export function openSequence(values: KeyValue): Sequence {
  let next = 0;
  let reserved = 0;
  function ready(): void {
    if (next > 0) return;
    const saved = Number(values.get("seq") ?? "1");
    next = Number.isSafeInteger(saved) && saved > 0 && saved <= MOST_KEPT ? saved : 1;
    reserved = next;
  }
  return {
    take() {
      ready();
      if (next >= reserved) {
        reserved = next + BLOCK;
        values.set("seq", String(reserved));
      }
      return next++;
    },
    peek() {
      ready();
      return next;
    },
    follow(seen) {
      ready();
      if (seen > MOST_FOLLOWED) return false;
      next = Math.max(next, seen + 1);
      return true;
    },
    restart() {
      // Written with the first that is taken: until then what is on the disk is too high, which is no harm.
      next = 1;
      reserved = 1;
    },
  };
}
