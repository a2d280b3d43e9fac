/**
 * All collectors on the machine that runs the tests, whatever it is (a server, a container, a builder): as the
 * user who runs them, and as one who may nothing. Values are held against what Node says of the same machine.
 */
import { spawnSync } from "node:child_process";
import * as os from "node:os";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { expect, test } from "vitest";
import { isNoData } from "../../src/collectors/collector.ts";
import type { Cpu } from "../../src/collectors/cpu/schema.ts";
import { allCollectors } from "../../src/collectors/index.ts";
import type { MemoryData } from "../../src/collectors/memory/schema.ts";
import type { Network } from "../../src/collectors/network/schema.ts";
import type { System } from "../../src/collectors/system/schema.ts";
import { hostMachine } from "../../src/system/machine.ts";
import { collectTwice } from "../support/text/golden.ts";

type Sections = Record<string, unknown>;

/** What must be true of any Linux machine, whoever asks. */
function expectOfThisMachine(sections: Sections): void {
  const { system, cpu, memory, network } = sections as {
    system: System;
    cpu: Cpu;
    memory: MemoryData;
    network: Network;
  };
  expect(system).toMatchObject({
    hostname: os.hostname(),
    kernel: { release: os.release(), architecture: os.machine() },
  });
  expect(system.boot_id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(system.uptime_s).toBeLessThanOrEqual(os.uptime());
  expect(Date.parse(system.boot_time ?? "")).toBeLessThan(Date.now());
  expect(cpu.threads).toBeGreaterThanOrEqual(1);
  expect(cpu.load).not.toBeNull();
  expect(memory.total_bytes).toBeGreaterThan(2 ** 26);
  expect(memory.available_bytes).toBeLessThanOrEqual(memory.total_bytes as number);
  const known = network.interfaces.flatMap((item) => item.addresses.map(({ address }) => address));
  const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  expect(known).toEqual(expect.arrayContaining(addresses.map(({ address }) => address)));
}

/** As the executables have it (scripts/flags.mjs): node:ffi is experimental. */
const WITHOUT_WARNING = "--disable-warning=ExperimentalWarning";

test("this machine: every collector gives data that fits its schema, or says why there is none", async () => {
  const { sections } = await collectTwice(hostMachine());
  const data = Object.fromEntries(
    Object.entries(sections).map(([name, section]) => [
      name,
      section.state === "ok" ? section.data : section,
    ]),
  );
  expect(Object.keys(data).sort()).toEqual(
    allCollectors()
      .map((collector) => collector.name)
      .sort(),
  );
  expectOfThisMachine(data);
});

test("the same as a user who may nothing: all that is not for root only is still there", () => {
  const script = fileURLToPath(new URL("../support/machine/collect-child.ts", import.meta.url));
  const child = spawnSync(process.execPath, [WITHOUT_WARNING, script], { encoding: "utf8", timeout: 60_000 });
  expect(child.stderr).toBe("");
  const { uid, sections } = JSON.parse(child.stdout) as { uid: number; sections: Sections };
  expect(uid).not.toBe(0);
  for (const collector of allCollectors()) {
    const found = sections[collector.name];
    if (!isNoData(found)) expect(v.parse(collector.schema, found), collector.name).toEqual(found);
  }
  expectOfThisMachine(sections);
  const { hardware } = sections.system as System;
  if (hardware.denied.includes("product.serial")) expect(hardware.product.serial).toBeNull();
});
