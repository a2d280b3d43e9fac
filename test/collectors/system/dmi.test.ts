import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCpuInfo } from "../../../src/collectors/linux/cpuinfo.ts";
import { readHardware, readRaspberryPi } from "../../../src/collectors/system/dmi.ts";
import { cleanDmi, cleanUuid, isoBiosDate } from "../../../src/model/text/dmi-text.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { loadCase } from "../../support/machine/cases.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

test.each([
  "To Be Filled By O.E.M.",
  "to be filled by O.E.M.",
  "Default string",
  "N.A.",
  "NB-1234567890",
  "ABCDEFGH",
  "ABCDEF123456",
  "0123456789-ABCDEF",
  "0123456789",
  "System Serial Number",
  "None",
  "Not Specified",
  "N/A",
  "00000000",
  "XXXXXXXXXX",
  "FFFFFFFF",
  "..........",
  "*****",
  "  \n",
  "\0\0\0",
  "\u0001\u0002\u0003\ufffd\ufffd\ufffd\ufffdA",
])("%j is a placeholder", (text) => {
  expect(cleanDmi(text)).toBeNull();
});

test.each([
  ["Supermicro\n", "Supermicro"],
  ["  PowerEdge   R740xd \0", "PowerEdge R740xd"],
  ["X11DPH-T", "X11DPH-T"],
  ["S318420X0C1\u0007\ufffd1223", "S318420X0C1 1223"],
  ["A".repeat(3) + "B".repeat(5000), `AAA${"B".repeat(125)}`],
])("%j reads %j", (text, expected) => {
  expect(cleanDmi(text)).toBe(expected);
});

test.each([
  ["4C4C4544-0042-3510-8052-B4C04F4D5132\n", "4c4c4544-0042-3510-8052-b4c04f4d5132"],
  ["00000000-0000-0000-0000-AC1F6B0A1B2C", "00000000-0000-0000-0000-ac1f6b0a1b2c"],
  ["00000000-0000-0000-0000-000000000000", null],
  ["FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", null],
  ["03000200-0400-0500-0006-000700080009", null],
  ["Not Settable", null],
])("uuid %s is %s", (text, expected) => {
  expect(cleanUuid(text)).toBe(expected);
});

test("BIOS dates become ISO dates, others stay", () => {
  expect(isoBiosDate("05/17/2023")).toBe("2023-05-17");
  expect(isoBiosDate("12/31/99")).toBe("1999-12-31");
  expect(isoBiosDate("2023/05/17")).toBe("2023/05/17");
});

test("no text makes a cleaned string that is empty, long, or has control characters", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 3000 }), fc.string());
  forAll(
    fc.property(text, (raw) => {
      const clean = cleanDmi(raw);
      if (clean !== null) expect(clean).toMatch(/^[\x20-\x7e\u00a0-\u024f]{1,128}$/);
      expect(cleanUuid(raw) ?? "").toMatch(/^$|^[0-9a-f-]{36}$/);
    }),
    { seed: 11, cases: 500 },
  );
});

function lines(name: string): string[] {
  const file = new URL(`../../fixtures/cases/system/${name}`, import.meta.url);
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

test("placeholders and shared uuids seen in public bug reports", () => {
  expect(lines("dmi-placeholders.txt").filter((line) => cleanDmi(line) !== null)).toEqual([]);
  expect(lines("dmi-uuids.txt").filter((line) => cleanUuid(line) !== null)).toEqual([
    "00000000-0000-0000-0000-AC1F6B123456",
  ]);
});

test.each([
  "To be filled by O.E.M",
  "Default_string",
  "OEM_Serial",
  "SN-123456fvgv3i0b8o5n6n7k",
  "NNNNNNN",
  "xxxxxxxxxxx",
  "12345678901234567",
  "Type2 - Board Serial Number",
  "SmbiosType1_SystemManufacturer",
  "Not Settable",
  "<BAD INDEX>",
  "Asset-1234567890",
  "TBD by OEM",
  "oem default string inject xxxxxxxxxx",
  "0000-0000-0000-0000",
  "INVALID",
  "Chassis Manufacture",
  "All Series",
  "ChassisSerialNumber",
  "SYSTEM_SKU_NUMBER",
  "To Be Filled By O.E.M. by More String",
  "Unassigned",
  "Unknown Serial Number",
  "-128",
])("%j is a placeholder as well", (text) => {
  expect(cleanDmi(text)).toBeNull();
});

test.each([
  "S12345X67",
  "CZ1234567A",
  "Virtual Machine",
  "Standard PC (Q35 + ICH9, 2009)",
  "PowerEdge R640",
  "OptiPlex 7050",
  "VMware-56 4d 1a 2b 3c 4d 5e 6f-70 81 92 a3 b4 c5 d6 e7",
  "pc-q35-7.2",
  "1.0",
  "A00",
  "10000000d1e2f3a4",
  "Unknown Worlds 3000",
  "System x3650 M5",
  "Default Rack 19",
  "Testing Systems Ltd",
])("%j is a value", (text) => {
  expect(cleanDmi(text)).toBe(text);
});

test.each([
  // The other byte order of a shared one, Dell's without a service tag, its own with one.
  ["00020003-0004-0005-0006-000700080009", null],
  ["44454c4c-0000-1020-8020-80c04f202020", null],
  ["4c4c4544-0000-0010-8000-80c04f000000", null],
  ["4c4c4544-0042-3510-8052-b4c04f4d5132", "4c4c4544-0042-3510-8052-b4c04f4d5132"],
  ["01010101-0101-0101-0101-010101010101", null],
  ["00000000-0000-0000-0000-000000000001", null],
  ["a1b2c3d4-ffff-ffff-ffff-ffffffffffff", null],
  ["6AB5B300-538D-1014-9FB5-B0684D007B53", null],
  ["03d40274-0435-05dc-8506-010700080009", "03d40274-0435-05dc-8506-010700080009"],
])("uuid %s is %s", (text, expected) => {
  expect(cleanUuid(text)).toBe(expected);
});

test("a device tree that knows goes before what a loader put into its DMI", () => {
  const pi3 = hardware(loadCase("system/uboot-dmi-hides-device-tree-pi3-fedora"));
  expect(pi3).toMatchObject({
    source: "device-tree",
    product: {
      vendor: "Raspberry Pi",
      name: "Raspberry Pi 3 Model B Rev 1.2",
      serial: "00000000895f62e7",
      uuid: null,
    },
    board: { vendor: null, name: null },
    bios: { vendor: "U-Boot", version: "2021.10" },
    raspberry_pi: { model: "Raspberry Pi 3 Model B Rev 1.2" },
  });
  const rock = hardware(loadCase("system/uboot-dmi-hides-device-tree-rock5b"));
  expect(rock).toMatchObject({ source: "device-tree", product: { vendor: null, name: "Radxa ROCK 5B" } });
  // U-Boot's own words for the board are no better than the tree's.
  const words = {
    "/sys/class/dmi/id/product_name": "rock5b-rk3588\n",
    "/sys/class/dmi/id/bios_vendor": "U-Boot\n",
  };
  const tree = { "/proc/device-tree/model": "Radxa ROCK 5B\0" };
  expect(hardware({ files: { ...words, ...tree } }).product.name).toBe("Radxa ROCK 5B");
  // A server's DMI does know, and an empty folder hides nothing.
  const server = {
    "/sys/class/dmi/id/product_name": "HoneyComb\n",
    "/sys/class/dmi/id/bios_vendor": "EDK II\n",
  };
  expect(hardware({ files: { ...server, ...tree } })).toMatchObject({
    source: "dmi",
    product: { name: "HoneyComb" },
  });
  expect(hardware({ files: tree, folders: ["/sys/class/dmi/id"] }).source).toBe("device-tree");
});

test("a Raspberry Pi that UEFI boots with ACPI has no device tree", () => {
  const found = hardware(loadCase("system/pi-with-uefi-pi4"));
  expect(found).toMatchObject({
    source: "dmi",
    product: { vendor: "Raspberry Pi", name: "Raspberry Pi 4 Model B" },
    raspberry_pi: { model: "Raspberry Pi 4 Model B", serial: "10000000abcdef01", revision: null },
  });
});

function hardware(tree: Tree): ReturnType<typeof readHardware> {
  const files = openFiles(layTree(tree), tree.errors ?? {});
  return readHardware(files, parseCpuInfo(files.text("/proc/cpuinfo") ?? ""));
}

test("what only root may read is named, so that null is not taken for 'has none'", () => {
  const found = hardware({
    files: {
      "/sys/class/dmi/id/sys_vendor": "ACME\n",
      "/sys/class/dmi/id/product_serial": "1",
      "/sys/class/dmi/id/product_uuid": "1",
      "/sys/class/dmi/id/chassis_serial": "None\n",
    },
    errors: { "/sys/class/dmi/id/product_serial": "EACCES", "/sys/class/dmi/id/product_uuid": "EPERM" },
  });
  expect(found.denied).toEqual(["product.serial", "product.uuid"]);
  expect(found.product).toMatchObject({ vendor: "ACME", serial: null, uuid: null });
  expect(found.chassis.serial).toBeNull();
});

test("an error other than a missing permission is not called one", () => {
  const found = hardware({
    files: { "/sys/class/dmi/id/sys_vendor": "ACME\n", "/sys/class/dmi/id/product_serial": "1" },
    errors: { "/sys/class/dmi/id/product_serial": "EIO" },
  });
  expect(found.denied).toEqual([]);
});

test("a Raspberry Pi without a device tree in /proc is known by its cpuinfo", () => {
  const info = parseCpuInfo(
    "processor\t: 0\n\nRevision\t: A02082\nSerial\t\t: 00000000d1e2f3a4\nModel\t\t: Raspberry Pi 3 Model B Rev 1.2\n",
  );
  expect(readRaspberryPi(openFiles(layTree({ files: {} })), info)).toEqual({
    model: "Raspberry Pi 3 Model B Rev 1.2",
    serial: "00000000d1e2f3a4",
    revision: "a02082",
  });
});

test("another board with a device tree is no Raspberry Pi", () => {
  const found = hardware({
    files: {
      "/proc/device-tree/model": "Pine64 RockPro64 v2.1\0",
      "/proc/device-tree/serial-number": "c0ffee\0",
    },
  });
  expect(found).toMatchObject({
    source: "device-tree",
    raspberry_pi: null,
    product: { vendor: null, name: "Pine64 RockPro64 v2.1", serial: "c0ffee" },
  });
});
