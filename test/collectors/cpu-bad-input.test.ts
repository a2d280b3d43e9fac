import { describe, expect, test } from "vitest";
import { cpuCollector } from "../../src/collectors/cpu.ts";
import type { Cpu } from "../../src/collectors/cpu-schema.ts";
import { collectTree, failing, spoiled } from "../support/shape.ts";
import { loadTree, type Tree } from "../support/tree.ts";

const TREES = ["ceph-node", "pi4", "container"];

function machineTree(name: string): Tree {
  return loadTree(name, ["cpu"]);
}

function collect(tree: Tree): Promise<Cpu> {
  return collectTree(cpuCollector(), tree);
}

describe("bad input", () => {
  test.each(["EACCES", "EIO", "EINVAL"])("every file fails with %s", async (code) => {
    for (const name of TREES) {
      const data = await collect(failing(machineTree(name), code));
      expect(data).toMatchObject({ model: null, load: null, pressure: null, threads: null });
      expect(data.throttling.state).toBe("unknown");
    }
  });

  test("every file is binary garbage, empty, or half-written", async () => {
    const garbage = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 73 + (i >> 3)) % 256));
    for (const name of TREES) {
      const spoil = await collect(spoiled(machineTree(name), () => ({ base64: garbage.toString("base64") })));
      expect(spoil).toMatchObject({ load: null, pressure: null, utilisation: null });
      expect(JSON.stringify(spoil).length).toBeLessThan(6_000);
      expect((await collect(spoiled(machineTree(name), () => ""))).load).toBeNull();
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
    const fifos = ["/proc/stat", "/proc/cpuinfo", "/sys/devices/virtual/thermal/thermal_zone0/temp"];
    for (const path of fifos) delete tree.files[path];
    expect(await collect({ ...tree, fifos })).toMatchObject({ model: null, threads: 4, load: { one: 0.21 } });
  });
});
