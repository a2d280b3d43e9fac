import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryCollector, parseMemInfo, parseOomKills } from "../../../src/collectors/memory/memory.ts";
import type { MemoryData } from "../../../src/collectors/memory/schema.ts";
import { forAll } from "../../support/for-all.ts";
import { loadTree, type Tree } from "../../support/machine/tree.ts";
import { collectTree, failing, spoiled } from "../../support/text/shape.ts";

const UNREADABLE = expect.objectContaining({
  code: "meminfo_unreadable",
  nextStep: expect.stringMatching(/^head .*\/proc\/meminfo/),
});
const TREES = ["ceph-node", "pi4", "container"];
const MC2 = "/sys/devices/system/edac/mc/mc2";

function machineTree(name: string): Tree {
  return loadTree(name, ["memory"]);
}

function collect(tree: Tree): Promise<MemoryData> {
  return collectTree(memoryCollector(), tree);
}

describe("bad input", () => {
  test.each(["EACCES", "EIO", "EINVAL"])(
    "every file fails with %s: that is a failure, in words",
    async (code) => {
      for (const name of TREES)
        await expect(collect(failing(machineTree(name), code))).rejects.toThrow(UNREADABLE);
    },
  );

  test.each(["EACCES", "EIO", "EINVAL"])("every file but meminfo fails with %s", async (code) => {
    for (const name of TREES) {
      const tree = failing(machineTree(name), code);
      delete tree.errors?.["/proc/meminfo"];
      expect(await collect(tree)).toMatchObject({
        total_bytes: expect.any(Number),
        pressure: null,
        oom_kills: null,
        edac: null,
      });
    }
  });

  test("every file is binary garbage or half-written", async () => {
    const garbage = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 73 + (i >> 3)) % 256));
    for (const name of TREES) {
      const noise = { base64: garbage.toString("base64") };
      await expect(collect(spoiled(machineTree(name), () => noise))).rejects.toThrow(UNREADABLE);
      const but = spoiled(machineTree(name), (path) =>
        path === "/proc/meminfo" ? "MemTotal:       2048 kB\nMemFree:  " : noise,
      );
      expect(await collect(but)).toMatchObject({
        total_bytes: 2_097_152,
        free_bytes: null,
        oom_kills: null,
        edac: null,
      });
      const { files } = machineTree(name);
      const half = spoiled(machineTree(name), (path) => (files[path] as string).slice(0, 40));
      expect((await collect(half)).available_bytes).toBeNull();
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

  test("a FIFO hangs nothing: for vmstat it hides what is in there, for meminfo it is a failure", async () => {
    const tree = machineTree("pi4");
    const { "/proc/vmstat": _, ...others } = tree.files;
    expect(await collect({ ...tree, files: others, fifos: ["/proc/vmstat"] })).toMatchObject({
      total_bytes: expect.any(Number),
      oom_kills: null,
    });
    delete tree.files["/proc/meminfo"];
    await expect(collect({ ...tree, fifos: ["/proc/meminfo"] })).rejects.toThrow(UNREADABLE);
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
  forAll(
    fc.property(text, (raw) => {
      for (const value of parseMemInfo(raw).values())
        expect(value).toSatisfy((n: number) => Number.isFinite(n) && n >= 0);
      expect(parseOomKills(raw) ?? 0).toSatisfy((n: number) => Number.isSafeInteger(n) && n >= 0);
    }),
    { seed: 31, cases: 1000 },
  );
  expect(parseOomKills("x 1\noom_kill 7\ny 2\n")).toBe(7);
  expect(parseOomKills("oom_kill 7")).toBe(7);
  expect(parseOomKills("foo_oom_kill 7\n")).toBeNull();
});
