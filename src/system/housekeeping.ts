/**
 * Keeps the daemon small while it does nothing. V8 gives no memory back by itself on an idle process (the ship
 * flags switch off what would, for it comes at the wrong time and costs more),
 * glibc keeps what it freed, and two thirds of a Node process' resident memory are clean pages of its own
 * binary that it needed once. So, whenever something was done, as its last act: collect garbage, trim the C
 * heap, and drop clean file pages (the kernel maps them again from its page cache when they are touched).
 *
 * Never needed for correctness: without node:ffi it does nothing and says so once.
 *
 * What may be dropped: private, file-backed, not writable, nothing dirty, nothing anonymous, file still
 * there, and mapped when this began. Only such a mapping can be dropped without losing data, and it belongs to
 * the program or a library, which this process never unloads, so its address can't come to mean something
 * else. Smaps is read seldom (2–4 ms) and the list can only shrink.
 */
import { readFileSync } from "node:fs";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { errorText } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { monotonic } from "./clock.ts";
import { type Native, openNative } from "./native.ts";

export interface Housekeeping {
  /**
   * Something was done: a tick, a round with a control API, an answer on a socket. Tidies up a moment later,
   * when what follows from it is done too. Costs nothing to call often.
   */
  tick(): void;
}

/** A range of this process' address space. */
export interface Mapping {
  readonly start: bigint;
  readonly length: bigint;
  /** Header line of smaps: range, rights, offset, device, inode, path. Equal text is the same mapping. */
  readonly header: string;
}

/** All in milliseconds; chosen by measurement (docs/bench.md). */
export interface Rhythm {
  /** From a tick to tidying up. */
  readonly settleMs: number;
  /** From tidying up to one look whether something followed after all (a long poll begins, a connection closes). */
  readonly againMs: number;
  /** Between two times of dropping pages, at the least. */
  readonly dropMs: number;
  /** Between two garbage collections: 14 ms of CPU each. */
  readonly collectMs: number;
  /** The same when the heap has grown by GROWN: a round over many drives leaves megabytes for nobody. */
  readonly collectSoonMs: number;
  /** Between two looks at smaps. */
  readonly validateMs: number;
}

const RHYTHM: Rhythm = {
  settleMs: 2_500,
  againMs: 5_000,
  dropMs: 1_000,
  collectMs: 5 * 60_000,
  collectSoonMs: 60_000,
  validateMs: 15 * 60_000,
};

/** Growth since tidying up that is worth doing it again, bytes. */
const WORTH_IT = 2 * 1024 * 1024;
/** Growth of V8's heap since the last collection that is worth one, bytes. */
const GROWN = 1024 * 1024;

/**
 * @param options.enabled one config key switches it all off.
 * @param options.native the C library, null to go without; opened when it is first needed where left out.
 * @param options.rhythm for tests.
 */
export function openHousekeeping(options: {
  enabled: boolean;
  log: Pick<Logger, "info">;
  native?: Native | null;
  rhythm?: Rhythm;
}): Housekeeping {
  const { enabled, log, rhythm = RHYTHM } = options;
  if (!enabled) return { tick: () => undefined };
  let timer: NodeJS.Timeout | undefined;
  let onlyLooking = false;
  let lastAt = Number.NEGATIVE_INFINITY;
  let resting = 0;
  let off = false;
  let work: ((now: number) => void) | undefined;

  /** @param again look once more in a while; not after the look itself, which would then wake the process for ever. */
  function tidyUp(again: boolean): void {
    timer = undefined;
    try {
      // Not before it is needed: being ready comes first, and opening the tools costs 20 ms.
      if (work === undefined) {
        const native = options.native === undefined ? openNative() : options.native;
        if (native === null) {
          off = true;
          log.info("memory housekeeping is off: this runtime has no node:ffi");
          return;
        }
        work = housekeeper(native, rhythm);
      }
      work(monotonic());
      lastAt = monotonic();
      resting = process.memoryUsage.rss();
      if (!again) return;
      onlyLooking = true;
      timer = setTimeout(lookAgain, rhythm.againMs).unref();
    } catch (error) {
      off = true;
      log.info({ reason: errorText(error) }, "memory housekeeping is off: it failed");
    }
  }

  function lookAgain(): void {
    timer = undefined;
    if (process.memoryUsage.rss() > resting + WORTH_IT) tidyUp(false);
  }

  return {
    tick() {
      if (off || (timer !== undefined && !onlyLooking)) return;
      clearTimeout(timer);
      onlyLooking = false;
      const now = monotonic();
      timer = setTimeout(tidyUp, Math.max(rhythm.settleMs, lastAt + rhythm.dropMs - now), true).unref();
    },
  };
}

function housekeeper(native: Native, rhythm: Rhythm): (now: number) => void {
  let mappings: readonly Mapping[] = candidates(readFileSync("/proc/self/maps", "latin1"));
  let checked: readonly Mapping[] = [];
  let collectedAt = Number.NEGATIVE_INFINITY;
  let heapThen = 0;
  let validateDue = 0;
  giveBack = () => {
    native.trimHeap();
    drop();
  };
  return (now) => {
    // Before the collection, which takes the text along.
    if (now >= validateDue) {
      validateDue = now + rhythm.validateMs;
      ({ mappings, checked } = validate(mappings, readFileSync("/proc/self/smaps", "latin1")));
    }
    const since = now - collectedAt;
    if (since >= rhythm.collectMs || (since >= rhythm.collectSoonMs && heapUsed() - heapThen > GROWN)) {
      collectedAt = now;
      // This flavour also clears caches of compiled code: 3 MB less, once a minute.
      collect("last-resort");
      heapThen = heapUsed();
      native.trimHeap();
    }
    drop();
  };

  function drop(): void {
    for (const { start, length } of checked) native.dropPages(start, length);
  }
}

function heapUsed(): number {
  return getHeapStatistics().used_heap_size;
}

/** Private, file-backed, unwritable mappings, from /proc/PID/maps or the headers of smaps (proc_pid_maps(5)). */
export function candidates(maps: string): Mapping[] {
  const found: Mapping[] = [];
  for (const match of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ [1-9]\d* +(\/.*)$/gm)) {
    const [header, from = "", to = "", path = ""] = match;
    if (path.endsWith(" (deleted)") || path.startsWith("/dev/")) continue;
    const start = BigInt(`0x${from}`);
    found.push({ start, length: BigInt(`0x${to}`) - start, header });
  }
  return found;
}

/**
 * Which mappings may be dropped now, from the text of /proc/self/smaps (proc_pid_smaps(5)).
 * @returns `mappings`: those that are still what they were. `checked`: of these the ones that this process never
 *   wrote to (Private_Dirty and Anonymous are 0). A page the file system has yet to write back counts as dirty
 *   as well, so a just installed executable is left alone until the next look.
 */
export function validate(
  mappings: readonly Mapping[],
  smaps: string,
): { mappings: readonly Mapping[]; checked: readonly Mapping[] } {
  const text = `\n${smaps}`;
  const known: Mapping[] = [];
  const checked: Mapping[] = [];
  for (const mapping of mappings) {
    const at = text.indexOf(`\n${mapping.header}\n`);
    if (at < 0) continue;
    known.push(mapping);
    const details = text.slice(at, text.indexOf("\nVmFlags:", at) + 1);
    if (isZero(details, "Private_Dirty") && isZero(details, "Anonymous")) checked.push(mapping);
  }
  return { mappings: known, checked };
}

/** Not by a regular expression: V8 keeps the text that the last one was found in, here 120 KB until the next. */
function isZero(details: string, field: string): boolean {
  const at = details.indexOf(`\n${field}:`);
  return at >= 0 && details.slice(at + field.length + 2, details.indexOf("\n", at + 1)).trim() === "0 kB";
}

/** V8's collector, made once: each is a context of its own. */
let collector: ((options: Record<string, string>) => void) | null = null;

function collect(flavor: "regular" | "last-resort"): void {
  if (collector === null) {
    setFlagsFromString("--expose-gc");
    // The flag counts for new contexts only; theirs collects the whole heap.
    collector = runInNewContext("gc") as (options: Record<string, string>) => void;
  }
  collector({ type: "major", execution: "sync", flavor });
}

/** Free memory of the C heap, and clean pages: the housekeeping's, once it has looked which those are. */
let giveBack: () => void = () => undefined;

/**
 * Before something large is made (10 ms): V8 lets megabytes of buffers and objects that nobody has any more lie
 * about until there are tens of them, and what comes one after another must not add up; nor need the pages of the
 * program be there that brought it here.
 */
export function makeRoom(): void {
  // Twice: collecting needs some megabytes of the program itself.
  giveBack();
  collect("regular");
  giveBack();
}
