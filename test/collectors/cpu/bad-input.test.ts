import { describe, expect, test } from "vitest";
import { cpuCollector } from "../../../src/collectors/cpu/cpu.ts";
import type { Cpu } from "../../../src/collectors/cpu/schema.ts";
import { collectContext, loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectData, collectTree, failing, spoiled } from "../../support/text/shape.ts";

const UNREADABLE = expect.objectContaining({
  code: "cpu_unreadable",
  nextStep: expect.stringMatching(/^head .*\/proc\/stat/),
});
const TREES = ["ceph-node", "pi4", "container"];

function machineTree(name: string): Tree {
  return loadTree(name, ["cpu"]);
}

function collect(tree: Tree): Promise<Cpu> {
  return collectTree(cpuCollector(), tree);
}

describe("bad input", () => {
  test.each(["EACCES", "EIO", "EINVAL"])(
    "every file fails with %s: that is a failure, in words",
    async (code) => {
      for (const name of TREES)
        await expect(collect(failing(machineTree(name), code))).rejects.toThrow(UNREADABLE);
    },
  );

  test("either of /proc/stat and /proc/cpuinfo is enough", async () => {
    for (const name of TREES) {
      const without = (path: string): Tree => ({ ...machineTree(name), errors: { [path]: "EACCES" } });
      expect(await collect(without("/proc/stat"))).toEqual(await collect(machineTree(name)));
      expect(await collect(without("/proc/cpuinfo"))).toMatchObject({
        model: null,
        load: expect.objectContaining({}),
      });
    }
  });

  test("it works again as soon as the files can be read again", async () => {
    const tree = machineTree("container");
    const errors: Record<string, string> = { "/proc/stat": "EACCES", "/proc/cpuinfo": "EACCES" };
    const context = collectContext(treeMachine({ ...tree, errors }));
    const collector = cpuCollector();
    await expect(collectData(collector, context)).rejects.toThrow(UNREADABLE);
    for (const path of Object.keys(errors)) delete errors[path];
    expect(await collectData(collector, context)).toEqual(await collect(tree));
  });

  test("every file but one is binary garbage, empty, or half-written", async () => {
    const garbage = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 73 + (i >> 3)) % 256));
    for (const name of TREES) {
      await expect(
        collect(spoiled(machineTree(name), () => ({ base64: garbage.toString("base64") }))),
      ).rejects.toThrow(UNREADABLE);
      await expect(collect(spoiled(machineTree(name), () => ""))).rejects.toThrow(UNREADABLE);
      const but = (content: Tree["files"][string]): Tree =>
        spoiled(machineTree(name), (path) => (path === "/proc/stat" ? "cpu  1 2 3 4\n" : content));
      const spoil = await collect(but({ base64: garbage.toString("base64") }));
      expect(spoil).toMatchObject({ load: null, pressure: null, utilisation: null });
      expect(JSON.stringify(spoil).length).toBeLessThan(6_000);
      expect((await collect(but(""))).load).toBeNull();
      const { files } = machineTree(name);
      const half = await collect(
        spoiled(machineTree(name), (path) =>
          (files[path] as string).slice(0, (files[path] as string).length / 2),
        ),
      );
      expect(half.pressure).toBeNull();
    }
  });

  test("FIFOs where files should be stop nothing", async () => {
    const tree = machineTree("pi4");
    const fifos = ["/proc/cpuinfo", "/sys/devices/virtual/thermal/thermal_zone0/temp"];
    for (const path of fifos) delete tree.files[path];
    expect(await collect({ ...tree, fifos })).toMatchObject({ model: null, threads: 4, load: { one: 0.21 } });
  });
});
