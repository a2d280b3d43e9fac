/**
 * What a power cut leaves: copies of both states as of their last fsync. The journal's is taken when a call of the
 * store that promises durability has returned. The helper's is taken from its own system calls: what was written but
 * not fsynced is empty in the copy, and what was renamed without an fsync of the folder is not in it at all.
 */
import fs, { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { AUDIT_FOLDER } from "../../../src/helper/carry-out/audit-trail.ts";
import type { Points } from "./points.ts";
import { type Job, places } from "./types.ts";

const real = {
  openSync: fs.openSync,
  writeSync: fs.writeSync,
  fsyncSync: fs.fsyncSync,
  renameSync: fs.renameSync,
  closeSync: fs.closeSync,
};

/** Files of the journal as they are now. */
export function copyJournal(job: Job): void {
  if (!job.copies) return;
  const { state } = places(job.world);
  publish(job, "main", (into) => {
    for (const name of ["state.db", "state.db-wal"]) copyFileSync(join(state, name), join(into, name));
  });
}

/** All or nothing, also when another process ends this one in the middle. */
function publish(job: Job, who: "main" | "helper", fill: (into: string) => void): void {
  const { synced } = places(job.world);
  const into = join(synced, `${who}.${process.hrtime.bigint()}`);
  mkdirSync(into, { recursive: true });
  fill(into);
  writeFileSync(join(synced, `${who}.new`), into);
  real.renameSync(join(synced, `${who}.new`), join(synced, `${who}.now`));
}

/** Makes each system call on the helper's files a point. @returns ends that */
export function watchHelperFiles(job: Job, { point }: Points): () => void {
  const folder = places(job.world).helperState;
  const open = new Map<number, string>();
  /** What is certainly on the disk of a file, by inode. */
  const durable = new Map<number, Buffer>();
  const records = (): string[] => readdirSync(folder).filter((name) => name !== AUDIT_FOLDER);
  for (const name of records())
    durable.set(fs.statSync(join(folder, name)).ino, readFileSync(join(folder, name)));
  const name = (path: string): string => (path === folder ? "folder" : path.slice(folder.length + 1));
  // The audit trail is for people: nothing is decided by it, so no copy has it. But its writing is a moment like others.
  const audit = join(folder, AUDIT_FOLDER);
  const isOurs = (path: unknown): path is string =>
    typeof path === "string" && path.startsWith(folder) && !path.startsWith(audit);

  fs.openSync = ((path: string, flags: string | number, mode?: number) => {
    if (path.toString().startsWith(`${audit}/`)) point(`helper: append ${name(path)}`);
    const writes = flags === "wx" || path === folder;
    if (isOurs(path) && flags === "wx") point(`helper: create ${name(path)}`);
    const fd = real.openSync(path, flags, mode);
    if (isOurs(path) && writes) open.set(fd, path);
    return fd;
  }) as typeof fs.openSync;
  fs.writeSync = ((fd: number, ...rest: [never]) => {
    const path = open.get(fd);
    if (path !== undefined) point(`helper: write ${name(path)}`);
    return real.writeSync(fd, ...rest);
  }) as typeof fs.writeSync;
  fs.fsyncSync = (fd: number) => {
    const path = open.get(fd);
    if (path === undefined) return real.fsyncSync(fd);
    point(`helper: fsync ${name(path)}`);
    real.fsyncSync(fd);
    if (path !== folder) durable.set(fs.fstatSync(fd).ino, readFileSync(path));
    else if (job.copies)
      publish(job, "helper", (into) => {
        for (const one of records()) {
          const content = durable.get(fs.statSync(join(folder, one)).ino) ?? Buffer.alloc(0);
          writeFileSync(join(into, one), content, { mode: 0o600 });
        }
      });
    if (path === folder) point("helper: after the fsync of folder");
  };
  fs.renameSync = ((from: string, to: string) => {
    if (isOurs(to)) point(`helper: rename ${name(to)}`);
    // A helper that forgets what it was asked for.
    if (isOurs(to) && job.mutant === "calls_again") fs.rmSync(from);
    else real.renameSync(from, to);
  }) as typeof fs.renameSync;
  fs.closeSync = (fd: number) => {
    open.delete(fd);
    real.closeSync(fd);
  };
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  };
}

/** The disk after a power cut. */
export function loseUnsynced(world: string): void {
  const { synced, state, helperState } = places(world);
  for (const [who, folder] of [
    ["main", state],
    ["helper", helperState],
  ] as const) {
    // No copy: nothing of it was ever fsynced.
    const from = fs.existsSync(join(synced, `${who}.now`))
      ? readFileSync(join(synced, `${who}.now`), "utf8")
      : null;
    const kept = from === null ? [] : readdirSync(from);
    for (const name of readdirSync(folder))
      if (name !== "reserve" && name !== "lock.db") fs.rmSync(join(folder, name), { recursive: true });
    for (const name of kept) copyFileSync(join(from as string, name), join(folder, name));
  }
}
