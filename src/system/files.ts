/**
 * Reads of /proc, /sys, /dev, /run and /etc under an injectable root.
 *
 * Synchronous, because a pseudo file answers from memory in microseconds while the thread pool costs a
 * hundred of them and four blocked reads there stop every other file read and DNS look-up of the process.
 * Opened with O_NONBLOCK, so a FIFO in the wrong place is an error and not a hang. The few files behind
 * which a device has to answer (NVMe hwmon, enclosure status) go through `slow`, one at a time.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { join, relative } from "node:path";
import { AgentError, errorCode } from "../model/errors.ts";
import { openSlowLane, type SlowLane } from "./slow-lane.ts";

export interface FileInfo {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
  /** When what it is or belongs to changed last: unlike the other, nobody but the kernel can set it. */
  readonly ctimeMs: number;
  readonly isDirectory: boolean;
}

/** All paths are absolute paths of the machine (`/sys/block`); the root is put before them here only. */
export interface Files {
  readonly root: string;
  /**
   * Text of a file, at most `maxBytes` (64 KiB) of it, undecodable bytes replaced, trailing NULs and line breaks kept.
   * @throws AgentError with the system call's code (`ENOENT`, `EACCES`, `EIO`, `EINVAL`, …) or `not_a_file`.
   */
  read(path: string, maxBytes?: number): string;
  /** `read` for files that are no text (firmware tables): the bytes as they are. */
  bytes(path: string, maxBytes?: number): Uint8Array;
  /** `read`, trimmed of white space and NULs; null when it can't be read for any reason or is empty. */
  text(path: string): string | null;
  /** `text` as a finite number (decimal, or hex with 0x); null when it is none. */
  number(path: string): number | null;
  /** Names in a folder, sorted; [] when there is no such folder or it can't be read. */
  list(path: string): string[];
  /** Target of a symbolic link as written, or null. */
  link(path: string): string | null;
  /** Absolute path of the machine with all links resolved, or null. */
  resolve(path: string): string | null;
  /** What is at a path (links followed), or null. */
  info(path: string): FileInfo | null;
  /** "yes", "no" or "denied": a folder we may not look into, or that can't be read, hides what is in it. */
  presence(path: string): "yes" | "no" | "denied";
  /** Reads behind which a device has to answer: asynchronous, one in flight in total, quarantined after a hang. */
  readonly slow: SlowLane;
}

const DEFAULT_MAX = 64 * 1024;
/** Most of what is asked for is not there, and an error with its stack costs more than the look. */
const NOTHING_IS_NO_ERROR = { throwIfNoEntry: false } as const;
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** @param root "/" or the folder of a fixture tree; its `errors.json` maps a path to the error code reading it gives. */
export function openFiles(root: string, injected: Readonly<Record<string, string>> = {}): Files {
  const at = root === "/" ? (path: string): string => path : (path: string): string => join(root, path);
  // One buffer for all reads: a collection reads hundreds of small files.
  const buffer = Buffer.allocUnsafeSlow(DEFAULT_MAX);

  function fail(path: string, code: string, cause?: unknown): never {
    throw new AgentError(code, `${path} can't be read (${code})`, null, { cause });
  }

  function checkInjected(path: string): void {
    const code = injected[path];
    if (code !== undefined) fail(path, code);
  }

  /** Throws what Node throws: whoever only wants to know that it failed need not pay for a second error. */
  function attempt<T>(path: string, maxBytes: number, as: (into: Buffer, length: number) => T): T {
    checkInjected(path);
    const fd = openSync(at(path), FLAGS);
    try {
      const into = maxBytes <= buffer.length ? buffer : Buffer.allocUnsafe(maxBytes);
      let length = 0;
      while (length < maxBytes) {
        const got = readSync(fd, into, length, Math.min(into.length, maxBytes) - length, null);
        if (got === 0) break;
        length += got;
      }
      // A FIFO without a writer reads as empty: an empty pseudo file is rare enough to ask.
      if (length === 0 && !fstatSync(fd).isFile()) return fail(path, "not_a_file");
      return as(into, length);
    } finally {
      closeSync(fd);
    }
  }

  function take<T>(path: string, maxBytes: number, as: (into: Buffer, length: number) => T): T {
    try {
      return attempt(path, maxBytes, as);
    } catch (error) {
      if (error instanceof AgentError) throw error;
      return fail(path, errorCode(error), error);
    }
  }

  function read(path: string, maxBytes = DEFAULT_MAX): string {
    return take(path, maxBytes, textOf);
  }

  function text(path: string): string | null {
    try {
      const trimmed = trim(attempt(path, DEFAULT_MAX, textOf));
      return trimmed === "" ? null : trimmed;
    } catch {
      return null;
    }
  }

  return {
    root,
    read,
    bytes: (path, maxBytes = DEFAULT_MAX) => take(path, maxBytes, bytesOf),
    text,
    number(path) {
      const found = text(path);
      if (found === null) return null;
      const value = Number(found);
      return Number.isFinite(value) ? value : null;
    },
    list(path) {
      if (injected[path] !== undefined) return [];
      try {
        return readdirSync(at(path)).sort();
      } catch {
        return [];
      }
    },
    link(path) {
      try {
        return readlinkSync(at(path));
      } catch {
        return null;
      }
    },
    resolve(path) {
      try {
        // The C library's: a third of what Node's own, which looks at each folder above, takes.
        const real = realpathSync.native(at(path));
        return root === "/" ? real : `/${relative(realpathSync.native(root), real)}`;
      } catch {
        return null;
      }
    },
    info(path) {
      if (injected[path] !== undefined) return null;
      try {
        const found = statSync(at(path), NOTHING_IS_NO_ERROR);
        if (found === undefined) return null;
        const { dev, ino, mode, uid, gid, size, mtimeMs, ctimeMs } = found;
        return { dev, ino, mode, uid, gid, size, mtimeMs, ctimeMs, isDirectory: found.isDirectory() };
      } catch {
        return null;
      }
    },
    presence(path) {
      const code = injected[path];
      if (code !== undefined) return code === "ENOENT" || code === "ENOTDIR" ? "no" : "denied";
      try {
        return lstatSync(at(path), NOTHING_IS_NO_ERROR) === undefined ? "no" : "yes";
      } catch {
        // A disk that fails (EIO) or is gone (ESTALE) says as little as a closed folder.
        return "denied";
      }
    },
    slow: openSlowLane(at, injected),
  };
}

function textOf(into: Buffer, length: number): string {
  return into.toString("utf8", 0, length);
}

/** A copy: the buffer is the next read's. */
function bytesOf(into: Buffer, length: number): Uint8Array {
  return Uint8Array.from(into.subarray(0, length));
}

/** Without white space and NULs at both ends. A loop, because a regular expression costs as much as the read. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0 || (code >= 0x09 && code <= 0x0d);
}
