import { describe, expect, test } from "vitest";
import type { System } from "../../../src/collectors/system/schema.ts";
import { systemCollector } from "../../../src/collectors/system/system.ts";
import { loadTree, type Tree } from "../../support/machine/tree.ts";
import { collectTree, conditionCodes, failing, spoiled } from "../../support/text/shape.ts";

const TREES = ["ceph-node", "pi4", "container"];

/** The parts this collector reads. */
function machineTree(name: string): Tree {
  return loadTree(name, ["system", "cpu"]);
}

function collect(tree: Tree): Promise<System> {
  return collectTree(systemCollector(), tree);
}

describe("bad input", () => {
  test.each(["EACCES", "EIO", "EINVAL"])("every file fails with %s", async (code) => {
    for (const name of TREES) {
      const data = await collect(failing(machineTree(name), code));
      expect(data).toMatchObject({ hostname: null, machine_id: null, os: null, uptime_s: null });
      // Links are not files: which namespace this is can still be seen.
      expect(data.virtualization.vm).toBe("unknown");
    }
  });

  test("every file is binary garbage, and some of it half-written", async () => {
    const garbage = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 73 + (i >> 3)) % 256));
    for (const name of TREES) {
      const data = await collect(spoiled(machineTree(name), () => ({ base64: garbage.toString("base64") })));
      expect(JSON.stringify(data).length).toBeLessThan(6_000);
      expect(/[\ufffd]|\\[bfnrtu]/.test(JSON.stringify(data)), "control characters").toBe(false);
    }
    const half = await collect(
      spoiled(machineTree("ceph-node"), (path) => {
        const text = machineTree("ceph-node").files[path] as string;
        return text.slice(0, text.length / 2);
      }),
    );
    expect(half).toMatchObject({ uptime_s: null, boot_id: null, machine_id: null });
  });

  test("a FIFO where a file should be stops nothing", async () => {
    const tree = machineTree("pi4");
    const fifos = ["/etc/os-release", "/etc/machine-id", "/proc/sys/kernel/hostname"];
    for (const path of fifos) delete tree.files[path];
    const data = await collect({ ...tree, fifos });
    expect(data).toMatchObject({
      hostname: null,
      os: null,
      machine_id: null,
      kernel: { architecture: "aarch64" },
    });
  });

  test("an os-release of 10 MB is read as far as it makes sense", async () => {
    const tree = machineTree("ceph-node");
    tree.files["/etc/os-release"] =
      `ID=debian\nPRETTY_NAME="${"x".repeat(10_000)}"\n${"#\n".repeat(5_000_000)}`;
    const data = await collect(tree);
    expect(data.os).toMatchObject({ id: "debian", pretty_name: "x".repeat(256), name: null });
  });

  test("a host name of 300 characters is cut and told", async () => {
    const tree = machineTree("ceph-node");
    tree.files["/proc/sys/kernel/hostname"] = `${"h".repeat(300)}\n`;
    const data = await collect(tree);
    expect(data).toMatchObject({ hostname: "h".repeat(253), hostname_cut: true, fqdn: null });
    expect(conditionCodes(systemCollector(), data)).toContain("hostname_too_long");
  });

  test("a clock in 1970 gives a boot before the epoch, not a crash", async () => {
    const data = await collect({ ...machineTree("pi4"), now: 5_000 });
    expect(data.boot_time).toBe("1969-12-30T23:59:53Z");
    const absurd = machineTree("pi4");
    absurd.files["/proc/uptime"] = "999999999999.99 1.00\n";
    expect((await collect(absurd)).uptime_s).toBe(999_999_999_999);
  });
});
