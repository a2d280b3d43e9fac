/**
 * Every step from a checkout to the executables; CI and Dockerfile.arm64 call this and nothing else.
 *
 *   node scripts/build.mjs [--arch=x64,arm64] [--check-reproducible] [--install-tools] [--commit=ID] [--image=FOLDER]
 *
 * 1. install what package-lock.json says   2. bundle src/main.ts   3. fetch node for each architecture: the
 * pinned package, its integrity checked by npm   4. strip it with that architecture's binutils   5. put the
 * bundle, its compiled form and the ship flags into it   6. check what the steps could have broken, and run it
 * 7. dist/, with checksums and what is in it (SBOM).
 *
 * The compiled form (V8's code cache) makes every start 10 ms shorter, several times that on a Raspberry Pi. It is
 * of the architecture and the flags that made it, so each executable is put together by its own node, arm64's
 * under qemu-user; and with a fixed seed, so that it is the same each time.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
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
import { bundleAgent, commitOf } from "./bundle.mjs";
import { alignLoads, complaints, makeRoom } from "./elf.mjs";
import { SHIP_FLAGS } from "./flags.mjs";
import { arm64Root, layRoot } from "./lab/arm64-root.mjs";
import { writeLicences } from "./licences.mjs";
import { runNpm } from "./npm.mjs";
import { ROOT } from "./paths.mjs";
import { install } from "./prepare.mjs";
import { writeSbom } from "./sbom.mjs";

const DIST = join(ROOT, "dist");
const WORK = join(ROOT, "build/executables");
const GNU = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
const SUFFIX = { x64: "x86-64", arm64: "aarch64" };

/** Name of the strip program for an architecture on this machine, and the Debian package it is in. */
function stripOf(arch) {
  return arch === process.arch
    ? { program: "strip", package: "binutils" }
    : { program: `${GNU[arch]}-strip`, package: `binutils-${SUFFIX[arch]}-linux-gnu` };
}

/** What runs programs of an architecture on this machine: nothing, or an emulator with its Debian package. */
function emulatorOf(arch) {
  if (arch === process.arch) return null;
  if (arch !== "arm64") throw new Error(`the executable for ${arch} is built on an ${arch} machine`);
  return { program: "qemu-aarch64", package: "qemu-user" };
}

/** Debian packages that are missing for building these. */
export function missingTools(architectures) {
  const lacking = architectures
    .flatMap((arch) => [stripOf(arch), emulatorOf(arch)])
    .filter((tool) => tool !== null)
    .filter(({ program }) => spawnSync(program, ["--version"], { stdio: "ignore" }).status !== 0);
  return [...new Set(lacking.map((tool) => tool.package))];
}

/** The pinned node of an architecture, from the registry package, its integrity as in package-lock.json. */
function fetchNode(arch) {
  const own = join(ROOT, `node_modules/node-linux-${arch}/bin/node`);
  if (existsSync(own)) return own;
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const wanted = lock.packages[`node_modules/node-linux-${arch}`];
  const folder = join(ROOT, `build/node-${arch}-${wanted.version}`);
  const binary = join(folder, `node_modules/node-linux-${arch}/bin/node`);
  const marker = join(folder, "integrity");
  if (existsSync(binary) && existsSync(marker) && readFileSync(marker, "utf8") === wanted.integrity)
    return binary;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json", ".npmrc"])
    copyFileSync(join(ROOT, file), join(folder, file));
  const { ok, output } = runNpm(folder, [
    "ci",
    "--omit=dev",
    "--os=linux",
    `--cpu=${arch}`,
    "--ignore-scripts",
  ]);
  if (!ok) throw new Error(`node for ${arch} can't be fetched: ${output}`);
  if (!existsSync(binary)) throw new Error(`npm did not install node-linux-${arch}`);
  writeFileSync(marker, wanted.integrity);
  return binary;
}

/** Run a program of an architecture. @returns what it wrote to both outputs */
function runAs(arch, argv, cwd) {
  const emulator = emulatorOf(arch);
  const [program, ...args] = emulator === null ? argv : [emulator.program, "-L", arm64Root(), ...argv];
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (error || status !== 0) throw new Error(`${argv[0]} failed: ${error?.message ?? stderr}`);
  return { stdout, stderr };
}

/** Bundle, strip and inject into `folder`. @returns path of the executable. */
async function make(arch, folder, commit) {
  mkdirSync(folder, { recursive: true });
  const node = join(folder, "node");
  const output = join(folder, "foundry-agent");
  await bundleAgent({ outfile: join(folder, "foundry-agent.cjs"), commit });
  execFileSync(stripOf(arch).program, ["--strip-all", "-o", node, fetchNode(arch)]);
  makeRoom(node, arch);
  // Names without a folder: the script's goes into the executable, which must not depend on where it was made.
  const settings = {
    main: "foundry-agent.cjs",
    mainFormat: "commonjs",
    executable: "node",
    output: "foundry-agent",
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: true,
    execArgv: SHIP_FLAGS,
    // "env" would let NODE_OPTIONS load code into a service that runs as root.
    execArgvExtension: "none",
  };
  writeFileSync(join(folder, "sea.json"), JSON.stringify(settings));
  // A code cache is taken only by a node with the very flags that it was made under; this one does not count.
  const same = "--random-seed=1";
  runAs(arch, [fetchNode(arch), ...SHIP_FLAGS, same, "--build-sea=sea.json"], folder);
  rmSync(node);
  alignLoads(output, arch);
  const wrong = complaints(output, arch);
  // It warns when it does not take its code cache.
  wrong.push(...runAs(arch, [output, "version"], folder).stderr.split("\n").filter(Boolean));
  if (wrong.length > 0) throw new Error(`the executable for ${arch} is broken: ${wrong.join("; ")}`);
  return output;
}

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
    if (GNU[arch] === undefined)
      throw new Error(`--arch=${arch}: there is ${Object.keys(GNU).join(" and ")}`);
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
    const made = await make(arch, join(WORK, arch), commit);
    const name = `foundry-agent-linux-${arch}`;
    const sum = place(made, join(DIST, name));
    if (values["check-reproducible"]) {
      const again = await make(arch, join(WORK, `${arch}-again`), commit);
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
