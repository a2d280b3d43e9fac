/**
 * Every step from a checkout to the executables; CI and Dockerfile.arm64 call this and nothing else.
 *
 *   node scripts/build/build.mjs [--arch=x64,arm64] [--check-reproducible] [--install-tools] [--commit=ID] [--image=FOLDER]
 *
 * 1. install what package-lock.json says   2. make each executable (executable.mjs)   3. dist/, with checksums
 * and what is in it (SBOM).
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { layRoot } from "../lab/arm64-root.mjs";
import { NODE, ROOT } from "../paths.mjs";
import { install } from "../prepare.mjs";
import { commitOf } from "./bundle.mjs";
import { ARCHITECTURES, makeExecutable, missingTools } from "./executable.mjs";
import { writeLicences } from "./licences.mjs";
import { writeSbom } from "./sbom.mjs";

const DIST = join(ROOT, "dist");
const WORK = join(ROOT, "build/executables");

/**
 * Copy in small pieces, hashing. A file written in one go lies in the page cache in pieces of 2 MiB, and the
 * kernel then maps all of a piece when a byte of it is touched: 40 MB more resident memory until it is read
 * anew. So install scripts should copy too (dpkg does).
 */
function place(from, to) {
  const hash = createHash("sha256");
  const fresh = `${to}.new`;
  const source = openSync(from, "r");
  const target = openSync(fresh, "w", 0o755);
  const buffer = Buffer.allocUnsafe(64 * 1024);
  for (let got = readSync(source, buffer); got > 0; got = readSync(source, buffer)) {
    hash.update(buffer.subarray(0, got));
    writeSync(target, buffer, 0, got);
  }
  closeSync(source);
  closeSync(target);
  chmodSync(fresh, 0o755);
  renameSync(fresh, to);
  return hash.digest("hex");
}

function sha256(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

async function main() {
  const { values } = parseArgs({
    options: {
      arch: { type: "string", default: "x64,arm64" },
      commit: { type: "string" },
      image: { type: "string" },
      "install-tools": { type: "boolean", default: false },
      "check-reproducible": { type: "boolean", default: false },
    },
  });
  const architectures = values.arch.split(",");
  for (const arch of architectures) {
    if (!ARCHITECTURES.includes(arch))
      throw new Error(`--arch=${arch}: there is ${ARCHITECTURES.join(" and ")}`);
  }
  const missing = missingTools(architectures);
  if (missing.length > 0) {
    const packages = missing.join(" ");
    if (!values["install-tools"])
      throw new Error(`building for ${architectures.join(" and ")} needs more: apt-get install ${packages}`);
    execFileSync("apt-get", ["update", "-q"], { stdio: "inherit" });
    execFileSync("apt-get", ["install", "-qy", "--no-install-recommends", ...missing], { stdio: "inherit" });
  }
  install();
  const commit = values.commit || commitOf();
  mkdirSync(DIST, { recursive: true });
  const sums = [];
  for (const arch of architectures) {
    const from = performance.now();
    const made = await makeExecutable(arch, join(WORK, arch), commit);
    const name = `foundry-agent-linux-${arch}`;
    const sum = place(made, join(DIST, name));
    if (values["check-reproducible"]) {
      const again = await makeExecutable(arch, join(WORK, `${arch}-again`), commit);
      if (sha256(again) !== sum) throw new Error(`two builds of ${name} differ`);
    }
    sums.push(`${sum}  ${name}\n`);
    const megabytes = (statSync(join(DIST, name)).size / 1e6).toFixed(1);
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    const twice = values["check-reproducible"] ? ", twice, the same" : "";
    console.log(`dist/${name}  ${megabytes} MB  ${seconds} s${twice}\n  sha256 ${sum}`);
  }
  rmSync(WORK, { recursive: true, force: true });
  sums.push(writeSbom(DIST, commit));
  writeFileSync(join(DIST, "SHA256SUMS"), sums.join(""));
  writeLicences(join(DIST, "THIRD-PARTY-LICENCES.txt"));
  if (values.image !== undefined) {
    // Everything debian:12-slim lacks, so that the image needs no step that runs on the other architecture.
    layRoot(values.image, ["libatomic1"]);
    mkdirSync(join(values.image, "usr/bin"), { recursive: true });
    place(join(DIST, "foundry-agent-linux-arm64"), join(values.image, "usr/bin/foundry-agent"));
  }
}

/** A builder may call this with any Node; the modules it looks into are those of the pinned one. */
function withPinnedNode() {
  install();
  const { status } = spawnSync(NODE, process.argv.slice(1), { stdio: "inherit" });
  process.exitCode = status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pinned = process.versions.node.startsWith("26.");
  await Promise.resolve(pinned ? main() : withPinnedNode()).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
