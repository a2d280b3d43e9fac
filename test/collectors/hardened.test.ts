/**
 * What the collectors know in a hardened unit (captured in one: trees/vm-hardened), and of a machine whose
 * files lie: garbage, halves, nothing, a clock in 1970. Whatever happens, the report is whole and small.
 */
import { describe, expect, test } from "vitest";
import type { Cpu } from "../../src/collectors/cpu/schema.ts";
import type { DrivesData } from "../../src/collectors/drives/schema.ts";
import { allCollectors } from "../../src/collectors/index.ts";
import type { MemoryData } from "../../src/collectors/memory/schema.ts";
import type { Network } from "../../src/collectors/network/schema.ts";
import type { System } from "../../src/collectors/system/schema.ts";
import { loadTree, type Tree } from "../support/machine/tree.ts";
import { collectTwice, goldenMachine } from "../support/text/golden.ts";

interface Data {
  system: System;
  cpu: Cpu;
  memory: MemoryData;
  drives: DrivesData;
  network: Network;
}

/** Data of every section that has some, checked against the schemas, and the codes of the conditions. */
async function collect(tree: Tree): Promise<Data & { codes: string[] }> {
  const { sections, conditions } = await collectTwice(goldenMachine(tree));
  const data = Object.fromEntries(
    Object.entries(sections).map(([name, section]) => [name, section.state === "ok" ? section.data : null]),
  );
  return { ...(data as unknown as Data), codes: conditions.map(({ code }) => code) };
}

/** Who the drives are, without what moves while the machine runs. */
function identities({ drives }: DrivesData): unknown {
  return drives.map(({ io: _, temperature_c: __, mounts, ...drive }) => ({
    ...drive,
    mounts: mounts.map(({ mountpoint, read_only, errors }) => ({ mountpoint, read_only, errors })),
  }));
}

describe("in a unit with ProtectSystem=strict, PrivateDevices, ProtectProc and no AF_NETLINK", () => {
  test("the same drives under the same ids, with nothing called read-only", async () => {
    const free = await collect(loadTree("vm"));
    const tree = loadTree("vm-hardened");
    // The premises: "/" is mounted read-only for the unit, /dev/disk and pid 1 are hidden.
    const mounts = tree.files["/proc/self/mountinfo"] as string;
    expect(mounts).toMatch(/ \/ \/ ro,\S* .* - ext4 \/dev\/vda rw/);
    expect(tree.addresses).toBeNull();
    const paths = [...Object.keys(tree.files), ...Object.keys(tree.links ?? {})];
    expect(paths.filter((path) => /^\/(?:dev|proc\/1)\//.test(path))).toEqual([]);

    const { drives, codes } = await collect(tree);
    expect(identities(drives)).toEqual(identities(free.drives));
    expect(drives.drives.map(({ transport, serial }) => [transport, serial]).sort()).toEqual([
      ["nvme", "LABNVME0001"],
      ["sas", "LABSAS0001"],
      ["sata", "LABATA0001"],
      ["virtio", null],
      ["virtio", "LABSCSI0001"],
    ]);
    expect(drives.drives.flatMap(({ mounts: all }) => all)).toMatchObject([
      { mountpoint: "/", device: "/dev/vda", read_only: false, read_only_expected: false },
    ]);
    expect(codes).toEqual([]);
  });

  test("a file system that really went read-only is still told from the unit's own view of it", async () => {
    const tree = loadTree("vm-hardened");
    const mounts = tree.files["/proc/self/mountinfo"] as string;
    tree.files["/proc/self/mountinfo"] = mounts.replaceAll("- ext4 /dev/vda rw", "- ext4 /dev/vda ro");
    const { drives, codes } = await collect(tree);
    expect(drives.drives.at(-1)?.mounts[0]).toMatchObject({ read_only: true, read_only_expected: false });
    expect(codes).toEqual(["filesystem_read_only"]);
  });

  test("the interfaces are all there, their IPv4 addresses said to be unknown, not absent", async () => {
    const { network } = await collect(loadTree("vm-hardened"));
    expect(network.addresses_known).toBe(false);
    expect(network.interfaces.map(({ name, mac, up }) => [name, mac, up])).toEqual([
      ["enp0s5", "52:54:00:12:34:56", true],
      ["lo", null, true],
    ]);
    expect(
      network.interfaces.flatMap(({ addresses }) => addresses.map(({ family }) => family)),
    ).not.toContain(4);
    expect(network.primary?.interface).toBe("enp0s5");
  });

  test("serial numbers for root only are named as denied; a hidden pid 1 makes no container of a VM", async () => {
    const { system } = await collect(loadTree("vm-hardened"));
    expect(system.hardware.denied).toEqual(["product.serial", "chassis.serial"]);
    expect(system.hardware.product).toMatchObject({ vendor: "QEMU", serial: null });
    expect(system.virtualization).toEqual({ vm: "qemu", container: null });
    expect(system.reboot_required.required).toBe(false);
    expect(system.machine_id).toMatch(/^[0-9a-f]{64}$/);
  });

  test("crash records that may not be looked at are unknown, not none", async () => {
    expect((await collect(loadTree("vm"))).system.last_boot.kernel_dumps).toBe(0);
    expect((await collect(loadTree("vm-hardened"))).system.last_boot.kernel_dumps).toBeNull();
  });
});

/** A report of nonsense is still a report: fits its schemas (collectTwice), no bigger than a sound one could be. */
async function collectNonsense(tree: Tree): Promise<Data & { codes: string[] }> {
  const data = await collect(tree);
  const text = JSON.stringify(data);
  expect(text.length).toBeLessThan(64 * 1024);
  // Where in the text, so that a failure does not print all of it.
  const at = text.search(/\ufffd|\\u00[01]/);
  expect(at < 0 ? "" : text.slice(at - 60, at + 20), "control or undecodable characters").toBe("");
  return data;
}

function spoil(content: (text: string, path: string) => string | { base64: string }): Tree {
  const tree = loadTree("vm");
  for (const [path, file] of Object.entries(tree.files)) {
    const text = typeof file === "string" ? file : Buffer.from(file.base64, "base64").toString("latin1");
    tree.files[path] = content(text, path);
  }
  return tree;
}

describe("bad input", () => {
  test.each([
    ["half-written", (text: string) => text.slice(0, text.length / 2)],
    ["cut after one character", (text: string) => text.slice(0, 1)],
    ["empty", () => ""],
    ["ten lines of every line", (text: string) => text.replace(/^.*\n/gm, (line) => line.repeat(10))],
    ["digits become nines", (text: string) => text.replace(/\d/g, "9")],
    ["numbers become negative", (text: string) => text.replace(/[1-9]\d*/g, "-$&")],
    ["words become control characters", (text: string) => text.replace(/[a-z]/g, "\u001b")],
  ])("every file of the machine %s", async (_, spoiling) => {
    const { drives, network } = await collectNonsense(spoil(spoiling));
    // Names of devices are names of folders: what is there is still there.
    expect(drives.drives.length).toBeGreaterThan(0);
    expect(network.interfaces.map(({ name }) => name)).toEqual(["enp0s5", "lo"]);
  });

  test("every file random bytes", async () => {
    let seed = 42;
    const byte = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed >> 16;
    };
    const noise = (): { base64: string } => ({
      base64: Buffer.from(Array.from({ length: 300 }, byte)).toString("base64"),
    });
    await collectNonsense(spoil(noise));
  });

  test("an os-release of 10 MB, garbage in DMI strings, a host name of 300 characters: the rest stays right", async () => {
    const tree = loadTree("vm");
    const sound = await collect(loadTree("vm"));
    const osRelease = tree.files["/usr/lib/os-release"] as string;
    tree.files["/usr/lib/os-release"] = `${osRelease}${"JUNK=\u0000\u0007\n".repeat(1_200_000)}`;
    const dmi = "/sys/devices/virtual/dmi/id";
    tree.files[`${dmi}/product_name`] = {
      base64: Buffer.from([0xff, 0xfe, 0x80, 0x81, 7, 27, 91]).toString("base64"),
    };
    tree.files[`${dmi}/bios_version`] = "1.16\u001b[31m\u0007\n";
    tree.files["/proc/sys/kernel/hostname"] = `${"long-name-".repeat(30)}\n`;
    const { system, cpu, drives, codes } = await collectNonsense(tree);
    expect(system.os).toEqual(sound.system.os);
    expect(system.hardware.product).toEqual({ ...sound.system.hardware.product, name: null });
    expect(system.hardware.bios.version).toBe("1.16 [31m");
    expect(system.hostname).toBe("long-name-".repeat(30).slice(0, 253));
    expect(codes).toEqual(["hostname_too_long"]);
    expect(cpu).toEqual(sound.cpu);
    expect(drives).toEqual(sound.drives);
  });

  test("a clock in 1970 changes times and nothing else", async () => {
    const tree = loadTree("vm");
    const sound = await collect(loadTree("vm"));
    const early = await collectNonsense({ ...tree, now: 30_000 });
    expect(early.system.boot_time).toMatch(/^1969-12-31T23:5/);
    expect({ ...early.system, boot_time: null }).toEqual({ ...sound.system, boot_time: null });
    expect(early.drives).toEqual(sound.drives);
  });

  test("every file refused by the kernel: names of what is there, null for what is not known", async () => {
    for (const code of ["EACCES", "EIO", "EINVAL"]) {
      const tree = loadTree("vm");
      // Asked for by the paths with links in them as well as by the real ones.
      const paths = [...Object.keys(tree.files), ...Object.keys(tree.links ?? {})];
      const errors = Object.fromEntries(paths.map((path) => [path, code]));
      const links = loadTree("vm").links ?? {};
      for (const [link, target] of Object.entries(links)) {
        const real = new URL(target, `file://${link}`).pathname;
        for (const path of Object.keys(tree.files))
          if (path.startsWith(`${real}/`)) errors[link + path.slice(real.length)] = code;
      }
      // Checks each section against its schema; nothing may throw but in words.
      const { sections } = await collectTwice(goldenMachine({ ...tree, errors }));
      expect(Object.keys(sections)).toEqual(allCollectors().map(({ name }) => name));
      const failed = Object.entries(sections).filter(([, section]) => section.state === "failed");
      expect(failed.map(([name]) => name).sort()).toEqual(["cpu", "memory"]);
    }
  });
});
