/** What is set aside on purpose is not short, and what is left beside it still is when it is. */
import { expect, test } from "vitest";
import { memoryCollector } from "../../../src/collectors/memory/memory.ts";
import { parseZfsCache } from "../../../src/collectors/memory/set-aside.ts";
import { loadCase } from "../../support/machine/cases.ts";
import { collectTree, conditionCodes } from "../../support/text/shape.ts";

const GIB = 2 ** 30;

/** @param lines of /proc/meminfo by name, in GiB; huge pages are of 1 GiB */
async function codes(lines: Record<string, number>, files: Record<string, string> = {}): Promise<string[]> {
  const meminfo = Object.entries(lines)
    .map(([name, gib]) => `${name}: ${gib * 2 ** 20} kB\n`)
    .join("");
  const collector = memoryCollector();
  const data = await collectTree(collector, { files: { "/proc/meminfo": meminfo, ...files } });
  return (collector.conditions?.(data) ?? []).map(({ code, severity }) => `${code} ${severity}`);
}

test("a hypervisor whose guests live in huge pages, and a storage node with ZFS", async () => {
  const collector = memoryCollector();
  for (const name of ["memory/hugepages-hypervisor", "memory/zfs-arc"])
    expect(conditionCodes(collector, await collectTree(collector, loadCase(name)))).toEqual([]);
  const { huge_bytes, zfs_cache } = await collectTree(collector, loadCase("memory/hugepages-hypervisor"));
  expect([huge_bytes, zfs_cache]).toEqual([240 * GIB, null]);
  const zfs = await collectTree(collector, loadCase("memory/zfs-arc"));
  expect(zfs.zfs_cache).toEqual({ size_bytes: 64 * GIB, min_bytes: 4 * GIB });
});

test("the rest beside the pools is judged by itself", async () => {
  expect(await codes({ MemTotal: 256, MemAvailable: 0.5, Hugetlb: 240 })).toEqual(["memory_low warning"]);
  expect(await codes({ MemTotal: 256, MemAvailable: 0.25, Hugetlb: 240 })).toEqual(["memory_low error"]);
  expect(await codes({ MemTotal: 16, MemAvailable: 0.5 })).toEqual(["memory_low warning"]);
});

test("pools of all sizes, where /proc/meminfo does not add them up", async () => {
  const pools = "/sys/kernel/mm/hugepages";
  const sizes = {
    [`${pools}/hugepages-1048576kB/nr_hugepages`]: "200\n",
    [`${pools}/hugepages-2048kB/nr_hugepages`]: "20480\n",
  };
  expect(await codes({ MemTotal: 256, MemAvailable: 9 }, sizes)).toEqual([]);
  expect(await codes({ MemTotal: 256, MemAvailable: 9 })).toEqual(["memory_low warning"]);
});

test("a cache of ZFS at its minimum gives nothing back", async () => {
  const arc = (size: number): Record<string, string> => ({
    "/proc/spl/kstat/zfs/arcstats": `13 1 0x01 1 1 1 1\nname type data\nc_min 4 ${4 * GIB}\nsize 4 ${size * GIB}\n`,
  });
  expect(await codes({ MemTotal: 128, MemAvailable: 4 }, arc(4))).toEqual(["memory_low warning"]);
  expect(await codes({ MemTotal: 128, MemAvailable: 4 }, arc(40))).toEqual([]);
});

test.each([
  "",
  "size 4\nc_min 4 1\n",
  "size 4 x\nc_min 4 1\n",
  "size 4 1\n",
  `size 4 ${"9".repeat(30)}\nc_min 4 1\n`,
])("%j is no cache of ZFS", (text) => {
  expect(parseZfsCache(text)).toBeNull();
});
