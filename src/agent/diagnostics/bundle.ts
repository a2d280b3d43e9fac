/**
 * Makes a diagnostics bundle: one .tar.gz with everything that whoever helps asks for anyway, and no secret.
 * Whole or not there: written beside its place, fsynced, renamed; the oldest go only after that.
 */
import { hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gzip } from "node:zlib";
import { AgentError, errorCode } from "../../model/errors.ts";
import { systemWords } from "../../model/text/system-words.ts";
import type { Clock } from "../../system/clock.ts";
import { tarArchive } from "../../system/tar.ts";
import { BUNDLE_FOLDER } from "./contents.ts";
import { type BundleInput, bundleTexts, type Cut } from "./texts.ts";

export interface Bundle {
  readonly path: string;
  readonly bytes: number;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
}

/** What the agent API takes (docs/agent-api.openapi.json). */
export const BUNDLE_MAX_BYTES = 5 * 1024 * 1024;
export const BUNDLE_COMMANDS = 200;
export const BUNDLE_EVENTS = 500;
const KEPT = 3;
const ENDING = ".tar.gz";

/** Tried in turn until the bundle is small enough. */
const CUTS: readonly Cut[] = [
  { commands: BUNDLE_COMMANDS, events: BUNDLE_EVENTS, lines: 500, data: true },
  { commands: 50, events: 100, lines: 100, data: true },
  { commands: 10, events: 10, lines: 10, data: true },
  { commands: 10, events: 10, lines: 10, data: false },
];

/**
 * Make one and write it to `folder` (made when it is not there, 0700) as the command's id, or the time, 0600.
 * At most 3 are kept there.
 * @throws AgentError `diagnostics_no_space`, `diagnostics_not_writable`, `diagnostics_too_large`
 */
export async function makeBundle(input: BundleInput, folder: string, clock: Clock): Promise<Bundle> {
  const now = clock.now();
  const data = await packed(input, now);
  const path = join(folder, `${fileName(input.id, now)}${ENDING}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    removeLeftovers(folder);
    writeWhole(folder, path, data);
    keepNewest(folder, path);
  } catch (error) {
    throw notWritten(folder, error);
  }
  return { path, bytes: data.length, sha256: hash("sha256", data, "hex") };
}

async function packed(input: BundleInput, now: number): Promise<Buffer> {
  for (const cut of CUTS) {
    const entries = bundleTexts(input, cut, now).map(([name, text]) => {
      return {
        name: `${BUNDLE_FOLDER}/${name}`,
        mode: 0o600,
        mtimeMs: Math.max(0, now),
        data: Buffer.from(text),
      };
    });
    const data = await gzipped(tarArchive(entries));
    if (data.length <= BUNDLE_MAX_BYTES) return data;
  }
  throw new AgentError(
    "diagnostics_too_large",
    `The diagnostics bundle would have more than ${BUNDLE_MAX_BYTES / 1024 / 1024} MiB, however much is left out.`,
    "foundry-agent report --json  # and journalctl -u foundry-agent, which are most of it",
  );
}

/** In a thread of the pool: seconds on a small board, in which all else goes on. Its header holds no time. */
function gzipped(data: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(data, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

/** A server's id is safe in a file name, a local one too; what else there may be in the journal is made so. */
function fileName(id: string | null, now: number): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  return id === null ? time : id.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 100) || time;
}

function writeWhole(folder: string, path: string, data: Buffer): void {
  const fresh = `${path}.new`;
  try {
    const fd = openSync(fresh, "wx", 0o600);
    try {
      for (let rest = data; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  const opened = openSync(folder, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** Of a process that died while it wrote: there is one at a time. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith(`${ENDING}.new`)) rmSync(join(folder, name), { force: true });
}

/** The new one always stays, whatever the clock says of the others. */
function keepNewest(folder: string, fresh: string): void {
  const others = readdirSync(folder)
    .filter((name) => name.endsWith(ENDING) && join(folder, name) !== fresh)
    .map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of others.slice(KEPT - 1)) rmSync(path, { force: true });
}

function notWritten(folder: string, error: unknown): AgentError {
  const code = errorCode(error);
  const cause = { cause: error };
  return code === "ENOSPC" || code === "EDQUOT"
    ? new AgentError(
        "diagnostics_no_space",
        `There is no space left for a diagnostics bundle in ${folder}.`,
        `df -h ${folder}  # then once more`,
        cause,
      )
    : new AgentError(
        "diagnostics_not_writable",
        `A diagnostics bundle can't be written to ${folder}: ${systemWords(error)}.`,
        `ls -ld ${folder}`,
        cause,
      );
}
