import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemChanges, systemCollector } from "../../src/collectors/system.ts";
import { fqdnOf, parseOsRelease, readClock, readTimeZone } from "../../src/collectors/system-os.ts";
import type { System } from "../../src/collectors/system-schema.ts";
import { compileFacets, redact, stableText } from "../../src/model/facets.ts";
import { openFiles } from "../../src/system/files.ts";
import { hostMachine } from "../../src/system/machine.ts";
import { machineIdOf } from "../../src/system/machine-id.ts";
import {
  collectMachine,
  collectTree,
  conditionCodes,
  failing,
  metricLines,
  spoiled,
} from "../support/shape.ts";
import { layTree, loadTree, type Tree, treeMachine } from "../support/tree.ts";

const TREES = ["ceph-node", "pi4", "container"];

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
    clock: { synchronised: null, source: "chrony", time_zone: "Europe/Berlin" },
    reboot_required: {
      required: true,
      since: "2025-02-12T08:00:00.000Z",
      reasons: ["kernel"],
      packages: [],
      newest_kernel: "6.1.0-31-amd64",
    },
    last_boot: { cause: null, source: null, kernel_dumps: 0 },
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
    last_boot: { cause: null },
  });
  expect(conditionCodes(systemCollector(), data)).toEqual(["machine_id_missing"]);
});

test("the machine the test runs on", async () => {
  const machine = hostMachine();
  const data = await collectMachine(systemCollector(), machine);
  expect(data.boot_id).toBe(machine.files.text("/proc/sys/kernel/random/boot_id"));
  expect(data.kernel.architecture).not.toBeNull();
  expect(data.uptime_s).toBeGreaterThan(0);
  expect(Date.parse(data.boot_time ?? "")).toBeLessThan(Date.now());
});

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
    last_boot: { cause: "watchdog", source: "watchdog0", kernel_dumps: 2 },
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

test.each([
  ["node1", null, "10.0.0.1 node1.example.org node1", "node1.example.org"],
  ["node1", null, "10.0.0.1 node1 node1.example.org # x", "node1.example.org"],
  ["node1", null, "127.0.0.1 node1.localdomain node1", null],
  ["node1", null, "10.0.0.1 node10.example.org", null],
  ["node1", null, "# 10.0.0.1 node1.example.org", null],
  ["node1.example.org", null, "", "node1.example.org"],
  ["node1", "example.org", "", "node1.example.org"],
  ["node1", null, "", null],
])("name %s, domain %s, hosts %j: %s", (hostname, domain, hosts, expected) => {
  expect(fqdnOf(hostname, domain, hosts)).toBe(expected);
});

test("quotes and backslashes of os-release", () => {
  expect(
    parseOsRelease('NAME=\'Foo Linux\'\nPRETTY_NAME="Foo \\"Bar\\" \\$1"\nID=foo\r\nid=no\n'),
  ).toMatchObject({
    name: "Foo Linux",
    pretty_name: 'Foo "Bar" $1',
    id: "foo",
  });
});

test("time zone and clock from what is there", () => {
  const files = (tree: Partial<Tree>): ReturnType<typeof openFiles> =>
    openFiles(layTree({ files: {}, ...tree }), tree.errors ?? {});
  expect(readTimeZone(files({ files: { "/etc/localtime": "TZif", "/etc/timezone": "Asia/Tokyo\n" } }))).toBe(
    "Asia/Tokyo",
  );
  expect(readTimeZone(files({ files: { "/etc/localtime": "TZif" } }))).toBeNull();
  expect(readTimeZone(files({}))).toBe("UTC");
  expect(readClock(files({ folders: ["/run/systemd/timesync"] }))).toMatchObject({ synchronised: false });
  const denied = {
    folders: ["/run/systemd/timesync"],
    errors: { "/run/systemd/timesync/synchronized": "EACCES" },
  };
  expect(readClock(files(denied))).toMatchObject({ synchronised: null, source: "systemd-timesyncd" });
});

test("os-release and hosts of any text make well-formed values", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 500 }),
    fc
      .array(fc.stringMatching(/^(?:ID|NAME|PRETTY_NAME)=["']?[\s\S]{0,30}["']?$/))
      .map((lines) => lines.join("\n")),
  );
  fc.assert(
    fc.property(text, text, (a, b) => {
      for (const value of Object.values(parseOsRelease(a)))
        if (value !== null) expect(value).toMatch(/^[^\x00-\x1f\x7f]{1,256}$/);
      expect((fqdnOf("node1", null, b) ?? "").length).toBeLessThanOrEqual(253);
    }),
    { seed: 17, numRuns: 1000 },
  );
});
