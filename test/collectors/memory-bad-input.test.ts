import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryCollector, parseMemInfo, parseOomKills } from "../../src/collectors/memory.ts";
import type { MemoryData } from "../../src/collectors/memory-schema.ts";
import { collectTree, failing, spoiled } from "../support/shape.ts";
import { loadTree, type Tree } from "../support/tree.ts";

const TREES = ["ceph-node", "pi4", "container"];
const MC2 = "/sys/devices/system/edac/mc/mc2";

function machineTree(name: string): Tree {
  return loadTree(name, ["memory"]);
}

function collect(tree: Tree): Promise<MemoryData> {
  return collectTree(memoryCollector(), tree);
}

describe("bad input", () => {
  test.each(["EACCES", "EIO", "EINVAL"])("every file fails with %s", async (code) => {
    for (const name of TREES)
      expect(await collect(failing(machineTree(name), code))).toMatchObject({
        total_bytes: null,
        huge_pages: null,
        pressure: null,
        oom_kills: null,
        edac: null,
      });
  });

  test("every file is binary garbage or half-written", async () => {
    const garbage = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 73 + (i >> 3)) % 256));
    for (const name of TREES) {
      const spoil = await collect(spoiled(machineTree(name), () => ({ base64: garbage.toString("base64") })));
      expect(spoil).toMatchObject({ total_bytes: null, oom_kills: null, edac: null });
      const { files } = machineTree(name);
      await collect(spoiled(machineTree(name), (path) => (files[path] as string).slice(0, 12)));
    }
  });

  test("one controller that can't be read leaves the others", async () => {
    const tree = machineTree("ceph-node");
    tree.errors = {
      [`${MC2}/ce_count`]: "EIO",
      "/sys/devices/system/edac/mc/mc0/dimm0/dimm_ce_count": "EIO",
    };
    const data = await collect(tree);
    expect(data.edac?.controllers.map(({ controller, modules }) => [controller, modules.length])).toEqual([
      ["0", 2],
      ["1", 3],
      ["3", 3],
    ]);
  });

  test("a FIFO for meminfo stops nothing", async () => {
    const tree = machineTree("pi4");
    delete tree.files["/proc/meminfo"];
    expect(await collect({ ...tree, fifos: ["/proc/meminfo"] })).toMatchObject({
      total_bytes: null,
      oom_kills: 1,
    });
  });
});

test("meminfo and vmstat of any text", () => {
  const line = fc.stringMatching(
    /^(?:MemTotal|MemFree|SwapTotal|oom_kill|HugePages_Free):? {0,8}[-\d.ekB ]{0,20}$/,
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(line).map((lines) => lines.join("\n")),
  );
  fc.assert(
    fc.property(text, (raw) => {
      for (const value of parseMemInfo(raw).values())
        expect(value).toSatisfy((n: number) => Number.isFinite(n) && n >= 0);
      expect(parseOomKills(raw) ?? 0).toSatisfy((n: number) => Number.isSafeInteger(n) && n >= 0);
    }),
    { seed: 31, numRuns: 1000 },
  );
  expect(parseOomKills("x 1\noom_kill 7\ny 2\n")).toBe(7);
  expect(parseOomKills("oom_kill 7")).toBe(7);
  expect(parseOomKills("foo_oom_kill 7\n")).toBeNull();
});
