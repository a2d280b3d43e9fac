/**
 * Our reading of SMBIOS tables against dmidecode's, and systeminformation's on top of it: the same bytes, read
 * by three.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { readInventory } from "../../src/helper/inventory/inventory.ts";
import { openFiles } from "../../src/system/files.ts";
import { serverTable } from "../support/machine/smbios.ts";
import { layTree, temporaryFolder } from "../support/machine/tree.ts";

const PATH = `${process.env.PATH}:/usr/sbin`;
const LACKING =
  spawnSync("dmidecode", ["--version"], { stdio: "ignore", env: { PATH } }).status === 0
    ? null
    : "there is no dmidecode: apt-get install dmidecode";

/** What `dmidecode --dump-bin` writes: a 64-bit entry point (DSP0134 5.2.2), and the table at 0x20. */
function dumpOf(table: Buffer): Buffer {
  const entry = Buffer.alloc(0x20);
  entry.write("_SM3_", 0, "latin1");
  entry.set([0, 24, 3, 2, 0, 1, 0], 5);
  entry.writeUInt32LE(table.length, 12);
  entry.writeBigUInt64LE(0x20n, 16);
  const sum = entry.subarray(0, 24).reduce((total, byte) => total + byte, 0);
  entry[5] = (256 - (sum % 256)) % 256;
  return Buffer.concat([entry, table]);
}

function setUp(): { dump: string; ours: ReturnType<typeof readInventory> } {
  const table = serverTable();
  const dump = join(temporaryFolder(), "table.bin");
  writeFileSync(dump, dumpOf(table));
  const tree = { files: { "/sys/firmware/dmi/tables/DMI": { base64: table.toString("base64") } } };
  return { dump, ours: readInventory(openFiles(layTree(tree))) };
}

/** Structures of one type as dmidecode prints them: keys and values. */
function dmidecode(dump: string, type: number): Record<string, string>[] {
  const text = execFileSync("dmidecode", ["--from-dump", dump, "-t", String(type)], {
    encoding: "utf8",
    env: { PATH },
  });
  return text
    .split(/\n\n/)
    .filter((block) => block.includes(`DMI type ${type},`))
    .map((block) =>
      Object.fromEntries([...block.matchAll(/^\t([^:\t]+): (.*)$/gm)].map(([, key, value]) => [key, value])),
    );
}

it("reads the same as dmidecode", (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const { dump, ours } = setUp();
  const theirs = dmidecode(dump, 17).filter((device) => device.Locator !== "BIOS flash");
  expect(theirs.map((device) => device.Locator)).toEqual(ours.dimms.map(({ slot }) => slot));
  for (const [index, device] of theirs.entries()) {
    const dimm = ours.dimms[index];
    const [amount, unit] = (device.Size ?? "").split(" ");
    const factor = { GB: 2 ** 30, MB: 2 ** 20, kB: 2 ** 10 }[unit ?? ""];
    expect(dimm?.size_bytes).toBe(factor === undefined ? null : Number(amount) * factor);
    if (dimm?.populated !== true) continue;
    expect(dimm.type).toBe(device.Type);
    expect(dimm.form).toBe(device["Form Factor"]);
    expect(`${dimm.speed_mts} MT/s`).toBe(device.Speed);
    expect(`${dimm.configured_speed_mts} MT/s`).toBe(device["Configured Memory Speed"]);
    expect([dimm.serial, null]).toContain(dimm.serial === null ? null : device["Serial Number"]);
  }
  const [system] = dmidecode(dump, 1);
  expect(ours.product).toMatchObject({
    name: system?.["Product Name"],
    serial: system?.["Serial Number"],
    uuid: system?.UUID,
  });
  expect(ours.chassis.type).toBe(dmidecode(dump, 3)[0]?.Type?.toLowerCase().replace(" chassis", ""));
  const supplies = dmidecode(dump, 39);
  expect(ours.power_supplies.map(({ max_power_watts }) => max_power_watts)).toEqual(
    supplies.map((supply) => Number(/^(\d+) W$/.exec(supply["Max Power Capacity"] ?? "")?.[1] ?? 0) || null),
  );
  expect(ours.power_supplies[0]).toMatchObject({ serial: supplies[0]?.["Serial Number"], status: "ok" });
  expect(supplies.map((supply) => supply.Status)).toEqual(["Present, OK", "Not Present"]);
});

it("reads the same as systeminformation does through dmidecode", async (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const { dump, ours } = setUp();
  const folder = temporaryFolder();
  const real = execFileSync("sh", ["-c", "command -v dmidecode"], { encoding: "utf8", env: { PATH } }).trim();
  writeFileSync(join(folder, "dmidecode"), `#!/bin/sh\nexec '${real}' --from-dump '${dump}' "$@"\n`);
  chmodSync(join(folder, "dmidecode"), 0o755);
  vi.stubEnv("PATH", `${folder}:${PATH}`);
  const { memLayout } = await import("systeminformation");
  const layout = await memLayout();
  vi.unstubAllEnvs();
  const theirs = layout
    .filter(({ size }) => size > 0)
    .map(({ size, partNum, type }) => ({ size, partNum, type }));
  const full = ours.dimms.filter(({ populated }) => populated);
  // Placeholders are null here and kept there, and the flash chip counts as memory there.
  for (const dimm of full)
    expect(theirs).toContainEqual({
      size: dimm.size_bytes,
      partNum: dimm.part_number ?? "ModulePartNumber03",
      type: dimm.type,
    });
});
