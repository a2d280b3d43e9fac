import fc from "fast-check";
import { expect, test } from "vitest";
import {
  powerResetBits,
  readLastBoot,
  resetStatusBits,
  watchdogBits,
} from "../../../src/collectors/system/boot.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

const BOOT = Date.parse("2025-02-10T06:00:00Z");
const NOW = Date.parse("2025-02-14T08:00:00Z");
const MINUTE = 60_000;

function files(tree: Partial<Tree>): ReturnType<typeof openFiles> {
  return openFiles(layTree({ files: {}, now: NOW, ...tree }), tree.errors ?? {});
}

test("a panic written shortly before the boot is its cause, older ones are only counted", () => {
  const dump = "/sys/fs/pstore/dmesg-efi-173916000001001";
  const panic = { files: { [dump]: "Panic#1 Part1\n<4>[ 1.0] x\n" } };
  expect(readLastBoot(files({ ...panic, times: { [dump]: BOOT - 3 * MINUTE } }), BOOT)).toEqual({
    cause: "kernel_panic",
    source: "pstore",
    kernel_dumps: 1,
    way: null,
  });
  expect(readLastBoot(files({ ...panic, times: { [dump]: BOOT - 1440 * MINUTE } }), BOOT)).toEqual({
    cause: null,
    source: null,
    kernel_dumps: 1,
    way: null,
  });
  const oops = { files: { [dump]: "Oops#1 Part1\n" }, times: { [dump]: BOOT - MINUTE } };
  expect(readLastBoot(files(oops), BOOT).cause).toBeNull();
});

test("crash records that may not be looked at are unknown, not none", () => {
  expect(readLastBoot(files({ errors: { "/sys/fs/pstore/x": "EACCES" } }), BOOT).kernel_dumps).toBeNull();
  expect(readLastBoot(files({ folders: ["/sys/fs/pstore"] }), BOOT).kernel_dumps).toBe(0);
});

test("the watchdog says that it was it", () => {
  const found = readLastBoot(files({ files: { "/sys/class/watchdog/watchdog0/bootstatus": "32\n" } }), BOOT);
  expect(found).toMatchObject({ cause: "watchdog", source: "watchdog0" });
});

function cell(value: number): { base64: string } {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return { base64: bytes.toString("base64") };
}

test.each([
  [0x1000, "power_on"],
  [0x0020, "reset"],
  [0x1020, "reset"],
  [0x0420, "reset"],
  [0, null],
])("a Raspberry Pi's reset status %i is %s", (value, cause) => {
  const tree = { files: { "/proc/device-tree/chosen/bootloader/rsts": cell(value) } };
  expect(readLastBoot(files(tree), BOOT).cause).toBe(cause);
});

test("a Pi 5's power chip goes before the reset status", () => {
  const tree = {
    files: {
      "/proc/device-tree/chosen/power/power_reset": cell(2),
      "/proc/device-tree/chosen/bootloader/rsts": cell(0x1000),
    },
  };
  expect(readLastBoot(files(tree), BOOT)).toMatchObject({
    cause: "under_voltage",
    source: "raspberry-pi power_reset",
  });
});

test.each([{ base64: "gICAgA==" }, "abc", "", "too long"])(
  "a cell that is none is not read: %j",
  (content) => {
    const tree = { files: { "/proc/device-tree/chosen/bootloader/rsts": content } };
    expect(readLastBoot(files(tree), BOOT).cause).toBeNull();
  },
);

test.each([
  ["GRUB", { "/proc/sys/kernel/bootloader_type": "114\n" }, "firmware"],
  ["a stub of the firmware", { "/proc/sys/kernel/bootloader_type": "176\n" }, "firmware"],
  ["kexec on x86", { "/proc/sys/kernel/bootloader_type": "208\n" }, "kexec"],
  ["a loader without a number", { "/proc/sys/kernel/bootloader_type": "255\n" }, null],
  ["nobody says", { "/proc/sys/kernel/bootloader_type": "0\n" }, null],
  ["no x86", {}, null],
  ["kexec on a device tree", { "/proc/device-tree/chosen/linux,booted-from-kexec": "" }, "kexec"],
])("which way it was booted: %s", (_name, at, way) => {
  expect(readLastBoot(files({ files: at }), BOOT).way).toBe(way);
});

test("after a kexec the hardware's registers tell of the boot before", () => {
  const watchdog = { "/sys/class/watchdog/watchdog0/bootstatus": "32\n" };
  const kexec = { ...watchdog, "/proc/sys/kernel/bootloader_type": "208\n" };
  expect(readLastBoot(files({ files: kexec }), BOOT)).toMatchObject({ cause: null, way: "kexec" });
});

test("bits of any value name a known cause or none", () => {
  const known = ["watchdog", "overheat", "under_voltage", "over_voltage", "power_on", "reset", null];
  forAll(
    fc.property(fc.nat(), (value) => {
      for (const read of [watchdogBits, powerResetBits, resetStatusBits])
        expect(known).toContain(read(value));
    }),
    { seed: 3 },
  );
});
