/** The inventory out of SMBIOS tables and sysfs, whole, old, damaged and absent. */
import fc from "fast-check";
import * as v from "valibot";
import { expect, it } from "vitest";
import { boardOf, dimmsOf, suppliesOf } from "../../../src/helper/inventory/dmi.ts";
import { inventory, readInventory } from "../../../src/helper/inventory/inventory.ts";
import { lookUp } from "../../../src/helper/inventory/pci.ts";
import { dimmSchema, inventorySchema, powerSupplySchema } from "../../../src/helper/inventory/schema.ts";
import { parseSmbios } from "../../../src/helper/inventory/smbios.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { operationsPort } from "../../support/helper/operations.ts";
import { fakePrograms } from "../../support/machine/programs.ts";
import { MODULES, memoryDevice, serverTable, structure } from "../../support/machine/smbios.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

const TABLE = "/sys/firmware/dmi/tables/DMI";
const PCI = "/sys/devices/pci0000:00";

const PCI_IDS = [
  "# List of PCI IDs",
  "102b  Matrox Electronics Systems Ltd.",
  "\t0522  MGA G200e [Pilot] ServerEngines",
  "8086  Intel Corporation",
  "\t1521  I350 Gigabit Network Connection",
  "\t\t8086 0001  Ethernet Server Adapter I350-T4",
  "\t1572  Ethernet Controller X710 for 10GbE SFP+",
  "ffff  Illegal Vendor ID",
].join("\n");

function card(address: string, ids: Record<string, string>): Tree["files"] {
  return Object.fromEntries(
    Object.entries(ids).map(([file, value]) => [`${PCI}/${address}/${file}`, `${value}\n`]),
  );
}

const NIC = { class: "0x020000", vendor: "0x8086", device: "0x1572" };

/** A server with two ports of one card, a virtual function of it, a display adapter and a disk controller. */
const CARDS: Tree = {
  files: {
    ...card("0000:3b:00.0", {
      ...NIC,
      subsystem_vendor: "0x15d9",
      subsystem_device: "0x0874",
      current_link_speed: "8.0 GT/s PCIe",
      current_link_width: "8",
      max_link_speed: "8.0 GT/s PCIe",
      max_link_width: "8",
      "net/enp59s0f0/mtu": "9000",
    }),
    ...card("0000:3b:02.0", { ...NIC, device: "0x154c" }),
    ...card("0000:04:00.0", {
      class: "0x030000",
      vendor: "0x102b",
      device: "0x0522",
      current_link_width: "0",
      current_link_speed: "Unknown",
    }),
    ...card("0000:05:00.0", { class: "0x010700", vendor: "0x1000", device: "0x00af" }),
    ...card("0000:06:00.0", {
      class: "0x020000",
      vendor: "0x1af4",
      device: "0x1041",
      "virtio2/net/eth0/mtu": "1",
    }),
    "/sys/bus/pci/slots/4/address": "0000:3b:00\n",
    "/usr/share/misc/pci.ids": PCI_IDS,
  },
  links: {
    ...Object.fromEntries(
      ["0000:3b:00.0", "0000:3b:02.0", "0000:04:00.0", "0000:05:00.0", "0000:06:00.0"].map((address) => [
        `/sys/bus/pci/devices/${address}`,
        `${PCI}/${address}`,
      ]),
    ),
    [`${PCI}/0000:3b:00.0/driver`]: "../../../bus/pci/drivers/i40e",
    [`${PCI}/0000:3b:02.0/physfn`]: "../0000:3b:00.0",
  },
};

function read(table: Buffer | null, tree: Tree = { files: {} }) {
  const files: Tree["files"] = table === null ? {} : { [TABLE]: { base64: table.toString("base64") } };
  const found = readInventory(openFiles(layTree({ ...tree, files: { ...tree.files, ...files } })));
  expect(v.parse(inventorySchema, found)).toEqual(found);
  return found;
}

it("is the machine, without its placeholders", () => {
  const found = read(serverTable());
  expect(found).toMatchObject({
    source: "smbios",
    product: {
      vendor: "Supermicro",
      name: "SSG-6029P-E1CR24L",
      version: null,
      serial: "S123456X0A12345",
      uuid: "00010203-0405-ac1f-1e0f-6d6b01020304",
      sku: null,
      family: null,
    },
    board: { name: "X11DPH-T", serial: "ZM18AS012345", asset_tag: null },
    bios: { vendor: "American Megatrends Inc.", version: "3.4", date: "2021-11-09" },
    chassis: { type: "rack mount", serial: "C8260LI30NA0001", version: null, asset_tag: null },
  });
});

it("has every slot for memory, with what is in it", () => {
  const { dimms } = read(serverTable());
  expect(dimms.map(({ slot }) => slot)).toEqual(MODULES.map(({ slot }) => slot));
  expect(dimms[0]).toEqual({
    slot: "P1-DIMMA1",
    bank: "P0_Node0_Channel0",
    populated: true,
    size_bytes: 16 * 2 ** 30,
    type: "DDR4",
    form: "DIMM",
    speed_mts: 3200,
    configured_speed_mts: 2933,
    manufacturer: "Samsung",
    serial: "S0A1",
    part_number: "M393A2K43DB3-CWE",
    ecc: true,
  });
  expect(dimms[1]).toMatchObject({ populated: false, size_bytes: null, manufacturer: null, speed_mts: null });
  expect(dimms[2]?.size_bytes).toBe(64 * 2 ** 30);
  expect(dimms[3]).toMatchObject({ populated: true, manufacturer: null, serial: null, part_number: null });
});

it("has the power supplies as the firmware found them", () => {
  expect(read(serverTable()).power_supplies).toEqual([
    {
      location: "PSU1",
      name: "PWS-1K62A-1R",
      manufacturer: "SUPERMICRO",
      serial: "P1K62CJ12AB0001",
      asset_tag: null,
      part_number: "PWS-1K62A-1R",
      revision: "1.2",
      max_power_watts: 1600,
      present: true,
      hot_replaceable: true,
      status: "ok",
    },
    expect.objectContaining({
      location: "PSU2",
      name: null,
      max_power_watts: null,
      present: false,
      status: "critical",
    }),
  ]);
});

it("reads sizes in KiB, sizes not told, and short structures of old firmware", () => {
  const old = (size: number): Buffer =>
    structure(17, 0x1100, 0x15, [
      [0x0c, 2, size],
      [0x10, "J1"],
      [0x12, 1, 18],
    ]);
  const [dimm] = dimmsOf(parseSmbios(old(0x8000 | 512)));
  expect(dimm).toMatchObject({
    slot: "J1",
    size_bytes: 512 * 1024,
    type: "DDR",
    speed_mts: null,
    serial: null,
  });
  expect(dimmsOf(parseSmbios(old(0xffff)))[0]).toMatchObject({ populated: true, size_bytes: null });
  expect(dimmsOf(parseSmbios(structure(17, 0x1100, 0x0c, [])))[0]).toMatchObject({
    slot: "handle 1100",
    populated: false,
  });
});

it("tells slots of one name apart", () => {
  const table = [1, 2, 3].map((handle) => memoryDevice(handle, { slot: "DIMM 0", size: 1024 }));
  expect(dimmsOf(parseSmbios(Buffer.concat(table))).map(({ slot }) => slot)).toEqual([
    "DIMM 0",
    "DIMM 0 2",
    "DIMM 0 3",
  ]);
});

it("has the cards of the PCI bus with names, slots and interfaces", () => {
  const { gpus, nics, source } = read(null, CARDS);
  expect(source).toBeNull();
  expect(nics).toEqual([
    {
      address: "0000:06:00.0",
      slot: null,
      vendor_id: "1af4",
      device_id: "1041",
      subsystem: null,
      vendor: null,
      name: null,
      driver: null,
      interfaces: ["eth0"],
      link_speed: null,
      link_width: null,
      max_link_speed: null,
      max_link_width: null,
    },
    {
      address: "0000:3b:00.0",
      slot: "4",
      vendor_id: "8086",
      device_id: "1572",
      subsystem: "15d9:0874",
      vendor: "Intel Corporation",
      name: "Ethernet Controller X710 for 10GbE SFP+",
      driver: "i40e",
      interfaces: ["enp59s0f0"],
      link_speed: "8.0 GT/s PCIe",
      link_width: 8,
      max_link_speed: "8.0 GT/s PCIe",
      max_link_width: 8,
    },
  ]);
  expect(gpus).toMatchObject([
    { vendor: "Matrox Electronics Systems Ltd.", link_speed: null, link_width: null, interfaces: [] },
  ]);
});

it("looks names up by vendor, then by device", () => {
  expect(lookUp(PCI_IDS, "8086", "1521").name).toBe("I350 Gigabit Network Connection");
  expect(lookUp(PCI_IDS, "8086", "0001")).toEqual({ vendor: "Intel Corporation", name: null });
  expect(lookUp(PCI_IDS, "102b", "1572").name).toBeNull();
  expect(lookUp(PCI_IDS, "1572", "1572")).toEqual({ vendor: null, name: null });
  expect(lookUp("", "8086", "1521")).toEqual({ vendor: null, name: null });
});

it("runs no program at all", async () => {
  const programs = fakePrograms();
  const files = openFiles(layTree({ files: { [TABLE]: { base64: serverTable().toString("base64") } } }));
  const port = operationsPort([inventory], { files, run: programs.run });
  const found = await port.call("inventory", {}, AbortSignal.timeout(5_000));
  expect(found).toMatchObject({ source: "smbios", dimms: { length: 4 } });
  expect(programs.environments()).toEqual([]);
  await expect(
    port.call("inventory", { path: "/etc/shadow" }, AbortSignal.timeout(5_000)),
  ).rejects.toMatchObject({
    code: "helper_refused",
  });
});

it("tells a table that may not be read from one that is not there", () => {
  const files = openFiles(layTree({ files: {} }), { [TABLE]: "EACCES" });
  expect(() => readInventory(files)).toThrowError(expect.objectContaining({ code: "inventory_not_allowed" }));
  expect(read(null)).toMatchObject({ source: null, dimms: [], product: { serial: null } });
  expect(read(Buffer.alloc(0))).toMatchObject({ source: null });
});

it("makes the best of a damaged table and never fails", () => {
  const table = serverTable();
  expect(read(table.subarray(0, table.length - 120)).dimms).toHaveLength(MODULES.length);
  forAll(
    fc.property(
      fc.nat(table.length),
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(table.length),
      (at, inserted, length) => {
        const spoiled = Buffer.concat([table.subarray(0, at), inserted, table.subarray(at + length)]);
        const structures = parseSmbios(spoiled);
        v.parse(v.array(dimmSchema), dimmsOf(structures));
        v.parse(v.array(powerSupplySchema), suppliesOf(structures));
        boardOf(structures);
      },
    ),
    { seed: 11, cases: 1_500 },
  );
  // All is read through the file system only a few times: laying out trees is slow.
  for (const at of [1, 33, 77, 200, 555]) read(Buffer.concat([table.subarray(at), table.subarray(0, at)]));
});
