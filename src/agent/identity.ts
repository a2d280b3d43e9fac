/**
 * Who this node is, bound to the board it runs on. A card copied to other hardware carries the state of
 * another node: its tokens and unfinished commands are set aside unexecuted, and this one starts anew with
 * an instance and a salt of its own. No clock is asked for anything.
 */
import { randomBytes } from "node:crypto";
import { readHostName, readOsRelease } from "../collectors/system-os.ts";
import type { ConditionDraft } from "../model/condition.ts";
import type { Identity } from "../model/identity.ts";
import type { Machine } from "../system/machine.ts";
import { DEFAULT_MACHINE_ID_SALT, machineIdOf, readMachineId } from "../system/machine-id.ts";
import { compareFingerprints, mergeFingerprints, readBoardFacts } from "./identity-fingerprint.ts";
import type { Store } from "./store-types.ts";

export interface IdentityKeeper {
  /** As it stands; read it anew at each use. */
  current(): Identity;
  /** `identity_cloned`, `identity_unverified`, `machine_id_missing`. */
  conditions(): ConditionDraft[];
  /** A control API says that this node is a copy of another: all that is the other's is set aside. */
  renew(reason: string): void;
  /** An operator says that this hardware is this node: what was set aside for a clone is back (never commands), the fingerprint has this board's facts beside those before. */
  adopt(): void;
  /** An operator wants a new node: identity and tokens are deleted, not kept. */
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
}

const KEY = "self";

export function openIdentity(store: Store, machine: Machine, options: { version: string }): IdentityKeeper {
  const { files, clock } = machine;
  const values = store.values("identity");
  const board = readBoardFacts(files);
  const rawId = readMachineId(files);
  const os = readOsRelease(files)?.pretty_name ?? "unknown";
  const bootId = files.text("/proc/sys/kernel/random/boot_id") ?? "unknown";
  let cloned: ConditionDraft | null = null;
  let unverified = false;
  let kept = open();

  function open(): Kept {
    const stored = parseKept(values.get(KEY));
    if (stored === null) return keep(made(DEFAULT_MACHINE_ID_SALT));
    const verdict = compareFingerprints(stored.fingerprint, board);
    if (verdict === "cloned")
      return anew("identity_cloned", "this hardware shares nothing with the one it was made on");
    unverified = verdict === "unknown";
    // Not learnt from what could not be verified, or a second start would take it for known.
    const fingerprint = unverified
      ? stored.fingerprint
      : mergeFingerprints(stored.fingerprint, board.fingerprint);
    return keep({ ...stored, fingerprint, machineId: machineIdNow(stored) });
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
    };
  }

  function keep(next: Kept): Kept {
    values.set(KEY, JSON.stringify(next));
    return next;
  }

  /** The old goes first: a crash in between leaves a node without an identity, never one with another's tokens. */
  function anew(reason: string, why: string): Kept {
    const { unfinishedCommands } = store.abandon(reason, clock.now());
    cloned = {
      code: "identity_cloned",
      severity: "warning",
      text: `This state is a copy of another node's (${why}): its token${unfinishedCommands === 0 ? " is" : ` and ${unfinishedCommands} unfinished commands are`} set aside unexecuted, and this node registers as a new one.`,
      nextStep: "if it is the same node with new hardware: foundry-agent adopt",
    };
    unverified = false;
    return keep(made(randomBytes(16).toString("hex")));
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
      stateLost: store.fresh,
    }),
    conditions() {
      const found: ConditionDraft[] = [];
      if (cloned !== null) found.push(cloned);
      if (unverified)
        found.push({
          code: "identity_unverified",
          severity: "warning",
          text: "What can be read of this hardware is not what this node was made on, and the rest can't be read by this user, so it is taken for the same node.",
          nextStep: "if it is: foundry-agent adopt; if it is a copy: foundry-agent reset --identity",
        });
      if (rawId === null && kept.machineIdFrom === "random")
        found.push({
          code: "machine_id_missing",
          severity: "warning",
          text: "There is no /etc/machine-id, so this node goes by a random id that is lost together with its state.",
          nextStep: "systemd-machine-id-setup; in a container, keep the state folder on a volume",
        });
      return found;
    },
    renew(reason) {
      kept = anew("identity_cloned", reason);
    },
    adopt() {
      // A fingerprint that could not be verified is all there is to settle then.
      if (!unverified && store.restore()) kept = parseKept(values.get(KEY)) ?? kept;
      cloned = null;
      unverified = false;
      // What it was made on stays in it: by that alone a control API knows this node again when it registers.
      kept = keep({ ...kept, fingerprint: mergeFingerprints(kept.fingerprint, board.fingerprint) });
    },
    reset() {
      store.abandon("identity_reset", clock.now(), true);
      cloned = null;
      unverified = false;
      kept = keep(made(randomBytes(16).toString("hex")));
    },
  };
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
    };
  } catch {
    return null;
  }
}
