/**
 * One agent a state folder. Node has no flock, so an empty SQLite database (`lock.db`) is held in an
 * exclusive transaction for as long as the agent lives: a POSIX lock under it, which the kernel drops with
 * the process however it ends. It is apart from state.db so that it can be taken before state.db is looked
 * at: a database that another agent is writing must not be judged corrupt and moved away.
 */
import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentError } from "../../model/errors.ts";
import { failureOf } from "./database.ts";

export interface Lock {
  release(): void;
}

/**
 * The lock, or null where none can be had (a read-only folder: nobody can write there anyway).
 * @throws AgentError `state_locked` when another agent has it
 */
export function takeLock(folder: string): Lock | null {
  const path = join(folder, "lock.db");
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(path, { allowExtension: false });
    connection.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
    // By path: closing another handle on the file would drop the lock. Who can open it could lock us out.
    chmodSync(path, 0o600);
  } catch (error) {
    connection?.close();
    const failure = failureOf(error);
    if (failure === "busy") throw lockedError(folder, holder(path));
    // Not a database: nothing is ever written into it, so somebody else put it there. Without a lock, on doubt, no writing.
    if (failure !== null) return null;
    throw error;
  }
  const held = connection;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}

/** @param pid of who holds the state, or null when not known */
export function lockedError(folder: string, pid: number | null): AgentError {
  const who = pid === null ? "another process" : `process ${pid}`;
  return new AgentError(
    "state_locked",
    `the state in ${folder} is in use by ${who}; one agent runs on one state`,
    pid === null
      ? "systemctl stop foundry-agent  # stops the other; or give this one another state_dir below [agent]"
      : `ps -fp ${pid}  # the other: stop it (systemctl stop foundry-agent), or give this one another state_dir below [agent]`,
  );
}

/** Who holds a POSIX write lock on the file, from /proc/locks: `1: POSIX  ADVISORY  WRITE 7700 fe:00:2154817 0 EOF` (proc_locks(5)). */
function holder(path: string): number | null {
  try {
    const inode = String(statSync(path).ino);
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const [, kind, , access, pid, file] = line.trim().split(/\s+/);
      if (kind === "POSIX" && access === "WRITE" && file?.split(":")[2] === inode && Number(pid) > 0)
        return Number(pid);
    }
  } catch {
    // Not there in some sandboxes; the sentence then says "another process".
  }
  return null;
}
