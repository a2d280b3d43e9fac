/** The light on a drive's slot: which drive is meant, which light is its, and that it goes off again. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type LookedDrive, lookAtDrives, plainWwn } from "../../../src/helper/locate/drive.ts";
import { findLed } from "../../../src/helper/locate/led.ts";
import { findDrive } from "../../../src/helper/locate/locate.ts";
import { openLocateRecord } from "../../../src/helper/locate/record.ts";
import { AgentError, errorCode } from "../../../src/model/errors.ts";
import { openFiles } from "../../../src/system/files.ts";
import { runProgram } from "../../../src/system/program.ts";
import { eventually } from "../../support/eventually.ts";
import {
  ask,
  type HelperHouse,
  helperHouse,
  requestFrame,
  sendRaw,
  testHelper,
} from "../../support/helper/helper.ts";
import { layTree, loadTree, type Tree, temporaryFolder } from "../../support/machine/tree.ts";

const POLICY = '[allow]\nlocal = ["locate"]\n';

/** Two SAS drives of which one has two paths, an NVMe drive, and what is no drive. */
function hostTree(): Tree {
  const scsi = (hctl: string): string => `/sys/devices/pci0000:00/0000:00:05.0/host${hctl[0]}/target/${hctl}`;
  const drive = (name: string, hctl: string, serial: string, wwid: string): Tree => ({
    files: {
      [`${scsi(hctl)}/block/${name}/dev`]: "8:0",
      [`${scsi(hctl)}/vpd_pg80`]: `\0\u0080\0\x08${serial}   `,
      [`${scsi(hctl)}/wwid`]: wwid,
    },
    links: {
      [`/sys/block/${name}`]: `..${scsi(hctl).slice("/sys".length)}/block/${name}`,
      [`${scsi(hctl)}/block/${name}/device`]: `../../../${hctl}`,
    },
  });
  const slot = (number: string, hctl: string): Tree => ({
    files: { [`/sys/class/enclosure/0:0:20:0/Slot ${number}/locate`]: "0" },
    links: {
      [`/sys/class/enclosure/0:0:20:0/Slot ${number}/device`]: `../../../..${scsi(hctl).slice("/sys".length)}`,
    },
  });
  const parts: Tree[] = [
    drive("sda", "0:0:1:0", "SER-A", "naa.5000c50000000001"),
    drive("sdb", "1:0:1:0", "SER-A", "naa.5000c50000000001"),
    drive("sdc", "0:0:2:0", "SER-C", "naa.5000c50000000003"),
    slot("01", "1:0:1:0"),
    slot("02", "0:0:2:0"),
    {
      files: {
        "/proc/uptime": "1000.00 1.00",
        "/proc/sys/kernel/random/boot_id": "b1",
        "/sys/devices/pci0000:00/nvme/nvme0/serial": "NV-1 ",
        "/sys/devices/pci0000:00/nvme/nvme0/nvme0n1/wwid": "eui.0025385b01234567",
        "/sys/devices/virtual/block/dm-0/dev": "253:0",
        "/sys/devices/virtual/block/zd0/dev": "230:0",
        "/run/udev/data/b8:0": "E:ID_SERIAL_SHORT=UDEV-ONLY\nE:ID_WWN=0x5000C50000000001\n",
      },
      links: {
        "/sys/block/nvme0n1": "../devices/pci0000:00/nvme/nvme0/nvme0n1",
        "/sys/devices/pci0000:00/nvme/nvme0/nvme0n1/device": "../../nvme0",
        "/sys/block/dm-0": "../devices/virtual/block/dm-0",
        "/sys/block/zd0": "../devices/virtual/block/zd0",
      },
    },
  ];
  return {
    files: Object.assign({}, ...parts.map((part) => part.files)),
    links: Object.assign({}, ...parts.map((part) => part.links)),
  };
}

describe("the helper's own look", () => {
  it("finds serial numbers and WWNs from the kernel and udev", () => {
    const drives = lookAtDrives(openFiles(layTree(hostTree())));
    expect(drives.map(({ name }) => name)).toEqual(["nvme0n1", "sda", "sdb", "sdc"]);
    expect(drives[0]).toEqual({ name: "nvme0n1", serials: ["NV-1"], wwns: ["0025385b01234567"], hctl: null });
    expect(drives[1]).toMatchObject({
      serials: ["SER-A", "UDEV-ONLY"],
      wwns: ["5000c50000000001"],
      hctl: "0:0:1:0",
    });
  });

  it.each(["ceph-node", "vm", "pi4", "container"])(
    "has a serial number or WWN for what has one on %s",
    (name) => {
      const tree = loadTree(name);
      const drives = lookAtDrives(openFiles(layTree(tree)));
      for (const { name: drive } of drives) expect(drive).toMatch(/^(?:sd|nvme|mmcblk|vd)/);
      if (name === "ceph-node")
        expect(drives.filter(({ serials }) => serials.length > 0).length).toBeGreaterThan(3);
    },
  );

  it("takes a WWN however it is written", () => {
    for (const text of ["0x5000C50000000001", "naa.5000c50000000001", " 5000c50000000001 "])
      expect(plainWwn(text)).toBe("5000c50000000001");
    for (const text of ["", "t10.ATA     X", "0x12", "eui."]) expect(plainWwn(text)).toBe("");
  });

  const plain = (name: string, serial: string, wwn: string): LookedDrive => ({
    name,
    serials: [serial],
    wwns: [wwn],
    hctl: null,
  });
  it("takes two paths for one drive, and never two drives for one", () => {
    const twice = [plain("sda", "S", "w"), plain("sdb", "S", "w")];
    expect(findDrive(twice, { serial: "S" }).map(({ name }) => name)).toEqual(["sda", "sdb"]);
    const clones = [plain("sda", "0123456789AB", "w1"), plain("sdb", "0123456789AB", "w2")];
    const codeOf = (args: object): string => {
      try {
        return findDrive(clones, args)[0].name;
      } catch (error) {
        return errorCode(error);
      }
    };
    expect(codeOf({ serial: "0123456789AB" })).toBe("drive_ambiguous");
    expect(codeOf({ name: "sdb" })).toBe("sdb");
    expect(codeOf({ wwn: "0x12" })).toBe("drive_unknown");
    expect(codeOf({})).toBe("drive_unknown");
  });

  it("the slot of any of its paths, else what ledctl may know", () => {
    const files = openFiles(layTree(hostTree()));
    const of = (serial: string) => findLed(files, findDrive(lookAtDrives(files), { serial }));
    expect(of("SER-A")).toEqual({ kind: "enclosure", enclosure: "0:0:20:0", slot: "Slot 01" });
    expect(of("NV-1")).toEqual({ kind: "ledctl", device: "nvme0n1" });
  });
});

/** A helper on the tree's machine, and its lights. */
async function lit(options: { house?: HelperHouse; root?: string; idleExitMs?: number } = {}) {
  const house = options.house ?? helperHouse(POLICY);
  const root = options.root ?? layTree(hostTree());
  const { server, lines } = await testHelper(house, {
    files: openFiles(root),
    idleExitMs: options.idleExitMs ?? 60_000,
  });
  let id = 0;
  const run = crypto.randomUUID();
  return {
    house,
    root,
    server,
    lines,
    record: join(house.stateFolder, "lights.json"),
    light: (slot: string): string =>
      readFileSync(join(root, `sys/class/enclosure/0:0:20:0/Slot ${slot}/locate`), "utf8"),
    locate: (args: object) =>
      sendRaw(
        house.socket,
        requestFrame({ operation: "drive.locate", source: "local", id: `${run}-${id++}`, args }),
      ),
  };
}

describe("drive.locate", () => {
  it("switches the slot's light on and off, and says which", async () => {
    const { locate, light, record } = await lit();
    expect((await locate({ wwn: "0x5000c50000000003", on: true, for_s: 900 })).answer).toEqual({
      ok: true,
      result: { name: "sdc", how: "enclosure", on: true, for_s: 900 },
    });
    expect([light("02"), existsSync(record)]).toEqual(["1", true]);
    expect((await locate({ name: "sdc", on: false })).answer?.result).toMatchObject({
      on: false,
      for_s: null,
    });
    expect([light("02"), light("01"), existsSync(record)]).toEqual(["0", "0", false]);
  });

  it("goes off by itself; until then the helper stays, then it ends", async () => {
    const { locate, light, record, server } = await lit({ idleExitMs: 100 });
    await locate({ serial: "SER-A", on: true, for_s: 1 });
    expect(light("01")).toBe("1");
    expect(await server.ended).toBe("idle");
    expect([light("01"), existsSync(record)]).toEqual(["0", false]);
  });

  it("goes off after the helper was killed, when the next one starts; another boot is reason enough", async () => {
    const first = await lit();
    await first.locate({ serial: "SER-A", on: true, for_s: 3_600 });
    await first.locate({ serial: "SER-C", on: true, for_s: 1 });
    await first.server.close(); // as after a kill: the record stays
    expect([first.light("01"), first.light("02")]).toEqual(["1", "1"]);
    writeFileSync(join(first.root, "proc/uptime"), "1010.00 1.00");
    const second = await lit(first);
    await eventually(() => second.light("02") === "0");
    expect(second.light("01")).toBe("1");
    await second.server.close();
    writeFileSync(join(first.root, "proc/sys/kernel/random/boot_id"), "b2");
    const third = await lit({ ...first, idleExitMs: 100 });
    expect(await third.server.ended).toBe("idle");
    expect([third.light("01"), existsSync(third.record)]).toEqual(["0", false]);
  });

  it("all are off and forgotten when the package goes; one that can't be switched is told and stays written down", async () => {
    const one = await lit();
    await one.locate({ serial: "SER-A", on: true, for_s: 3_600 });
    await one.locate({ serial: "SER-C", on: true, for_s: 3_600 });
    await one.server.close();
    const told: string[] = [];
    const going = () =>
      openLocateRecord({
        path: one.record,
        owner: process.geteuid?.() ?? 0,
        files: openFiles(one.root),
        run: runProgram,
        tell: (sentence) => told.push(sentence),
      });
    // Whoever removes the package waits for a bounded time.
    expect(await going().releaseAll(AbortSignal.abort())).toBe(2);
    expect([one.light("01"), one.light("02")]).toEqual(["1", "1"]);
    const slot = join(one.root, "sys/class/enclosure/0:0:20:0/Slot 02/locate");
    renameSync(slot, `${slot}.gone`);
    mkdirSync(slot);
    const { signal } = new AbortController();
    expect(await going().releaseAll(signal)).toBe(1);
    expect([one.light("01"), told.length, existsSync(one.record)]).toEqual(["0", 1, true]);
    rmSync(slot, { recursive: true });
    renameSync(`${slot}.gone`, slot);
    expect(await going().releaseAll(signal)).toBe(0);
    expect([one.light("02"), existsSync(one.record)]).toEqual(["0", false]);
  });

  it("one that is given up is let go of, also where that can't be written down", async () => {
    const folder = temporaryFolder();
    const state = join(folder, "state");
    mkdirSync(state);
    const told: string[] = [];
    let on = true;
    const lights = openLocateRecord({
      path: join(state, "lights.json"),
      owner: process.geteuid?.() ?? 0,
      files: openFiles(layTree(hostTree())),
      run: async () => ({
        status: on ? 0 : null,
        ended: on ? "exited" : "timed_out",
        stdout: "",
        stderr: "",
        durationMs: 0,
        lingering: on ? null : new Promise(() => undefined),
      }),
      tell: (sentence) => told.push(sentence),
    });
    onTestFinished(() => lights.close());
    const run = async () => await runProgram(["true"], { timeoutMs: 5_000 });
    const never = new AbortController().signal;
    await lights.set({ kind: "ledctl", device: "sdc" }, 3_600_000, run, never);
    on = false;
    await lights.set({ kind: "ledctl", device: "nvme0n1" }, 50, run, never);
    rmSync(state, { recursive: true });
    await eventually(() => told.length === 2);
    expect(told[0]).toContain("given up");
    expect(told[1]).toContain("can't be written");
  });

  it("a record that is damaged is set aside and told; the helper works on", async () => {
    const house = helperHouse(POLICY);
    mkdirSync(house.stateFolder, { recursive: true });
    for (const text of [
      "{",
      '{"v":1,"lights":[{"led":{"kind":"enclosure","enclosure":"..","slot":"../../etc"}}]}',
    ]) {
      writeFileSync(join(house.stateFolder, "lights.json"), text, { mode: 0o600 });
      const { locate, lines, server } = await lit({ house });
      expect(lines()[0]).toMatch(/^<5>.*lights\.json was damaged and is set aside/);
      expect((await locate({ serial: "SER-C", on: false })).answer?.ok).toBe(true);
      expect(readFileSync(join(house.stateFolder, "lights.json.damaged"), "utf8")).toBe(text);
      await server.close();
    }
  });

  it("nothing that can switch it: what to install, and nothing left behind", async () => {
    vi.stubEnv("PATH", temporaryFolder());
    onTestFinished(() => void vi.unstubAllEnvs());
    const house = helperHouse(POLICY);
    const missing = { ...(await lit({ house })) };
    await missing.server.close();
    const { server } = await testHelper(house, {
      files: openFiles(missing.root),
      idleExitMs: 100,
      run: (argv, options) =>
        argv[0] === "ledctl"
          ? Promise.reject(new AgentError("program_missing", "ledctl is not installed"))
          : runProgram(argv, options),
    });
    const { answer } = await missing.locate({ serial: "NV-1", on: true });
    expect(answer?.error).toEqual({
      code: "locate_unsupported",
      message: "no enclosure shows the slot of this drive, and ledctl is not installed",
      next_step: "apt install ledmon",
    });
    expect(await server.ended).toBe("idle");
    expect(existsSync(missing.record)).toBe(false);
  });

  it("ledctl for what no enclosure shows: its name of the drive, its word on failure", async () => {
    const folder = temporaryFolder();
    const tool = join(folder, "ledctl");
    const said = join(folder, "said");
    writeFileSync(
      tool,
      `#!/bin/sh\necho "$@" >> ${said}\ncase $1 in locate=*) exit 0;; esac\necho 'no controller' >&2\nexit 19\n`,
    );
    chmodSync(tool, 0o755);
    vi.stubEnv("PATH", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { locate } = await lit();
    expect((await locate({ serial: "NV-1", on: true })).answer?.result).toMatchObject({ how: "ledctl" });
    expect((await locate({ serial: "NV-1", on: false })).answer?.error).toMatchObject({
      code: "locate_failed",
      message: "the light could not be switched off (ledctl: no controller)",
    });
    expect(readFileSync(said, "utf8")).toBe("locate=/dev/nvme0n1\nlocate_off=/dev/nvme0n1\n");
  });

  it("is a change: without the policy's word nothing is switched", async () => {
    const { house, light } = await lit();
    house.policy("[allow]\n");
    expect(
      await ask(house.socket, {
        operation: "drive.locate",
        source: "local",
        args: { serial: "SER-A", on: true },
      }),
    ).toBe("helper_refused");
    expect(light("01")).toBe("0");
  });
});
