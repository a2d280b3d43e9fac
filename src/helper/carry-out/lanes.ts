/**
 * Who may run beside whom. An operation waits until each of its lanes has room and takes all of them in one
 * step, so nothing is ever held while waiting for something else and no two can wait for each other.
 *
 * A program in uninterruptible sleep outlives SIGKILL. Its lanes with room for one (the drive, the BMC) stay
 * taken until the kernel lets go of it, and whoever wants one meanwhile is answered at once: waiting would
 * pile up. Lanes with more room (`smart`) are given back, so one sick drive costs the others nothing.
 */

import { AgentError } from "../../model/errors.ts";
import { plural } from "../../model/text/sentence.ts";
import type { Lane } from "../operation.ts";

export interface Turn {
  /** Give the lanes back; those that hang stay taken until `held` resolves. */
  release(): void;
  /** Something of this operation can't be ended: its lanes with room for one stay taken until it is gone. */
  hold(held: Promise<void>): void;
}

export interface Lanes {
  /**
   * Wait for a turn.
   * @throws AgentError `helper_busy` when too many wait, `drive_hangs` / `bmc_hangs` (the first word of the lane)
   * when a program that can't be ended has it; the signal's reason when it fires
   */
  enter(wanted: readonly Lane[], signal: AbortSignal): Promise<Turn>;
  /** Whether something runs, waits or hangs. */
  busy(): boolean;
}

/** A drive has several names to ask it by; a host with more dead drives than this has other troubles. */
const MAX_HANGING = 16;

interface Waiting {
  readonly wanted: readonly Lane[];
  readonly start: (turn: Turn) => void;
  readonly refuse: (error: unknown) => void;
}

/** @param maxWaiting more than these are answered `helper_busy` */
export function openLanes(maxWaiting: number): Lanes {
  const taken = new Map<string, number>();
  const hanging = new Set<string>();
  const queue: Waiting[] = [];
  let running = 0;

  const room = (wanted: readonly Lane[]): boolean =>
    wanted.every(({ name, limit }) => (taken.get(name) ?? 0) < limit);
  const hung = (wanted: readonly Lane[]): Lane | undefined => wanted.find(({ name }) => hanging.has(name));

  function take(wanted: readonly Lane[]): Turn {
    running++;
    for (const { name } of wanted) taken.set(name, (taken.get(name) ?? 0) + 1);
    const kept = new Map<string, Promise<void>[]>();
    let released = false;
    return {
      hold(held) {
        for (const { name, limit } of wanted) {
          if (limit !== 1) continue;
          kept.set(name, [...(kept.get(name) ?? []), held]);
          hanging.add(name);
        }
        serve(); // who waits for these is told now
      },
      release() {
        if (released) return;
        released = true;
        running--;
        for (const { name } of wanted) {
          const held = kept.get(name);
          if (held === undefined) giveBack(name);
          else
            void Promise.allSettled(held).then(() => {
              hanging.delete(name);
              giveBack(name);
              serve();
            });
        }
        serve();
      },
    };
  }

  function giveBack(name: string): void {
    const left = (taken.get(name) ?? 1) - 1;
    if (left > 0) taken.set(name, left);
    else taken.delete(name);
  }

  /** In the order of arrival, past those whose lanes are full: one busy drive must not stop the others. */
  function serve(): void {
    for (const waiting of [...queue]) {
      const stuck = hung(waiting.wanted);
      if (stuck === undefined && !room(waiting.wanted)) continue;
      queue.splice(queue.indexOf(waiting), 1);
      if (stuck === undefined) waiting.start(take(waiting.wanted));
      else waiting.refuse(hangs(stuck));
    }
  }

  return {
    async enter(wanted, signal) {
      signal.throwIfAborted();
      const stuck = hung(wanted);
      if (stuck !== undefined) throw hangs(stuck);
      if (hanging.size >= MAX_HANGING)
        throw new AgentError(
          "helper_busy",
          `${plural(hanging.size, "program")} can't be ended, so no more are started until the kernel lets go of one`,
          "journalctl -k -n 100",
        );
      if (room(wanted)) return take(wanted);
      if (queue.length >= maxWaiting)
        throw new AgentError(
          "helper_busy",
          `${plural(queue.length, "call waits", "calls wait")} already, so this one is not taken on`,
        );
      return await new Promise<Turn>((resolve, reject) => {
        const waiting: Waiting = {
          wanted,
          start: (turn) => {
            signal.removeEventListener("abort", gone);
            resolve(turn);
          },
          refuse: (error) => {
            signal.removeEventListener("abort", gone);
            reject(error);
          },
        };
        const gone = (): void => {
          queue.splice(queue.indexOf(waiting), 1);
          reject(signal.reason);
        };
        signal.addEventListener("abort", gone, { once: true });
        queue.push(waiting);
      });
    },
    busy: () => running > 0 || queue.length > 0 || hanging.size > 0,
  };
}

/** What is said of a lane that hangs; its first word is the kind of thing: `drive /dev/sda`, `bmc`. */
function hangs({ name }: Lane): AgentError {
  const kind = /^[a-z]+/.exec(name)?.[0] ?? "lane";
  return new AgentError(
    `${kind}_hangs`,
    `a program that asks ${name} can't be ended, so it is not asked again until the kernel lets go of it`,
    "journalctl -k -n 100",
  );
}
