/** ARM: names of cores by their numbers, and sockets that are none. */
import { describe, expect, test } from "vitest";
import { armCore } from "../../../src/collectors/cpu/arm-parts.ts";
import { readCpuModel } from "../../../src/collectors/cpu/model.ts";
import { openFiles } from "../../../src/system/files.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

test.each([
  ["0x41", "0xd0c", "ARM", "Neoverse-N1"],
  ["0x41", "0xd84", "ARM", "Neoverse-V3"],
  ["0x41", "0xd0b", "ARM", "Cortex-A76"],
  ["0x41", "0xd81", "ARM", "Cortex-A720"],
  ["0x48", "0xd02", "HiSilicon", "Kunpeng-920B"],
  ["0x70", "0x663", "Phytium", "FTC663"],
  ["0x70", "0x862", "Phytium", "FTC862"],
  ["0xc0", "0xac4", "Ampere", "Ampere-1a"],
  ["0x61", "0x022", "Apple", "Icestorm-M1"],
  ["0x61", "0x22", "Apple", "Icestorm-M1"],
  ["0x6d", "0xd49", "Microsoft", "Azure-Cobalt-100"],
  ["0x41", "0xfff", "ARM", "part 0xfff"],
  ["0x7f", "0x001", "implementer 0x7f", "part 0x001"],
  ["", "", "implementer ", "part "],
])("%s %s is %s %s", (implementer, part, vendor, model) => {
  expect(armCore(implementer, part)).toEqual({ vendor, model });
});

/** @param cpus part, package, core and threads of each */
function machine(
  cpus: readonly (readonly [string, number, number, string])[],
  more: Partial<Tree>,
): ReturnType<typeof readCpuModel> {
  const files: Tree["files"] = { "/sys/devices/system/cpu/online": `0-${cpus.length - 1}\n`, ...more.files };
  files["/proc/cpuinfo"] = cpus
    .map(([part], cpu) => `processor\t: ${cpu}\nCPU implementer\t: 0x41\nCPU part\t: ${part}\n\n`)
    .join("");
  for (const [cpu, [, socket, core, threads]] of cpus.entries()) {
    const at = `/sys/devices/system/cpu/cpu${cpu}/topology`;
    files[`${at}/physical_package_id`] = `${socket}\n`;
    files[`${at}/core_id`] = `${core}\n`;
    files[`${at}/thread_siblings_list`] = `${threads}\n`;
  }
  return readCpuModel(openFiles(layTree({ ...more, files })));
}

describe("sockets of", () => {
  // RK3399: an older kernel calls its clusters packages; newer ones count cores anew in each.
  const big = [0, 1, 2, 3].map((cpu): [string, number, number, string] => ["0xd03", 0, cpu, `${cpu}`]);
  test.each([1, 0])("a big.LITTLE board, whose second cluster is package %i", (second) => {
    const little = [4, 5].map((cpu): [string, number, number, string] => [
      "0xd08",
      second,
      cpu - 4,
      `${cpu}`,
    ]);
    const tree = { files: { "/proc/device-tree/model": "Firefly RK3399 Board\0" } };
    expect(machine([...big, ...little], tree)).toMatchObject({
      model: "Cortex-A53 + Cortex-A72",
      sockets: 1,
      cores: 6,
      threads: 6,
    });
  });

  test("a server with ACPI's table of processors has two", () => {
    const cpus = [0, 0, 1, 1].map((socket, cpu): [string, number, number, string] => [
      "0xd0c",
      socket,
      cpu,
      `${cpu}`,
    ]);
    expect(machine(cpus, { files: { "/sys/firmware/acpi/tables/PPTT": "" } })).toMatchObject({
      sockets: 2,
      cores: 4,
    });
  });

  test("a device tree that numbers its sockets has as many", () => {
    const cpus = [0, 1].map((socket): [string, number, number, string] => ["0x660", socket, 0, `${socket}`]);
    const folders = ["/proc/device-tree/cpus/cpu-map/socket0", "/proc/device-tree/cpus/cpu-map/socket1"];
    expect(machine(cpus, { files: {}, folders })).toMatchObject({ sockets: 2, cores: 2 });
  });

  test("cores with several threads are counted once", () => {
    const cpus = ["0-1", "0-1", "2-3", "2-3"].map((threads): [string, number, number, string] => [
      "0xd06",
      0,
      0,
      threads,
    ]);
    expect(machine(cpus, { files: {} })).toMatchObject({ sockets: 1, cores: 2, threads: 4 });
  });
});
