/** The heads of V8's code caches in an executable: which are changed, and what is refused. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acceptCaches, PRINT_HEAD } from "../../scripts/cache-flags.mjs";
import { SHIP_FLAGS } from "../../scripts/flags.mjs";
import { temporaryFolder } from "../support/tree.ts";

const VERSION = "a906dec052bdff97";
const SOURCE = "1a000000";
const head = (flags: string, version = VERSION): string => `${version}${SOURCE}${flags}`;

test("only caches of this V8 that were made under the one set of flags get the other's hash", () => {
  const file = join(temporaryFolder(), "executable");
  const other = head("33333333") + head("11111111", "a906dec000000000");
  writeFileSync(file, Buffer.from(`00${head("11111111")}ff${other}${head("11111111")}`, "hex"));
  acceptCaches(file, head("11111111"), head("22222222"));
  expect(readFileSync(file).toString("hex")).toBe(`00${head("22222222")}ff${other}${head("22222222")}`);
});

test("an executable without such caches, and heads of two versions, are refused", () => {
  const file = join(temporaryFolder(), "executable");
  writeFileSync(file, Buffer.from(head("33333333"), "hex"));
  expect(() => acceptCaches(file, head("11111111"), head("22222222"))).toThrow("no code cache");
  expect(() => acceptCaches(file, head("11111111"), head("22222222", "a906dec000000000"))).toThrow("one V8");
});

test("this Node's caches name the flags where it is looked for, and nothing else before it", () => {
  const print = (flags: readonly string[]): string =>
    execFileSync(process.execPath, [...flags, "--print", PRINT_HEAD], { encoding: "utf8" }).trim();
  const [plain, ship] = [print([]), print(SHIP_FLAGS)];
  expect(plain).toMatch(/^[0-9a-f]{32}$/);
  expect(ship.slice(0, 24)).toBe(plain.slice(0, 24));
  expect(ship.slice(24)).not.toBe(plain.slice(24));
});
