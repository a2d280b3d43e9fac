import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type TarEntry, tarArchive } from "../../src/system/tar.ts";
import { forAll } from "../support/for-all.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { untar } from "../support/text/tar.ts";

const AT = 1_760_000_000_000;
const entry = (name: string, text = "x", more: Partial<TarEntry> = {}): TarEntry => ({
  name,
  mode: 0o600,
  mtimeMs: AT,
  data: Buffer.from(text),
  ...more,
});

function hasTar(): boolean {
  try {
    return execFileSync("tar", ["--version"]).length > 0;
  } catch {
    return false;
  }
}

describe.skipIf(!hasTar())("the system's tar", () => {
  const long = `${"d".repeat(49)}/${"n".repeat(50)}`;
  const entries = [
    entry("a/README.txt", "hello\n", { mode: 0o644 }),
    entry("a/empty", ""),
    entry("a/one-block", "y".repeat(512)),
    entry("a/more", "z".repeat(1_000_001)),
    entry(long, "long name"),
  ];

  test("lists names, modes, sizes and times", () => {
    const file = join(temporaryFolder(), "a.tar");
    writeFileSync(file, tarArchive(entries));
    const env = { ...process.env, TZ: "UTC", LC_ALL: "C" };
    const listed = execFileSync("tar", ["-tvf", file, "--full-time"], { env }).toString().trim().split("\n");
    expect(listed.map((line) => line.replace(/\s+/g, " "))).toEqual([
      "-rw-r--r-- 0/0 6 2025-10-09 08:53:20 a/README.txt",
      "-rw------- 0/0 0 2025-10-09 08:53:20 a/empty",
      "-rw------- 0/0 512 2025-10-09 08:53:20 a/one-block",
      "-rw------- 0/0 1000001 2025-10-09 08:53:20 a/more",
      `-rw------- 0/0 9 2025-10-09 08:53:20 ${long}`,
    ]);
  });

  test("unpacks what went in", () => {
    const folder = temporaryFolder();
    const file = join(folder, "a.tar");
    writeFileSync(file, tarArchive(entries));
    mkdirSync(join(folder, "out"));
    execFileSync("tar", ["-xf", file, "-C", join(folder, "out"), "--no-same-owner"]);
    for (const { name, data, mode } of entries) {
      const path = join(folder, "out", name);
      expect(readFileSync(path).equals(Buffer.from(data)), name).toBe(true);
      // umask takes away, nothing is added
      expect(statSync(path).mode & 0o777 & ~mode).toBe(0);
      expect(statSync(path).mtimeMs).toBe(AT);
    }
  });
});

test("whatever goes in comes out, in whole blocks, and the same goes in as the same", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,60}$/).filter((text) => text !== "..");
  const made = fc.record({
    name,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    mtimeMs: fc.integer({ min: 0, max: 4e12 }),
    data: fc.uint8Array({ maxLength: 1_600 }),
  });
  forAll(
    fc.property(fc.uniqueArray(made, { selector: (one) => one.name, maxLength: 6 }), (entries) => {
      const archive = tarArchive(entries);
      expect(archive.length % 512).toBe(0);
      expect(archive.subarray(-1024).every((byte) => byte === 0)).toBe(true);
      expect(tarArchive(entries).equals(archive)).toBe(true);
      expect(untar(archive)).toEqual(
        entries.map((one) => ({
          name: one.name,
          mode: one.mode,
          mtimeS: Math.floor(one.mtimeMs / 1000),
          data: Buffer.from(one.data),
        })),
      );
    }),
    { seed: 7, cases: 100 },
  );
});

test("what the format can't hold is refused", () => {
  const refused: TarEntry[][] = [
    [entry("")],
    [entry("n".repeat(101))],
    [entry("/etc/passwd")],
    [entry("../up")],
    [entry("a/../b")],
    [entry("a/..")],
    [entry("ä")],
    [entry("a\u0000b")],
    [entry("a", "", { mtimeMs: -1 })],
    [entry("a", "", { mtimeMs: Number.NaN })],
    [entry("a", "", { mode: 0o10000 })],
    [entry("a"), entry("a")],
  ];
  for (const entries of refused)
    expect(() => tarArchive(entries), entries[0]?.name).toThrow(
      expect.objectContaining({ code: "tar_entry" }),
    );
  expect(untar(tarArchive([entry("a..b/..c")])).map(({ name }) => name)).toEqual(["a..b/..c"]);
});
