/**
 * Makes a checkout ready to run: `node scripts/prepare.mjs [install] [bundle]`.
 *
 * install: `npm ci --ignore-scripts` when node_modules is missing or does not hold what package-lock.json
 * says. bundle: src/main.ts → build/foundry-agent.cjs when a source is newer. Both do nothing when there is
 * nothing to do, so each npm script can begin with it, for whom the checkout is only there to be read too.
 * Plain JavaScript without packages, for it runs before there are any, on whatever Node (20 or newer) npm
 * itself runs on.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runNpm } from "./npm.mjs";
import { BUNDLE, NODE, ROOT } from "./paths.mjs";

const LOCK = join(ROOT, "build/.prepare-lock");
/** The pinned Node for this machine, under node_modules. */
const OWN_NODE = `node-linux-${process.arch}/bin/node`;
const NODE_LINK = "node_modules/.bin/node";
const READ_ONLY = new Set(["EACCES", "EPERM", "EROFS"]);

/** Something a person has to see to; its sentence is all that is printed. */
class Failure extends Error {}

/** What is wrong with node_modules, in words, or null when it holds what package-lock.json asks for. */
export function missing(root = ROOT) {
  if (!existsSync(join(root, "node_modules"))) return "node_modules is not there";
  if (!existsSync(join(root, "node_modules", OWN_NODE))) return `node_modules/${OWN_NODE} is not there`;
  const wanted = packages(join(root, "package-lock.json"));
  const installed = packages(join(root, "node_modules/.package-lock.json"));
  if (installed === null) return "node_modules is not complete";
  for (const [path, entry] of Object.entries(wanted ?? {})) {
    if (path === "") continue;
    const found = installed[path];
    // Optional packages are those of other machines; they are not installed here.
    if (found === undefined ? !entry.optional : found.integrity !== entry.integrity)
      return `${path} is not the one in package-lock.json`;
  }
  for (const path of Object.keys(installed)) {
    if (wanted?.[path] === undefined) return `${path} is not in package-lock.json`;
  }
  return null;
}

function packages(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, "utf8")).packages;
  } catch {
    return null;
  }
}

/** Install what package-lock.json says, exactly, without running any package's scripts. */
export function install() {
  if (missing() === null) return linkNode();
  console.error("installing (once) …");
  const from = performance.now();
  const { ok, output } = runNpm(ROOT, ["ci", "--ignore-scripts", "--include=dev", "--include=optional"]);
  if (!ok) {
    process.stderr.write(output);
    throw new Failure("npm ci failed, so there is nothing to run yet");
  }
  const still = missing();
  if (still !== null) {
    const machine = `${process.platform} ${process.arch}`;
    throw new Failure(`after npm ci ${still}; this is ${machine}, and Linux on x64 or arm64 is needed`);
  }
  linkNode();
  console.error(`installed in ${((performance.now() - from) / 1000).toFixed(0)} s`);
}

/** npm 10 takes the link of the optional package that is not for this machine away, and with it the other's. */
function linkNode() {
  const link = join(ROOT, NODE_LINK);
  if (!existsSync(link)) symlinkSync(`../${OWN_NODE}`, link);
}

/** Newest change among the files under a path, milliseconds. */
function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  // The folder's own time counts too: deleting a file changes nothing else.
  return Math.max(info.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** What is wrong with the bundle, in words, or null when no source, bundler's script or dependency changed since. */
function outdated() {
  const name = relative(ROOT, BUNDLE);
  if (!existsSync(BUNDLE)) return `${name} is not there`;
  const sources = ["src", "package.json", "package-lock.json", "scripts/build/bundle.mjs"];
  const changed = Math.max(...sources.map((source) => newest(join(ROOT, source))));
  return statSync(BUNDLE).mtimeMs >= changed ? null : `${name} is older than its sources`;
}

/** Bundle the agent when it is to be. */
function bundle() {
  if (outdated() === null) return;
  // A process of its own: this one may have started before there was an esbuild.
  const done = spawnSync(NODE, [join(ROOT, "scripts/build/bundle.mjs")], { cwd: ROOT, stdio: "inherit" });
  if (done.status !== 0) throw new Failure("the agent can't be bundled: see above");
}

/** Why something has to be done, in words, or null: then nothing is written, and no lock is needed. */
function toDo(steps) {
  if (steps.includes("install")) {
    const why = missing() ?? (existsSync(join(ROOT, NODE_LINK)) ? null : `${NODE_LINK} is not there`);
    if (why !== null) return why;
  }
  return steps.includes("bundle") ? outdated() : null;
}

/** What to do about a checkout that somebody else has to write to. */
function readOnly(why, steps, { code }) {
  const next = `node scripts/prepare.mjs ${steps.join(" ")}`;
  return new Failure(
    `${why}, and this user can't write to ${ROOT} (${code}). Next: ${next}  # there, as its owner`,
  );
}

/** One at a time: two npm scripts started together must not both install. */
function locked(work) {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (holder() === null) rmSync(LOCK, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/** Process id of the one that is preparing, or null when it is gone. An empty file is one just being written. */
function holder() {
  try {
    const pid = Number(readFileSync(LOCK, "utf8"));
    if (pid === 0) return Date.now() - statSync(LOCK).mtimeMs < 2_000 ? 0 : null;
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === "EPERM" ? 0 : null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const steps = ["install", "bundle"].filter((step) => process.argv.includes(step));
    const why = toDo(steps);
    if (why !== null) {
      try {
        locked(() => {
          if (steps.includes("install")) install();
          if (steps.includes("bundle")) bundle();
        });
      } catch (error) {
        throw READ_ONLY.has(error.code) ? readOnly(why, steps, error) : error;
      }
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
