/**
 * Reads that may hang: behind an NVMe hwmon file the drive itself answers an admin command, and a sick
 * drive never does. A hung read holds one thread of the pool for ever, so at most one is in flight in
 * total, the thing that hung is quarantined, and after `MAX_LOST` lost threads the lane stays closed.
 */

import { close, open, read, statfs } from "node:fs";
import { promisify } from "node:util";
import { AgentError, errorCode } from "../model/errors.ts";
import { plural } from "../model/text/sentence.ts";
import { span } from "../model/text/span.ts";

export interface FileSystemSpace {
  readonly total_bytes: number;
  readonly free_bytes: number;
  readonly available_bytes: number;
  /** Inodes; 0: the file system has no fixed number of them. */
  readonly files: number;
  readonly files_free: number;
}

export interface SlowLane {
  /**
   * Text of a file (≤ 64 KiB), trimmed. `subject` names the device that answers; it is what gets quarantined.
   * @throws AgentError `timeout`, `quarantined`, or the system call's code.
   */
  read(path: string, subject: string, timeoutMs?: number): Promise<string>;
  /** Space of a mounted local file system. Never call it for nfs, ceph, cifs, fuse or 9p. */
  space(path: string, subject: string, timeoutMs?: number): Promise<FileSystemSpace>;
  /** Devices whose answer never came, with the wait so far being open-ended. */
  quarantined(): readonly string[];
}

const MAX_LOST = 2; // of the four threads libuv has, two stay for everything else
const TIMEOUT_MS = 2_000;

/** Not `node:fs/promises`, which costs 3 ms of every start. */
const file = {
  open: promisify(open),
  read: promisify(read),
  close: promisify(close),
  space: promisify(statfs),
};

export function openSlowLane(
  at: (path: string) => string,
  injected: Readonly<Record<string, string>>,
): SlowLane {
  const hung = new Set<string>();
  let lost = 0;
  let tail: Promise<unknown> = Promise.resolve();

  function run<T>(subject: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
    const turn = tail.then(async (): Promise<T> => {
      if (hung.has(subject))
        throw new AgentError(
          "quarantined",
          `${subject} did not answer before and is left alone until it does`,
        );
      if (lost >= MAX_LOST)
        throw new AgentError(
          "quarantined",
          `${plural(lost, "device does", "devices do")} not answer, so ${subject} is not asked`,
        );
      return await bounded(subject, timeoutMs, work());
    });
    tail = turn.catch(() => undefined);
    return turn;
  }

  async function bounded<T>(subject: string, timeoutMs: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<"timeout">((resolve) => {
      timer = setTimeout(resolve, timeoutMs, "timeout");
    });
    try {
      const first = await Promise.race([work, timeout]);
      if (first !== "timeout") return first as T;
    } finally {
      clearTimeout(timer);
    }
    hung.add(subject);
    lost++;
    // Should it answer after all, the thread is back and the device is trusted again.
    work
      .catch(() => undefined)
      .finally(() => {
        hung.delete(subject);
        lost--;
      });
    throw new AgentError("timeout", `${subject} did not answer within ${span(timeoutMs)}`);
  }

  function checkInjected(path: string): void {
    const code = injected[path];
    if (code !== undefined) throw new AgentError(code, `${path} can't be read (${code})`);
  }

  return {
    read: (path, subject, timeoutMs = TIMEOUT_MS) =>
      run(subject, timeoutMs, async () => {
        checkInjected(path);
        return await readText(at(path), path);
      }),
    space: (path, subject, timeoutMs = TIMEOUT_MS) =>
      run(subject, timeoutMs, async () => {
        checkInjected(path);
        const found = await file.space(at(path));
        return {
          total_bytes: found.blocks * found.bsize,
          free_bytes: found.bfree * found.bsize,
          available_bytes: found.bavail * found.bsize,
          files: found.files,
          files_free: found.ffree,
        };
      }),
    quarantined: () => [...hung].sort(),
  };
}

async function readText(real: string, shown: string): Promise<string> {
  try {
    // Blocking on purpose (no O_NONBLOCK): the device's answer is awaited, bounded by the caller.
    const descriptor = await file.open(real, "r");
    try {
      const buffer = Buffer.alloc(64 * 1024);
      const { bytesRead } = await file.read(descriptor, buffer, 0, buffer.length, null);
      return buffer.toString("utf8", 0, bytesRead).replace(/^[\s\0]+|[\s\0]+$/g, "");
    } finally {
      await file.close(descriptor);
    }
  } catch (error) {
    throw new AgentError(errorCode(error), `${shown} can't be read (${errorCode(error)})`, null, {
      cause: error,
    });
  }
}
