/** What packages of either form are laid out from: files with their modes, all with one time. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { writeLicences } from "../build/licences.mjs";
import { ROOT } from "../paths.mjs";

export const UNITS = ["foundry-agent.service", "foundry-agent-helper.service", "foundry-agent-helper.socket"];

/**
 * Lay files into a folder. Modes do not depend on the umask; owners are set by who packs (root).
 * @param files `[path in the folder, { from } or { text } or { folder: true }, mode]`
 */
export function layFiles(folder, files) {
  for (const [path, content, mode = 0o644] of files) {
    const to = join(folder, path);
    mkdirSync(content.folder ? to : dirname(to), { recursive: true, mode: 0o755 });
    if (content.from !== undefined) copy(content.from, to);
    else if (content.text !== undefined) writeFileSync(to, content.text);
    chmodSync(to, content.folder ? 0o755 : mode);
  }
}

/** In pieces: an executable is over 100 MB. */
function copy(from, to) {
  const source = openSync(from, "r");
  const target = openSync(to, "w");
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  for (let got = readSync(source, buffer); got > 0; got = readSync(source, buffer))
    writeSync(target, buffer, 0, got);
  closeSync(source);
  closeSync(target);
}

/** Give the folder and all in it one time and every folder the mode 0755. */
export function settle(folder, date) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    utimesSync(path, date, date);
  }
  chmodSync(folder, 0o755);
  utimesSync(folder, date, date);
}

/** Regular files of a folder of packaging/, sorted; none when there is no such folder. */
export function packagingFiles(kind) {
  const folder = join(ROOT, "packaging", kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => ({ name, path: join(folder, name) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The licences of what the executables contain, made by the build; made here where an old dist/ has none. */
export function licencesFile() {
  const path = join(ROOT, "dist/THIRD-PARTY-LICENCES.txt");
  if (!existsSync(path)) writeLicences(path);
  return path;
}

/** Put a finished package in its place, which may be on another file system: whole or not at all. */
export function handOut(from, to) {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
  return to;
}
