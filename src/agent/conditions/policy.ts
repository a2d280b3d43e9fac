/**
 * Whether the policy can be used, as the helper says, which reads it itself, or where there is none as this process
 * finds it: asked at the start, when the file or a
 * folder above it was changed, when a gate saw something else than is shown, and now and then with a call that wakes
 * the helper anyway. A file that nobody touches costs nothing.
 */
import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { type ConfigWatch, watchConfig } from "../../config/watch.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import type { Clock } from "../../system/clock.ts";

export interface PolicyCondition {
  /** Ask, and go on asking whenever there may be something new. Never throws. */
  start(): void;
  /** The helper has just answered something else. */
  answered(): void;
  /** Once a tick: what no watch tells, such as a link to a folder that leads elsewhere now. */
  look(): void;
  /** A gate read the file itself. */
  seen(usable: boolean): void;
  stop(): void;
}

export interface PolicyConditionOptions {
  readonly path: string;
  readonly clock: Clock;
  /** `policy.show` of the helper. @throws when it can't be asked now */
  ask(): Promise<unknown>;
  /** Instead of the helper: what a gate would make of the file; null: nothing that this process can tell. */
  own(): ShownPolicy | null;
  /** `policy_unusable`, or nothing. */
  tell(conditions: readonly ConditionDraft[]): void;
}

/** Looked at again with the next call that wakes the helper anyway. */
const HOLDS_MS = 10 * 60_000;
/** And when it could not answer. */
const RETRY_MS = 60_000;

export function openPolicyCondition({
  path,
  clock,
  ask,
  own,
  tell,
}: PolicyConditionOptions): PolicyCondition {
  let watch: ConfigWatch | null = null;
  let stopped = false;
  let asking: Promise<void> | null = null;
  /** As it was when the helper was asked, or looked at instead; null: nobody could say, so it is to be asked again. */
  let judged: { stamp: string; usable: boolean; byHelper: boolean } | null = null;
  let triedAt = 0;
  /** What a gate saw otherwise was asked about: a file that only root may read is no news each time. */
  let disputed: string | null = null;

  async function judge(): Promise<void> {
    const stamp = stampOf(path);
    triedAt = clock.monotonic();
    const told = await ask().catch(() => null);
    if (stopped) return;
    const byHelper = told !== null && typeof told === "object" && "usable" in told;
    // What the helper has said of the very same file is not taken back by somebody who sees less.
    if (!byHelper && judged?.byHelper === true && judged.stamp === stamp) return;
    const shown = byHelper ? (told as ShownPolicy) : own();
    if (shown === null) {
      judged = null;
      return;
    }
    const { usable, sentence, next_step } = shown;
    const text = `Whatever changes anything is denied: ${sentence ?? "the policy can't be used"}`;
    const denied: ConditionDraft = {
      code: "policy_unusable",
      severity: "warning",
      text,
      nextStep: next_step ?? null,
    };
    tell(usable ? [] : [denied]);
    judged = { stamp, usable, byHelper };
  }

  /** One question at a time; changed meanwhile, it is asked once more. */
  function askNow(): void {
    if (stopped || asking !== null) return;
    asking = judge().finally(() => {
      asking = null;
      if (judged !== null) look();
    });
  }

  function look(): void {
    if (judged !== null && judged.stamp !== stampOf(path)) askNow();
  }

  return {
    start() {
      askNow();
      // Each touch, not each change of content: who may write it counts too. Loaded when the start is over.
      watch ??= watchConfig([path], look, { touches: true, onReady: look, onError: () => undefined });
    },
    answered() {
      if (watch === null) return;
      if (clock.monotonic() - triedAt >= (judged?.byHelper === true ? HOLDS_MS : RETRY_MS)) askNow();
      else look();
    },
    look,
    seen(usable) {
      if (judged === null || judged.usable === usable || disputed === judged.stamp) return;
      disputed = judged.stamp;
      askNow();
    },
    stop() {
      stopped = true;
      watch?.close();
    },
  };
}

export interface ShownPolicy {
  readonly usable: boolean;
  readonly sentence?: string;
  readonly next_step?: string | null;
}

/** What decides whether it may be believed: the file, and who may write in the folders above it. */
function stampOf(path: string): string {
  const stamps: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const found = statOf(at);
    stamps.push(
      found === null
        ? "-"
        : at === path
          ? [found.dev, found.ino, found.size, found.mode, found.uid, found.mtimeMs, found.ctimeMs].join()
          : [found.mode, found.uid].join(),
    );
    if (at === dirname(at)) return stamps.join(" ");
  }
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null; // ENOTDIR, EACCES, a loop of links: as good as not there
  }
}
