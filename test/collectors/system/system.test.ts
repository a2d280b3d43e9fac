import { expect, test } from "vitest";
import type { System } from "../../../src/collectors/system/schema.ts";
import { systemChanges, systemCollector } from "../../../src/collectors/system/system.ts";
import { compileFacets, redact, stableText } from "../../../src/model/facets.ts";
import { openFiles } from "../../../src/system/files.ts";
import { hostMachine } from "../../../src/system/machine.ts";
import { machineIdOf } from "../../../src/system/machine-id.ts";
import { layTree, loadTree, type Tree, treeMachine } from "../../support/machine/tree.ts";
import { collectMachine, collectTree, conditionCodes, metricLines } from "../../support/text/shape.ts";

/** The parts this collector reads. */
function machineTree(name: string): Tree {
  return loadTree(name, ["system", "cpu"]);
}

function collect(tree: Tree): Promise<System> {
  return collectTree(systemCollector(), tree);
}

test("a bare-metal Ceph node", async () => {
  const data = await collect(machineTree("ceph-node"));
  expect(data).toEqual({
    hostname: "ceph-osd-07",
    hostname_cut: false,
    fqdn: "ceph-osd-07.storage.example.net",
    domainname: null,
    machine_id: machineIdOf("4f2a9c0d7b6e4d1f8a3c5e7092b4d6f8", "foundry-agent/v1"),
    boot_id: "7c9f1d52-3f0e-4c1b-9d43-58a0f2b6c7e1",
    boot_time: "2025-01-05T07:46:51Z",
    uptime_s: 3_456_789,
    os: {
      id: "debian",
      id_like: null,
      name: "Debian GNU/Linux",
      pretty_name: "Debian GNU/Linux 12 (bookworm)",
      version: "12 (bookworm)",
      version_id: "12",
      version_codename: "bookworm",
      variant: null,
      variant_id: null,
      build_id: null,
      image_id: null,
      image_version: null,
    },
    kernel: {
      release: "6.1.0-28-amd64",
      version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
      architecture: "x86_64",
    },
    virtualization: { vm: null, container: null },
    hardware: {
      source: "dmi",
      product: {
        vendor: "Supermicro",
        name: "SSG-6029P-E1CR12L",
        version: null,
        serial: "S318420X0C11223",
        uuid: "00000000-0000-0000-0000-ac1f6b0a1b2c",
        asset_tag: null,
      },
      board: { vendor: "Supermicro", name: "X11DPH-T", version: "1.02", serial: "OM20AS012345" },
      chassis: { vendor: "Supermicro", serial: "C8260LL27N90123" },
      bios: { vendor: "American Megatrends Inc.", version: "3.8b", date: "2023-05-17" },
      raspberry_pi: null,
      denied: [],
    },
    clock: { synchronised: null, offset_s: null, source: "chrony", time_zone: "Europe/Berlin" },
    // Of these there is a part of its own: facts/facts.test.ts.
    boot_mode: { mode: null, secure_boot: null, eeprom: null },
    command_line: null,
    security: {
      modules: null,
      selinux: { state: null, configured: null, policy: null },
      apparmor: { enabled: null, profiles: null },
      lockdown: null,
    },
    storage_controllers: [],
    reboot_required: {
      required: true,
      since: "2025-02-12T08:00:00.000Z",
      reasons: ["kernel"],
      packages: [],
      newest_kernel: "6.1.0-31-amd64",
    },
    last_boot: { cause: null, source: null, kernel_dumps: 0, way: null },
  } satisfies System);
  expect(conditionCodes(systemCollector(), data)).toEqual(["reboot_required"]);
});

test("a Raspberry Pi 4: no DMI, a newer kernel of the other flavour, switched on", async () => {
  const data = await collect(machineTree("pi4"));
  expect(data.hardware).toMatchObject({
    source: "device-tree",
    product: { vendor: "Raspberry Pi", name: "Raspberry Pi 4 Model B Rev 1.4", serial: "10000000a1b2c3d4" },
    raspberry_pi: { model: "Raspberry Pi 4 Model B Rev 1.4", serial: "10000000a1b2c3d4", revision: "c03114" },
  });
  expect(data).toMatchObject({
    fqdn: null,
    kernel: { architecture: "aarch64" },
    virtualization: { vm: null, container: null },
    clock: { synchronised: true, source: "systemd-timesyncd", time_zone: "Europe/London" },
    reboot_required: { required: false, reasons: [] },
    last_boot: { cause: "power_on" },
  });
  expect(conditionCodes(systemCollector(), data)).toEqual([]);
});

test("a container says what it can't know", async () => {
  const data = await collect(machineTree("container"));
  expect(data).toMatchObject({
    machine_id: null,
    virtualization: { vm: "kvm", container: "podman" },
    hardware: { source: null, raspberry_pi: null },
    clock: { synchronised: null, source: null, time_zone: "UTC" },
    reboot_required: { required: null },
    last_boot: { cause: null, way: null },
  });
  expect(conditionCodes(systemCollector(), data)).toEqual(["machine_id_missing"]);
  // The kernel's own loader is the host's.
  const tree = machineTree("container");
  const loaded = { ...tree, files: { ...tree.files, "/proc/sys/kernel/bootloader_type": "208\n" } };
  expect((await collect(loaded)).last_boot.way).toBeNull();
});

test("the machine the test runs on", async () => {
  const machine = hostMachine();
  const data = await collectMachine(systemCollector(), machine);
  expect(data.boot_id).toBe(machine.files.text("/proc/sys/kernel/random/boot_id"));
  expect(data.kernel.architecture).not.toBeNull();
  expect(data.uptime_s).toBeGreaterThan(0);
  expect(Date.parse(data.boot_time ?? "")).toBeLessThan(Date.now());
});

test("uptime and the tick of the clock are no news, another host name is", async () => {
  const collector = systemCollector();
  const facets = compileFacets(collector.volatile);
  const tree = machineTree("ceph-node");
  const before = await collectTree(collector, tree);
  tree.files["/proc/uptime"] = "3456999.99 1.00\n";
  const after = await collectTree(collector, tree);
  expect(after.uptime_s).not.toBe(before.uptime_s);
  expect(stableText(after, facets)).toBe(stableText(before, facets));
  expect(stableText({ ...after, hostname: "other" }, facets)).not.toBe(stableText(before, facets));
});

test("the boot time does not tremble with the clock's fraction of a second", async () => {
  const machine = treeMachine(machineTree("ceph-node"));
  const collector = systemCollector();
  const first = await collectMachine(collector, machine);
  const later = { now: () => machine.clock.now() + 1_400, monotonic: machine.clock.monotonic };
  expect((await collectMachine(collector, { ...machine, clock: later })).boot_time).toBe(first.boot_time);
  const stepped = { now: () => machine.clock.now() + 60_000, monotonic: machine.clock.monotonic };
  expect((await collectMachine(collector, { ...machine, clock: stepped })).boot_time).not.toBe(
    first.boot_time,
  );
});

test("a new os-release is seen by its time, without a restart", async () => {
  const tree = machineTree("pi4");
  const root = layTree(tree);
  const machine = { ...treeMachine(tree), files: openFiles(root) };
  const collector = systemCollector();
  const before = await collectMachine(collector, machine);
  layTree({ files: { "/etc/os-release": "ID=debian\nVERSION_ID=13\n" }, now: Date.now() }, root);
  const after = await collectMachine(collector, machine);
  expect(after.os?.version_id).toBe("13");
  expect(systemChanges(before, after)).toEqual([
    {
      type: "system.os_changed",
      severity: "info",
      data: { before: "Debian GNU/Linux 12 (bookworm)", after: "13" },
    },
  ]);
  expect(systemChanges(null, after)).toEqual([]);
  expect(systemChanges(after, { ...after, hostname: "x" })[0]?.type).toBe("system.hostname_changed");
});

test("conditions of an abnormal boot, an unsynchronised clock and asked-for reboots", async () => {
  const collector = systemCollector();
  const data = await collect(machineTree("pi4"));
  const wrong: System = {
    ...data,
    clock: { ...data.clock, synchronised: false },
    last_boot: { cause: "watchdog", source: "watchdog0", kernel_dumps: 2, way: "firmware" },
    reboot_required: {
      required: true,
      since: null,
      reasons: ["marker"],
      packages: ["a", "b", "c", "d", "e"],
      newest_kernel: null,
    },
  };
  expect(conditionCodes(collector, wrong)).toEqual([
    "clock_unsynchronised",
    "reboot_required",
    "last_boot_abnormal",
    "kernel_dumps_kept",
  ]);
  expect(collector.conditions?.(wrong)[1]?.text).toBe(
    "A reboot is required: a, b, c and 2 more asked for it.",
  );
  // Just booted: the time service is still at it.
  expect(conditionCodes(collector, { ...wrong, uptime_s: 30 })).not.toContain("clock_unsynchronised");
});

test("serial numbers and ids are hidden from those who may not see them", async () => {
  const collector = systemCollector();
  const shown = JSON.stringify(
    redact(await collect(machineTree("ceph-node")), compileFacets(collector.sensitive)),
  );
  for (const secret of ["S318420X0C11223", "ac1f6b0a1b2c", "OM20AS012345", "C8260LL27N90123"])
    expect(shown).not.toContain(secret);
  const pi = JSON.stringify(redact(await collect(machineTree("pi4")), compileFacets(collector.sensitive)));
  expect(pi).not.toContain("10000000a1b2c3d4");
});

test("metrics in node_exporter's names", async () => {
  const lines = metricLines(systemCollector(), await collect(machineTree("ceph-node")));
  expect(lines).toContain("node_boot_time_seconds 1736063211");
  expect(lines).toContain("foundry_agent_reboot_required 1");
  expect(lines.find((line) => line.startsWith("node_uname_info"))).toContain(
    'machine="x86_64",nodename="ceph-osd-07",domainname="(none)"',
  );
  expect(lines.find((line) => line.startsWith("node_dmi_info"))).toContain(
    'product_serial="S318420X0C11223"',
  );
  expect(lines.find((line) => line.startsWith("node_os_info"))).toContain('version_id="12"');
  expect(metricLines(systemCollector(), await collect(machineTree("pi4")))).toContain(
    "node_timex_sync_status 1",
  );
});

test("a table of finished text", async () => {
  const { table } = systemCollector();
  const rows = new Map(
    (table?.rows(await collect(machineTree("ceph-node")), 0) ?? []).map(([what, value]) => [what, value]),
  );
  expect(rows.get("runs on")).toBe("bare metal");
  expect(rows.get("product")).toBe("Supermicro SSG-6029P-E1CR12L");
  expect(rows.get("clock synchronised")).toBe("unknown");
});
