/**
 * One executable: the pinned node of an architecture with two bundles, their compiled forms and the ship flags in it.
 *
 * 1. bundle src/main.ts, once with every sub-command and once with the daemon alone, which keeps its text in memory
 * for as long as it runs   2. fetch node: the pinned package, its integrity checked by npm   3. start each bundle
 * for its compiled form (warm.mjs)   4. strip node with that architecture's binutils   5. put all into it
 * 6. check what the steps could have broken, and run it.
 *
 * The compiled form is of the architecture that made it, so arm64's comes from arm64's node under qemu-user.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SHIP_FLAGS } from "../flags.mjs";
import { arm64Root } from "../lab/arm64-root.mjs";
import { runNpm } from "../npm.mjs";
import { ROOT } from "../paths.mjs";
import { bundleAgent, DAEMON } from "./bundle.mjs";
import { alignLoads, complaints, makeRoom } from "./elf.mjs";
import { SAME_EACH_TIME, warm, wrapped } from "./warm.mjs";

const GNU = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
const SUFFIX = { x64: "x86-64", arm64: "aarch64" };
export const ARCHITECTURES = Object.keys(GNU);
/** Longest run of a program, milliseconds; the longest is a start of the daemon under qemu-user, some seconds. */
const CHILD_MS = 120_000;

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

/** Run a program of an architecture without the builder's environment. @returns what it wrote to both outputs */
function runAs(arch, argv, cwd) {
  const emulator = emulatorOf(arch);
  const [program, ...args] = emulator === null ? argv : [emulator.program, "-L", arm64Root(), ...argv];
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    // A home folder, for the builder may be a user without an entry in passwd.
    env: { HOME: "/", PATH: process.env.PATH },
    encoding: "utf8",
    timeout: CHILD_MS,
    killSignal: "SIGKILL",
  });
  if (error || status !== 0) throw new Error(`${argv[0]} failed: ${error?.message ?? stderr}`);
  return { stdout, stderr };
}

/** Bundle, compile, strip and inject in `folder`. @returns path of the executable. */
export async function makeExecutable(arch, folder, commit) {
  mkdirSync(folder, { recursive: true });
  const at = (name) => join(folder, name);
  const output = at("foundry-agent");
  const full = fetchNode(arch);
  const assets = {};
  for (const [name, only] of [
    ["program", null],
    ["daemon", DAEMON],
  ]) {
    await bundleAgent({ outfile: at(`${name}.cjs`), commit, only });
    writeFileSync(at(name), wrapped(at(`${name}.cjs`)));
    warm({
      bundle: at(name),
      compiled: at(`${name}.compiled`),
      runNode: (args) => runAs(arch, [full, ...args], folder),
    });
    for (const asset of [name, `${name}.compiled`]) assets[asset] = asset;
  }
  execFileSync(stripOf(arch).program, ["--strip-all", "-o", at("node"), full]);
  makeRoom(at("node"), arch);
  copyFileSync(join(ROOT, "scripts/build/executable-main.cjs"), at("main.cjs"));
  // Names without a folder: the script's goes into the executable, which must not depend on where it was made.
  const settings = {
    main: "main.cjs",
    mainFormat: "commonjs",
    executable: "node",
    output: "foundry-agent",
    assets,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // Else Node would look for it in the folder that NODE_COMPILE_CACHE names, and run what it finds there.
    useCodeCache: true,
    // OPENSSL_CONF could name a configuration whose providers are libraries to load.
    execArgv: [...SHIP_FLAGS, "--openssl-config=/dev/null"],
    // "env" would let NODE_OPTIONS load code into a service that runs as root.
    execArgvExtension: "none",
  };
  writeFileSync(at("sea.json"), JSON.stringify(settings));
  runAs(arch, [full, ...SHIP_FLAGS, SAME_EACH_TIME, "--build-sea=sea.json"], folder);
  rmSync(at("node"));
  alignLoads(output, arch);
  const wrong = complaints(output, arch);
  // It warns when it does not take its compiled form, of which the daemon has its own.
  for (const words of [["version"], ["run", "--help"]])
    wrong.push(
      ...runAs(arch, [output, ...words], folder)
        .stderr.split("\n")
        .filter(Boolean),
    );
  if (wrong.length > 0) throw new Error(`the executable for ${arch} is broken: ${wrong.join("; ")}`);
  return output;
}
