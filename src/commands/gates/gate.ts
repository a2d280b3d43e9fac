/**
 * What stands between a command that was accepted and its execution. A gate looks at facts that were gathered
 * before and says pass, wait or refuse, always with a sentence; it touches nothing, so that `--dry-run` and a
 * rehearsal go through the very same ones.
 */
import type { OsdsHere } from "../../ceph/here.ts";
import type { Why } from "../../model/command.ts";

/** What a gate is asked about. */
export interface Subject {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly mode: "live" | "test";
  readonly params: Readonly<Record<string, unknown>>;
  /** Of the command type: what it does to the host. `hardware`: needs the helper; `disruptive`: takes the node out of service. */
  readonly needs: { readonly hardware: boolean; readonly disruptive: boolean };
  /** Server time, milliseconds; null: never. */
  readonly expiresAt: number | null;
  readonly issuedAt: number | null;
  /** Uptime of this boot, milliseconds, before which it does not begin (grace and splay); null: not counted yet, or none. */
  readonly notBeforeUptimeMs: number | null;
  readonly signed: boolean;
}

export interface GateVerdict {
  /** Name of the gate: `hold`, `window`, `apt`. */
  readonly gate: string;
  readonly verdict: "pass" | "wait" | "refuse";
  /** Null when it passes without anything to say. */
  readonly why: Why | null;
  /**
   * The same for where nothing is done, without a full stop. Of a wait: what it would wait for ("the package manager to
   * be done"). Else what it would do ("be forced past …"), or null where the sentence of `why` holds there too.
   */
  readonly would?: string | null;
}

/** Server time as far as it is known: never guessed, so it may be a lower bound only. */
export interface KnownTime {
  /** Milliseconds since the epoch; it is this or later. Null: nothing at all is known. */
  readonly atLeast: number | null;
  /** Of an authenticated answer of this boot, carried on by the monotonic clock. */
  readonly exact: boolean;
}

/** Why something is held: `foundry-agent hold`. Wall clock, milliseconds. */
export interface Hold {
  readonly reason: string;
  readonly by: string;
  readonly since: number;
  /** Uptime-independent: wall clock; null: until released. */
  readonly until: number | null;
}

/** What this node knew is gone, or is older than it should be, and nobody has settled it yet. */
export interface Lost {
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** A clause: how it was found. */
  readonly text: string;
  /** There is a journal, and it is not the newest: what was done since is not in it. */
  readonly wasReplaced: boolean;
  /** Commands of that journal are to be closed before anything else. */
  readonly commandsOpen: boolean;
  /** Sources that have said what they had open. */
  readonly settledBy: readonly string[];
}

/** A process or program that wants the host to stay on; `who` and `why` are its own words, printable and cut. */
export interface Inhibitor {
  readonly who: string;
  readonly why: string;
}

/** What the helper says before a reboot (operation `reboot.look`); null where there is no helper or it did not answer. */
export interface HelperLook {
  /** A shutdown is scheduled or under way on this host, whoever asked for it. */
  readonly shutdown: { readonly scheduled: boolean; readonly underWay: boolean };
  /** Why the policy, the limits or the helper's own state would refuse this reboot now; null: it would not. */
  readonly refusal: Why | null;
  /** Minutes after which the limits would let it through, when that is the reason. */
  readonly againInMinutes: number | null;
  /** What root sees of OSDs; null or left out: an older helper, which does not look. */
  readonly osds?: OsdsHere | null;
}

/** Facts that can be hidden from an unprivileged process. */
export type Hidden = "uptime" | "inhibitors" | "package_lock" | "updates" | "sessions";

export interface Facts {
  readonly time: KnownTime;
  /** Wall clock, milliseconds, for sentences and windows. */
  readonly now: number;
  /** Whether the wall clock is known to be right: an exact `time`, or the kernel says synchronised. */
  readonly clockTrusted: boolean;
  /** Milliseconds since the kernel started. */
  readonly uptimeMs: number;
  readonly hold: Hold | null;
  readonly lost: Lost | null;
  /** Id and type of the command that is being carried out, if it is another one. */
  readonly busyWith: { readonly id: string; readonly type: string } | null;
  /** `hardware` of the configuration. */
  readonly hardware: boolean;
  readonly helper: { readonly present: true } | { readonly present: false; readonly why: Why };
  readonly helperLook: HelperLook | null;
  /** Why the journal takes no more of this source; null or left out: it does, or it has this command already. */
  readonly noRoom?: Why | null;
  /** Whether the state outlives a reboot: `tmpfs`, `overlay` do not. */
  readonly storage: { readonly writable: boolean; readonly volatile: string | null };
  readonly inhibitors: readonly Inhibitor[];
  /** The package manager holds its lock. */
  readonly packageLock: boolean;
  /** Which one, for the sentence. */
  readonly packageLockFile?: string | null;
  /** Names of OS updates that are being installed, or files that a site named for that. */
  readonly updates: readonly string[];
  /** Users with an interactive session: `root on pts/0 from 10.0.0.5`. */
  readonly sessions: readonly string[];
  readonly osds: OsdsHere;
  /** What could not be read, and why: "/run/systemd/inhibit can't be read". Such a fact counts as a reason to wait. */
  readonly unreadable?: Readonly<Partial<Record<Hidden, string>>>;
}
