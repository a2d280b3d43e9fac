/**
 * Who this node is, bound to the board it runs on. A card copied to other hardware carries the state of
 * another node: its tokens and unfinished commands are set aside unexecuted, and this one starts anew with
 * an instance and a salt of its own. No clock is asked for anything.
 */
import { randomBytes } from "node:crypto";
import { readHostName, readOsRelease } from "../../collectors/system/os.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError } from "../../model/errors.ts";
import type { Identity } from "../../model/identity.ts";
import { isOutdated } from "../../store/set-aside.ts";
import type { Store } from "../../store/types.ts";
import type { Machine } from "../../system/machine.ts";
import { DEFAULT_MACHINE_ID_SALT, machineIdOf, readMachineId } from "../../system/machine-id.ts";
import { type Cloned, clonedCondition, parseCloned } from "./cloned.ts";
import { compareFingerprints, mergeFingerprints, readBoardFacts } from "./fingerprint.ts";

export interface IdentityKeeper {
  /** As it stands; read it anew at each use. */
  current(): Identity;
  /** `identity_cloned`, `identity_unverified`, `machine_id_missing`. What is too old to be adopted is deleted on the way. */
  conditions(): ConditionDraft[];
  /** A control API says that this node is a copy of another: all that is the other's is set aside. */
  renew(reason: string): void;
  /** Whether `adopt` has something to do. */
  isDoubtful(): boolean;
  /**
   * An operator says that this hardware is this node: what was set aside for a clone is back (never commands)
   * and what is there now set aside for it; the fingerprint has this board's facts beside those before.
   * @throws AgentError `nothing_to_adopt`
   */
  adopt(): void;
  /** What the last `adopt` did is undone the same way. @throws AgentError `nothing_to_adopt` */
  undoAdopt(): void;
  /** An operator wants a new node: identity and tokens are deleted, not kept, those set aside before too. */
  reset(): void;
}

/** What is kept of it, as JSON in one value: it changes as a whole, in one transaction. */
interface Kept {
  readonly instance: string;
  readonly salt: string;
  readonly fingerprint: readonly string[];
  readonly machineId: string;
  /** random: there was no /etc/machine-id when it was made. */
  readonly machineIdFrom: "machine-id" | "random";
  /** Made because this was found to be a copy; kept until an operator settles it or what was set aside is deleted. */
  readonly cloned: Cloned | null;
  /** By what time the store knows the identity that `adopt` put this one in the place of; null: none. */
  readonly replaced: number | null;
}

const KEY = "self";
/** Why it was set aside, in the store. */
const CLONED = "identity_cloned";
const NO_CLONE = { cloned: null, replaced: null };

export function openIdentity(store: Store, machine: Machine, options: { version: string }): IdentityKeeper {
  const { files, clock } = machine;
  const values = store.values("identity");
  const board = readBoardFacts(files);
  const rawId = readMachineId(files);
  const os = readOsRelease(files)?.pretty_name ?? "unknown";
  const bootId = files.text("/proc/sys/kernel/random/boot_id") ?? "unknown";
  let unverified = false;
  let kept = open();

  function open(): Kept {
    const stored = parseKept(values.get(KEY));
    if (stored === null) return first();
    const verdict = compareFingerprints(stored.fingerprint, board);
    if (verdict === "cloned") return anew(stored, "this hardware shares nothing with the one it was made on");
    unverified = verdict === "unknown";
    // Not learnt from what could not be verified, or a second start would take it for known.
    const fingerprint = unverified
      ? stored.fingerprint
      : mergeFingerprints(stored.fingerprint, board.fingerprint);
    return keep({ ...stored, fingerprint, machineId: machineIdNow(stored) });
  }

  /** Also after a crash in the middle of `anew`: the old is set aside then, and nothing says so but the store. */
  function first(): Kept {
    const aside = values.get(KEY) !== null ? [] : store.setAside();
    const last = aside.findLast(({ kind, reason }) => kind === "value" && reason === CLONED);
    if (last === undefined) return keep(made(DEFAULT_MACHINE_ID_SALT));
    const cloned = { at: last.at, why: "found before the agent was interrupted", unfinishedCommands: 0 };
    return keep({ ...made(randomBytes(16).toString("hex")), cloned });
  }

  /** Follows /etc/machine-id when it has one and had one; else stays what it is: unreadable is not changed. */
  function machineIdNow(stored: Kept): string {
    if (rawId === null || stored.machineIdFrom === "random") return stored.machineId;
    return machineIdOf(rawId, stored.salt);
  }

  function made(salt: string): Kept {
    return {
      instance: randomBytes(16).toString("hex"),
      salt,
      fingerprint: board.fingerprint,
      machineId: rawId === null ? randomBytes(32).toString("hex") : machineIdOf(rawId, salt),
      machineIdFrom: rawId === null ? "random" : "machine-id",
      ...NO_CLONE,
    };
  }

  function keep(next: Kept): Kept {
    values.set(KEY, JSON.stringify(next));
    return next;
  }

  /** The old goes first: a crash in between leaves a node without an identity, never one with another's tokens. */
  function anew(before: Kept, why: string): Kept {
    // What never registered is not worth having back, and must not hide what was set aside for it.
    const hides = before.cloned !== null && !store.registered();
    const { unfinishedCommands, at } = store.abandon(CLONED, clock.now(), hides ? "drop" : "set_aside");
    unverified = false;
    const cloned = hides ? before.cloned : { at, why, unfinishedCommands };
    return keep({ ...made(randomBytes(16).toString("hex")), cloned });
  }

  /** Change places with the identity set aside at `at`; null when there is none, or it is damaged. */
  function exchange(at: number | null): { back: Kept; asideAt: number } | null {
    const asideAt = at === null ? null : store.restore(at, clock.now());
    if (asideAt === null) return null;
    const back = parseKept(values.get(KEY));
    if (back !== null) return { back, asideAt };
    store.restore(asideAt, clock.now());
    return null;
  }

  return {
    current: () => ({
      machineId: kept.machineId,
      instance: kept.instance,
      fingerprint: kept.fingerprint,
      hostname: readHostName(files).hostname ?? "localhost",
      serial: board.serial,
      macs: board.macs,
      arch: process.arch,
      os,
      agentVersion: options.version,
      bootId,
      stateLost: store.fresh || store.lost !== null,
    }),
    conditions() {
      const found: ConditionDraft[] = [];
      forgetOldClone();
      if (kept.cloned !== null) found.push(clonedCondition(kept.cloned, store.registered()));
      if (unverified)
        found.push({
          code: "identity_unverified",
          severity: "warning",
          text: "What can be read of this hardware is not what this node was made on, and the rest can't be read by this user, so it is taken for the same node.",
          nextStep:
            "foundry-agent adopt  # if it is the same; if it is a copy: foundry-agent reset --identity",
        });
      if (rawId === null && kept.machineIdFrom === "random")
        found.push({
          code: "machine_id_missing",
          severity: "warning",
          text: "There is no /etc/machine-id, so this node goes by a random id that is lost together with its state.",
          nextStep: "systemd-machine-id-setup  # in a container keep the state folder on a volume instead",
        });
      return found;
    },
    renew(reason) {
      kept = anew(kept, reason);
    },
    isDoubtful: () => unverified || kept.cloned !== null,
    adopt() {
      // A fingerprint that could not be verified is all there is to settle then.
      if (!unverified) {
        const done = exchange(kept.cloned?.at ?? null);
        if (done === null) {
          if (kept.cloned !== null) kept = keep({ ...kept, cloned: null });
          throw new AgentError(
            "nothing_to_adopt",
            "No other identity is set aside for this node to adopt: it is the node it was.",
            "foundry-agent status  # shows identity_cloned where there is one",
          );
        }
        kept = { ...done.back, replaced: done.asideAt };
      }
      unverified = false;
      // What it was made on stays in it: by that alone a control API knows this node again when it registers.
      kept = keep({ ...kept, fingerprint: mergeFingerprints(kept.fingerprint, board.fingerprint) });
    },
    undoAdopt() {
      const done = exchange(kept.replaced);
      if (done === null)
        throw new AgentError(
          "nothing_to_adopt",
          "There is no adoption to undo: none was made, or what was there before it is deleted by now.",
          "foundry-agent reset --identity  # if this is to be a new node",
        );
      // What was adopted is set aside anew, so that it can be adopted after all.
      const cloned = done.back.cloned === null ? null : { ...done.back.cloned, at: done.asideAt };
      kept = keep({ ...done.back, cloned });
    },
    reset() {
      store.abandon("identity_reset", clock.now(), "forget");
      unverified = false;
      kept = keep(made(randomBytes(16).toString("hex")));
    },
  };

  /** With what was set aside there is nothing left to adopt. */
  function forgetOldClone(): void {
    if (kept.cloned === null || !isOutdated(kept.cloned.at, clock.now())) return;
    store.pruneSetAside(clock.now());
    kept = keep({ ...kept, cloned: null });
  }
}

/** null when there is none, or it is damaged: then nothing says who this was, and a new one is made. */
function parseKept(text: string | null): Kept | null {
  try {
    const found = JSON.parse(text ?? "null") as Partial<Kept> | null;
    if (typeof found?.instance !== "string" || typeof found.salt !== "string") return null;
    if (typeof found.machineId !== "string" || !Array.isArray(found.fingerprint)) return null;
    const { instance, salt, machineId } = found;
    return {
      instance,
      salt,
      fingerprint: found.fingerprint.filter((known): known is string => typeof known === "string"),
      machineId,
      machineIdFrom: found.machineIdFrom === "random" ? "random" : "machine-id",
      cloned: parseCloned(found.cloned),
      replaced: typeof found.replaced === "number" ? found.replaced : null,
    };
  } catch {
    return null;
  }
}
