/** scripts/test/capture-tree.mjs on this machine: what the collectors find in the captured tree is what they find here. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Cpu } from "../../src/collectors/cpu/schema.ts";
import type { DrivesData } from "../../src/collectors/drives/schema.ts";
import type { MemoryData } from "../../src/collectors/memory/schema.ts";
import type { Network } from "../../src/collectors/network/schema.ts";
import type { System } from "../../src/collectors/system/schema.ts";
import { hostMachine, type Machine } from "../../src/system/machine.ts";
import type { Tree } from "../support/machine/tree.ts";
import { collectTwice, goldenMachine } from "../support/text/golden.ts";

function capture(): { tree: Tree; text: string } {
  const script = fileURLToPath(new URL("../../scripts/test/capture-tree.mjs", import.meta.url));
  const child = spawnSync(process.execPath, [script, "a test"], {
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  expect(child.status, child.stderr).toBe(0);
  return { tree: JSON.parse(child.stdout) as Tree, text: child.stdout };
}

/** What does not move while the machine runs. */
async function standing(machine: Machine): Promise<unknown> {
  const { sections } = await collectTwice(machine);
  const found = Object.fromEntries(
    Object.entries(sections).map(([name, section]) => [name, section.state === "ok" ? section.data : null]),
  );
  const { system, cpu, memory, drives, network } = found as {
    system: System;
    cpu: Cpu;
    memory: MemoryData;
    drives: DrivesData | null;
    network: Network;
  };
  return {
    // The architecture is in no file before Linux 6.1.
    system: {
      ...system,
      machine_id: null,
      uptime_s: null,
      boot_time: null,
      kernel: [system.kernel.release, system.kernel.version],
    },
    cpu: [cpu.model, cpu.sockets, cpu.cores, cpu.threads, cpu.temperatures.map(({ sensor }) => sensor)],
    memory: [memory.total_bytes, memory.huge_pages?.size_bytes, memory.edac],
    drives: drives?.drives.map(({ io: _, temperature_c: __, mounts, swap, ...drive }) => ({
      ...drive,
      mounts: mounts.map(({ device, mountpoint, fstype }) => [device, mountpoint, fstype]),
      swap: swap.map(({ device }) => device),
    })),
    network: {
      ...network,
      interfaces: network.interfaces.map(({ counters: _, ...item }) => item),
    },
  };
}

test("the collectors find in the tree what they find on the machine", async () => {
  const { tree } = capture();
  const here = await standing(hostMachine());
  expect(await standing(goldenMachine(tree))).toEqual(here);
});

test("the machine id is made up, all is capped, and it says where it comes from", () => {
  const { tree, text } = capture();
  for (const path of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    const id = readIfThere(path);
    if (id !== "") expect(text.includes(id)).toBe(false);
  }
  const sizes = Object.values(tree.files).map(
    (file) => (typeof file === "string" ? file : file.base64).length,
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1024 * 1024);
  expect(tree.about).toMatch(
    /^Captured by scripts\/test\/capture-tree\.mjs as .* a test, .*machine id is made up\.$/,
  );
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
