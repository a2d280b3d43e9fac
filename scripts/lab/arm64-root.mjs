/**
 * Debian's arm64 libraries in a folder: what qemu-user needs to run the arm64 executable (QEMU_LD_PREFIX), and
 * what a slim container image lacks. Fetched with apt's own checks into lists and a cache of its own, so
 * the machine's package lists stay as they are and no root is needed.
 *
 *   node scripts/lab/arm64-root.mjs     prints the folder
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../paths.mjs";

/** What the executable is linked with. */
const LIBRARIES = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1"];
const FOLDER = join(ROOT, "build/arm64-root");

/** Unpack Debian packages for arm64 into a folder (made; what is in it stays). */
export function layRoot(folder, packages) {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const work = mkdtempSync(join(ROOT, "build/apt-"));
  try {
    for (const part of ["lists/partial", "cache/archives/partial", "debs"])
      mkdirSync(join(work, part), { recursive: true });
    const apt = (...args) =>
      execFileSync(
        "apt-get",
        [
          "-q",
          ...["-o", "APT::Architecture=arm64"],
          ...["-o", "APT::Architectures=arm64"],
          ...["-o", `Dir::State::Lists=${work}/lists`],
          ...["-o", `Dir::Cache=${work}/cache`],
          ...["-o", "Dir::State::status=/dev/null"],
          // apt drops to a user who may not write here; the folder is ours alone.
          ...["-o", "APT::Sandbox::User=root"],
          ...["-o", "Acquire::Languages=none"],
          ...args,
        ],
        { cwd: join(work, "debs"), stdio: ["ignore", "ignore", "inherit"] },
      );
    apt("update");
    apt("download", ...packages);
    mkdirSync(folder, { recursive: true });
    for (const deb of readdirSync(join(work, "debs"))) {
      execFileSync("dpkg-deb", ["-x", join(work, "debs", deb), folder]);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The folder with all of them; made once. */
export function arm64Root() {
  if (!existsSync(FOLDER)) {
    const fresh = `${FOLDER}.${process.pid}`;
    layRoot(fresh, LIBRARIES);
    renameSync(fresh, FOLDER);
  }
  return FOLDER;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(arm64Root());
