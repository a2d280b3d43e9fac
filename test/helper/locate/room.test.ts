import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openLocateRecord } from "../../../src/helper/locate/record.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { openFiles } from "../../../src/system/files.ts";
import { runProgram } from "../../../src/system/program.ts";
import { layTree, temporaryFolder } from "../../support/machine/tree.ts";

it("never writes down more lights than it reads again: one more is refused, not switched, and the record stays", async () => {
  const path = join(temporaryFolder(), "lights.json");
  const light = (device: string) => ({
    led: { kind: "ledctl", device } as const,
    boot_id: "b1",
    until_uptime_ms: 9e9,
  });
  const name = (n: number): string => `sd${n}`.padEnd(31, "x");
  let lights = Array.from({ length: 4_000 }, (_, n) => light(name(n)));
  while (JSON.stringify({ v: 1, lights }).length > 256 * 1024) lights = lights.slice(1);
  writeFileSync(path, JSON.stringify({ v: 1, lights }), { mode: 0o600 });
  const files = openFiles(
    layTree({ files: { "/proc/uptime": "1000 0", "/proc/sys/kernel/random/boot_id": "b1" } }),
  );
  const options = { path, owner: process.geteuid?.() ?? 0, files, run: runProgram, tell: () => undefined };
  const record = openLocateRecord(options);
  const before = readFileSync(path, "utf8");
  const set = record.set(light(name(9_999)).led, 600_000, runProgram, new AbortController().signal);
  expect(await set.then(() => "done", errorCode)).toBe("helper_refused");
  expect(readFileSync(path, "utf8")).toBe(before);
  record.close();
  // The next helper still knows them all.
  const next = openLocateRecord(options);
  next.begin();
  expect(next.busy()).toBe(true);
  next.close();
});
