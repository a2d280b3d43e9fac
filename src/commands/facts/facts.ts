/**
 * The facts that gates judge by, read from files: no process, no bus; half a millisecond of CPU as it ships (without a
 * compiler), 3 ms the first time. What can't be read is said and counts as a reason to wait; what has no trace (no
 * systemd, no dpkg) is not there.
 */
import { osdsHere } from "../../ceph/here.ts";
import { errorCode } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";
import type { MountLine } from "../../system/mountinfo.ts";
import type { Facts, Hidden } from "../gates/gate.ts";
import {
  busyMark,
  type Mark,
  PACKAGE_MARKS,
  RAUC_CONFIGS,
  raucMarks,
  UPDATE_MARKS,
} from "../gates/update-marks.ts";
import { type HeldLock, locked, readLocks } from "./locks.ts";
import { readMounts, volatileStorage } from "./mounts.ts";
import { readInhibitors, readSessions } from "./systemd.ts";

export interface FactsOptions {
  /** Where the journal lies. */
  readonly stateDir: string;
  /** Whether the journal takes writes, as the store says. */
  readonly journalWritable: boolean;
  /** `commands.busy_files`. */
  readonly busyFiles: readonly string[];
  /** Wall clock, milliseconds. */
  readonly now: number;
}

export type ReadFacts = Pick<
  Facts,
  | "uptimeMs"
  | "inhibitors"
  | "packageLock"
  | "packageLockFile"
  | "updates"
  | "sessions"
  | "osds"
  | "storage"
  | "clockTrusted"
  | "unreadable"
>;

/**
 * Read them all; never throws. `clockTrusted` is what systemd-timesyncd says; where another program keeps the clock
 * (chrony) it is false, and only an exact server time makes it good. `uptimeMs` is 0 where it can't be read.
 */
export function readFacts(files: Files, options: FactsOptions): ReadFacts {
  const unreadable: Partial<Record<Hidden, string>> = {};
  const uptime = readUptime(files);
  if (uptime === null) unreadable.uptime = "/proc/uptime can't be read";
  const scene: Scene = {
    files,
    mounts: readMounts(files),
    locks: readLocks(files),
    bootedAt: options.now - (uptime ?? 0),
  };
  const inhibitors = readInhibitors(files);
  if (inhibitors.unreadable !== null) unreadable.inhibitors = inhibitors.unreadable;
  const sessions = readSessions(files);
  if (sessions.unreadable !== null) unreadable.sessions = sessions.unreadable;

  const packages = judge(scene, PACKAGE_MARKS);
  if (packages.doubt !== null) unreadable.package_lock = packages.doubt;
  const rauc = RAUC_CONFIGS.map((path) => files.text(path)).find((text) => text !== null) ?? null;
  const updates = judge(scene, [...UPDATE_MARKS, ...raucMarks(rauc), ...options.busyFiles.map(busyMark)]);
  if (updates.doubt !== null) unreadable.updates = updates.doubt;
  return {
    uptimeMs: uptime ?? 0,
    inhibitors: inhibitors.found,
    sessions: sessions.found,
    packageLock: packages.signs.length > 0,
    packageLockFile: packages.signs[0]?.path ?? null,
    updates: [...new Set(updates.signs.map(said))],
    osds: osdsHere(files),
    storage: {
      writable: options.journalWritable,
      volatile: volatileStorage(files, options.stateDir, scene.mounts),
    },
    clockTrusted: isClockTrusted(files),
    unreadable,
  };
}

/** systemd-timesyncd says that the wall clock is right. Of other programs that keep it nobody is asked. */
export function isClockTrusted(files: Files): boolean {
  return files.presence("/run/systemd/timesync/synchronized") === "yes";
}

interface Scene {
  readonly files: Files;
  readonly mounts: readonly MountLine[];
  readonly locks: readonly HeldLock[] | null;
  /** Wall clock, milliseconds. */
  readonly bootedAt: number;
}

function said({ name, path }: Mark): string {
  return name === path ? path : `${name} (${path})`;
}

/** Marks that show, and the first that is hidden. */
function judge(scene: Scene, marks: readonly Mark[]): { signs: Mark[]; doubt: string | null } {
  const signs: Mark[] = [];
  let doubt: string | null = null;
  for (const mark of marks) {
    const shows = showing(scene, mark);
    if (shows === "yes") signs.push(mark);
    else if (shows === "unknown")
      doubt ??= `${mark.path}${mark.sign === "locked" && scene.locks === null ? " or /proc/locks" : ""} can't be read`;
  }
  return { signs, doubt };
}

function showing(scene: Scene, { path, sign }: Mark): "yes" | "no" | "unknown" {
  const { files, mounts, locks, bootedAt } = scene;
  if (sign === "locked") return locked(files, path, locks, mounts);
  const present = files.presence(path);
  if (present !== "yes") return present === "denied" ? "unknown" : "no";
  if (sign === "exists") return "yes";
  if (sign === "pid") return processOf(files, path);
  // A bundle's own root folder is as old as the bundle.
  if (mounts.some((mount) => mount.mountpoint === path)) return "yes";
  const made = files.info(path)?.mtimeMs;
  return made !== undefined && made >= bootedAt ? "yes" : "no";
}

/** Processes of other users may be hidden from us (ProtectProc=): only where PID 1 shows, a missing one is gone. */
function processOf(files: Files, path: string): "yes" | "no" | "unknown" {
  let text: string;
  try {
    text = files.read(path, 64).trim();
  } catch (error) {
    return errorCode(error) === "ENOENT" ? "no" : "unknown";
  }
  if (!/^[1-9]\d{0,9}$/.test(text)) return "no";
  if (files.presence(`/proc/${text}`) === "yes") return "yes";
  return files.presence("/proc/1") === "yes" ? "no" : "yes";
}

/** Milliseconds since the kernel started, sleep included; null where that can't be read. */
export function readUptime(files: Files): number | null {
  const found = /^(\d{1,12}\.\d{2}) /.exec(files.text("/proc/uptime") ?? "");
  return found ? Math.round(Number(found[1]) * 1000) : null;
}
