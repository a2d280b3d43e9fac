/**
 * Captures what the collectors read of a running Linux machine as a fixture tree (format: test/support/machine/tree.ts):
 *
 *     node capture-tree.mjs ["how and where it was captured"] > test/fixtures/trees/NAME/captured.tree.json
 *
 * Plain JavaScript for Node 20 or newer without packages, so that it can be copied to any machine together with
 * capture-paths.mjs; run it as root, because an unprivileged capture lacks serial numbers. Nothing is asked of a
 * device but what its drivers keep in memory and its temperature. The machine id is replaced by a made-up one,
 * passwords in fstab and what the kernel was started with are blanked, and only `container=` is taken of an environment; host name, addresses and serial
 * numbers of the hardware stay, so look through the result before you publish it.
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
  statSync,
} from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, posix } from "node:path";
import { AS_FOLDER, CONTENT, FOLDERS, matching, NAMES_ONLY, PRESENCE, TIMED } from "./capture-paths.mjs";

const MAX_FILE = 8 * 1024;
/** Tables of /proc have a line or more for each CPU, drive or mount. */
const MAX_TABLE = 128 * 1024;
const MAX_CPUINFO = 1024 * 1024;
const MAX_TOTAL = 600 * 1024;
/** Made up; what a machine id looks like. */
const MACHINE_ID = "0123456789abcdef0123456789abcdef\n";

const tree = {
  about: "",
  files: {},
  links: {},
  folders: [],
  errors: {},
  addresses: [],
  now: Date.now(),
  times: {},
};
const folders = new Set();
let total = 0;
let leftOut = 0;

/** EACCES or EPERM when the folder may not be looked into, else null. */
function refusal(folder) {
  try {
    readdirSync(folder);
  } catch (error) {
    if (error.code === "EACCES" || error.code === "EPERM") return error.code;
  }
  return null;
}

/** Walk to a path, keeping every link on the way; the path with all links followed, or null when it leads nowhere. */
function walk(path) {
  let real = "";
  const parts = path.split("/").slice(1);
  for (let steps = 0; parts.length > 0; steps++) {
    if (steps > 200) return null;
    const at = posix.join(real === "" ? "/" : real, parts.shift());
    const info = infoOf(at, lstatSync);
    if (info === null) return null;
    if (!info.isSymbolicLink() || AS_FOLDER.has(at)) {
      real = at;
      continue;
    }
    const target = readlinkSync(at);
    // Not a place but an identity: cgroup:[4026531835].
    if (target.includes(":[")) {
      tree.links[at] = target;
      return null;
    }
    const absolute = posix.resolve(dirname(at), target);
    tree.links[at] = target.startsWith("/") ? posix.relative(dirname(at), absolute) : target;
    parts.unshift(...absolute.split("/").slice(1));
    real = "";
  }
  return real;
}

function infoOf(path, ask) {
  try {
    return ask(path);
  } catch {
    return null;
  }
}

function capture(path) {
  if (NAMES_ONLY.test(path)) return;
  const real = walk(path);
  if (real === null) return;
  if (tree.errors[real] !== undefined) tree.errors[path] = tree.errors[real];
  if (tree.files[real] !== undefined) return;
  const info = infoOf(real, statSync);
  if (info === null) return;
  if (info.isDirectory()) folders.add(real);
  else if (info.isFile()) keep(real, info);
  // Errors are looked up by the path that is asked for, which may have links in it.
  if (tree.errors[real] !== undefined) tree.errors[path] = tree.errors[real];
}

function keep(path, info) {
  let content;
  try {
    content = redacted(path, readBytes(path, sizeLimit(path)));
  } catch (error) {
    tree.files[path] = "";
    tree.errors[path] = error.code ?? "EIO";
    return;
  }
  if (total + content.length > MAX_TOTAL) {
    leftOut++;
    return;
  }
  total += content.length;
  tree.files[path] = asJson(content);
  if (TIMED.test(path)) tree.times[path] = Math.floor(info.mtimeMs);
}

function sizeLimit(path) {
  // The names are enough, and what comes after `--` is nobody's business.
  if (path === "/proc/cmdline")
    return Buffer.from(
      content
        .toString()
        .replace(/ -- .*/s, "\n")
        .replace(/=(?:"[^"]*"|\S*)/g, "=x"),
    );
  if (path === "/proc/cpuinfo") return MAX_CPUINFO;
  return path.startsWith("/proc/") ? MAX_TABLE : MAX_FILE;
}

/** At most `max` bytes; of a longer text only whole lines. */
function readBytes(path, max) {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!fstatSync(fd).isFile()) return Buffer.alloc(0);
    const buffer = Buffer.alloc(max);
    let length = 0;
    while (length < max) {
      const got = readSync(fd, buffer, length, max - length, null);
      if (got === 0) break;
      length += got;
    }
    const end = length < max ? length : buffer.lastIndexOf("\n") + 1 || length;
    return buffer.subarray(0, end);
  } finally {
    closeSync(fd);
  }
}

function redacted(path, content) {
  if (path === "/etc/machine-id") return Buffer.from(MACHINE_ID);
  // A crash record's first line says whether it was a panic; the rest is the kernel's log.
  if (path.startsWith("/sys/fs/pstore/")) return content.subarray(0, Math.min(64, content.indexOf("\n") + 1));
  if (path === "/etc/fstab")
    return Buffer.from(content.toString().replace(/((?:pass\w*|secret|cred\w*|key)=)[^,\s]*/gi, "$1x"));
  if (path === "/proc/cpuinfo") return Buffer.from(shortCpuinfo(content.toString()));
  if (path === "/proc/1/environ")
    return Buffer.from(/(?:^|\0)(container=[^\0]*)/.exec(content.toString())?.[1] ?? "");
  return content;
}

/** The long lines, the same for every CPU, of the first one only. */
function shortCpuinfo(text) {
  const [first, ...others] = text.split("\n\n");
  const short = others.map((block) => block.replace(/^(?:flags|bugs|vmx flags|Features)\s*:.*\n/gm, ""));
  return [first, ...short].join("\n\n");
}

/** Text where nothing is lost by it, else base64. */
function asJson(content) {
  const text = content.toString("utf8");
  const plain = Buffer.from(text, "utf8").equals(content) && !/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text);
  return plain ? text : { base64: content.toString("base64") };
}

/** Null where the kernel does not tell (a unit without AF_NETLINK), as for the collectors. */
function addresses() {
  let all;
  try {
    all = networkInterfaces();
  } catch {
    return null;
  }
  return Object.entries(all).flatMap(([name, list]) =>
    (list ?? []).map(({ address, cidr, family }) => ({
      interface: name,
      address,
      prefix: cidr ? Number(cidr.slice(cidr.lastIndexOf("/") + 1)) : 0,
      family: family === "IPv6" || family === 6 ? 6 : 4,
    })),
  );
}

function sorted(record) {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

for (const path of FOLDERS) {
  if (infoOf(path, statSync)?.isDirectory()) folders.add(path);
  const code = refusal(path);
  // Also for a name in it, by which the collectors ask whether they may look.
  if (code !== null) for (const asked of [path, `${path}/x`]) tree.errors[asked] = code;
}
for (const path of matching(CONTENT)) capture(path);
for (const path of matching(PRESENCE)) {
  const info = infoOf(path, statSync);
  const real = info === null ? null : walk(path);
  if (info === null || real === null) continue;
  if (info.isDirectory()) folders.add(real);
  else {
    tree.files[real] = "";
    if (TIMED.test(real)) tree.times[real] = Math.floor(info.mtimeMs);
  }
}

// A folder with something in it needs no mention.
const within = [...Object.keys(tree.files), ...Object.keys(tree.links)].sort();
tree.folders = [...folders].filter((folder) => !within.some((path) => path.startsWith(`${folder}/`))).sort();
for (const name of ["files", "links", "errors", "times"]) tree[name] = sorted(tree[name]);
tree.addresses = addresses();
const os = /^PRETTY_NAME="?([^"\n]*)/m.exec(
  String(tree.files["/usr/lib/os-release"] ?? tree.files["/etc/os-release"] ?? ""),
)?.[1];
const user = process.getuid() === 0 ? "root" : "an unprivileged user";
tree.about = `Captured by scripts/test/capture-tree.mjs as ${user} on ${new Date(tree.now).toISOString().slice(0, 10)}: ${[
  process.argv[2],
  os,
  `kernel ${String(tree.files["/proc/sys/kernel/osrelease"] ?? "").trim()}`,
]
  .filter(Boolean)
  .join(", ")}. The machine id is made up.`;
if (leftOut > 0)
  process.stderr.write(`${leftOut} files were left out: the tree would be bigger than ${MAX_TOTAL} bytes\n`);
process.stdout.write(`${JSON.stringify(tree, null, 1)}\n`);
