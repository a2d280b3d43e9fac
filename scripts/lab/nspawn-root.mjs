/**
 * A minimal Debian with systemd in a folder, for booting with systemd-nspawn: what the packages are installed into.
 * Made once for each suite by debootstrap (40 s) and kept in build/; tests boot copies.
 *
 *   node scripts/lab/nspawn-root.mjs [bookworm] [trixie]     makes them and prints the folders
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../paths.mjs";

export const SUITES = ["bookworm", "trixie"];
/** systemd as PID 1, and what the package depends on, so that dpkg alone can install it. */
const PACKAGES = ["systemd", "systemd-sysv", "libatomic1", "libgcc-s1", "libstdc++6"];
const MIRROR = "http://deb.debian.org/debian";

/** Why no system can be booted here, with what to do; null when one can. */
export function nspawnLacking() {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "only root can boot a system in a folder";
  const wanted = { "systemd-nspawn": "systemd-container", debootstrap: "debootstrap", nsenter: "util-linux" };
  const missing = Object.entries(wanted)
    .filter(([program]) => spawnSync(program, ["--version"], { stdio: "ignore" }).status !== 0)
    .map(([, name]) => name);
  return missing.length === 0 ? null : `apt-get install ${missing.join(" ")}`;
}

/** The folder with a suite; made when it is not there. Never boot it itself, only a copy. */
export async function nspawnRoot(suite) {
  const folder = join(ROOT, "build/nspawn-root", suite);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(join(ROOT, "build/nspawn-root"), { recursive: true });
  rmSync(fresh, { recursive: true, force: true });
  const child = spawn(
    "debootstrap",
    ["--variant=minbase", `--include=${PACKAGES.join()}`, suite, fresh, MIRROR],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(String(chunk)));
  const [status] = await once(child, "close");
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(`debootstrap ${suite} failed:\n${said.join("").split("\n").slice(-8).join("\n")}`);
  }
  rmSync(join(fresh, "var/cache/apt"), { recursive: true, force: true });
  renameSync(fresh, folder);
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const suites = process.argv.length > 2 ? process.argv.slice(2) : SUITES;
  for (const folder of await Promise.all(suites.map(nspawnRoot))) console.log(folder);
}
