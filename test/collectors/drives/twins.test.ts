/** Drives with one WWN or serial number: a key for each that stays while the other comes and goes, and a word about it. */
import { describe, expect, it } from "vitest";
import type { Memory } from "../../../src/collectors/collector.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { forgetDrive } from "../../../src/collectors/drives/missing.ts";
import { areTwo, isSameDrive, isSameSerial } from "../../../src/collectors/drives/scan/same-drive.ts";
import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { addBlock } from "../../support/drives/block-tree.ts";
import { collectDrives, jsonMemory } from "../../support/drives/drives.ts";
import { type Tree, treeMachine } from "../../support/machine/tree.ts";
import { conditionCodes } from "../../support/text/shape.ts";

interface Disk {
  readonly serial: string;
  readonly wwn?: string;
  /** Port of the controller. */
  readonly port: number;
  readonly usb?: boolean;
  readonly bytes?: number;
}

/** Disks in the order in which the kernel found them: sda, sdb, … */
function machineOf(...disks: Disk[]) {
  const tree: Tree = { files: { "/proc/uptime": "100000.0 1.0\n" }, links: {} };
  for (const [index, { serial, wwn, port, usb = false, bytes = 4_000_000_000 }] of disks.entries()) {
    const letter = String.fromCharCode(97 + index);
    const parent = usb
      ? `pci0000:00/0000:00:14.0/usb1/1-${port}/1-${port}:1.0/host${port}/target${port}:0:0/${port}:0:0:0`
      : `pci0000:00/0000:00:1f.2/ata${port}/host${port}/target${port}:0:0/${port}:0:0:0`;
    const owner = {
      vendor: usb ? "JMicron" : "ATA",
      model: "CHEAP SSD 512",
      vpd_pg80: `\u0000\u0080\u0000\u0008${serial}`,
      ...(wwn === undefined ? {} : { wwid: `naa.${wwn}` }),
    };
    addBlock(tree, { name: `sd${letter}`, dev: `8:${index * 16}`, parent, bytes, owner }, index);
  }
  return treeMachine(tree);
}

async function look(memory: Memory, ...disks: Disk[]): Promise<DrivesData> {
  return await collectDrives(drivesCollector(), machineOf(...disks), memory);
}

const keys = (data: DrivesData): string[] => data.drives.map(({ serial, id }) => `${serial} ${id}`);

const WWN = "5a08bc1800000016";
const OLD: Disk = { serial: "INVA0001", wwn: WWN, port: 1 };
const TWIN: Disk = { serial: "INVA0002", wwn: WWN, port: 2 };

describe("two drives with one WWN", () => {
  it("the one that was there keeps its key, whatever comes, goes or has which letter", async () => {
    const memory = jsonMemory();
    expect(keys(await look(memory, OLD))).toEqual([`INVA0001 wwn-0x${WWN}`]);
    const both = [`INVA0001 wwn-0x${WWN}`, `INVA0002 wwn-0x${WWN}-INVA0002`];
    expect(keys(await look(memory, OLD, TWIN))).toEqual(both);
    expect(keys(await look(memory, TWIN, OLD)).sort()).toEqual(both);
    const alone = await look(memory, TWIN);
    expect(keys(alone)).toEqual([both[1]]);
    expect(alone.missing).toMatchObject([{ serial: "INVA0001", id: `wwn-0x${WWN}` }]);
    expect(forgetDrive(memory, "INVA0001")).toBe(true);
    expect(keys(await look(memory, TWIN))).toEqual([both[1]]);
    expect(keys(await look(memory, TWIN, OLD)).sort()).toEqual(both);
  });

  it("have keys that do not depend on their order where both came at once", async () => {
    const both = [`INVA0001 wwn-0x${WWN}-INVA0001`, `INVA0002 wwn-0x${WWN}-INVA0002`];
    const memory = jsonMemory();
    expect(keys(await look(memory, OLD, TWIN))).toEqual(both);
    expect(keys(await look(jsonMemory(), TWIN, OLD)).sort()).toEqual(both);
    // Also when one of them is away.
    expect(keys(await look(memory, OLD))).toEqual([both[0]]);
  });

  it("keep the keys of a memory that says nothing of it yet", async () => {
    const known = { model: "CHEAP SSD 512", last_name: "sda", enclosure: null, slot: null, size_bytes: 4e9 };
    const memory = jsonMemory({
      drives: [
        { id: `wwn-0x${WWN}`, serial: "INVA0002", since: null, ...known },
        { id: `wwn-0x${WWN}-INVA0001`, serial: "INVA0001", since: null, ...known },
      ],
      history: [],
    });
    const data = await look(memory, OLD, TWIN);
    expect(keys(data)).toEqual([`INVA0001 wwn-0x${WWN}-INVA0001`, `INVA0002 wwn-0x${WWN}`]);
    expect(data.history).toEqual([]);
  });

  it("are told, and with them what names drives by it", async () => {
    const data = await look(jsonMemory(), OLD, TWIN);
    expect(conditionCodes(drivesCollector(), data)).toEqual(["drive_wwn_shared(sda,sdb)"]);
    expect(conditionCodes(drivesCollector(), await look(jsonMemory(), OLD))).toEqual([]);
  });
});

describe("drives with one serial number", () => {
  const BRIDGE = "0123456789ABCDEF";

  it("a bridge that is alone has its number as key, and its place once it was not alone", async () => {
    const memory = jsonMemory();
    const left = { serial: BRIDGE, port: 1, usb: true };
    const right = { serial: BRIDGE, port: 2, usb: true };
    expect(keys(await look(memory, left))).toEqual([`${BRIDGE} serial-${BRIDGE}`]);
    const both = await look(memory, left, right);
    expect(both.drives.map(({ id }) => id)).toEqual([
      "path-0000:00:14.0-1-0:0:0",
      "path-0000:00:14.0-2-0:0:0",
    ]);
    expect(conditionCodes(drivesCollector(), both)).toEqual(["drive_serial_shared(sda,sdb)"]);
    expect((await look(memory, right)).drives.map(({ id }) => id)).toEqual(["path-0000:00:14.0-2-0:0:0"]);
  });

  it("bridges with drives of another size keep theirs by it", async () => {
    const data = await look(
      jsonMemory(),
      { serial: BRIDGE, port: 1, usb: true },
      { serial: BRIDGE, port: 2, usb: true, bytes: 8_000_000_000 },
    );
    expect(data.drives.map(({ id }) => id)).toEqual([
      `serial-${BRIDGE}-4000000000`,
      `serial-${BRIDGE}-8000000000`,
    ]);
  });

  it("two that are missing are forgotten by their key", async () => {
    const memory = jsonMemory();
    const one = { serial: "SAME0001", wwn: "5000c50000000001", port: 1 };
    const two = { serial: "SAME0001", wwn: "5000c50000000002", port: 2 };
    const other = { serial: "OTHER001", wwn: "5000c50000000003", port: 3 };
    await look(memory, one, two, other);
    const gone = await look(memory, other);
    expect(gone.missing.map(({ id }) => id)).toEqual(["wwn-0x5000c50000000001", "wwn-0x5000c50000000002"]);
    expect(conditionCodes(drivesCollector(), gone)).toHaveLength(2);
    let code = "";
    try {
      forgetDrive(memory, "SAME0001");
    } catch (error) {
      code = errorCode(error);
    }
    expect(code).toBe("drive_ambiguous");
    expect(forgetDrive(memory, "wwn-0x5000c50000000001")).toBe(true);
  });
});

it.each([
  ["the same", "WD-WCC4N0123456", "WD-WCC4N0123456", true],
  ["spaces and case", "  wd-wcc4n0123456", "WD-WCC4N 0123456 ", true],
  ["more behind it", "Z1Z0ABCD", "Z1Z0ABCD0000C4321XYZ", true],
  ["its bytes turned", "S20DISK001", "2SD0SI0K10", true],
  ["another", "INVA0001", "INVA0002", false],
  ["a short one that another begins with", "A1", "A10", false],
])("serial numbers: %s", (_name, a, b, same) => {
  expect(isSameSerial(a, b)).toBe(same);
  expect(isSameSerial(b, a)).toBe(same);
});

it.each([
  ["another WWN", { wwn: "0x6" }, false],
  ["no WWN", { wwn: null }, true],
  ["another serial number", { serial: "OTHER0001" }, false],
  ["no serial number", { serial: null }, true],
  ["another size", { sizeBytes: 2 }, false],
  ["another model", { model: "ST8000NM0045" }, false],
  ["its maker before the model", { model: "SEAGATE ST4000NM0023" }, true],
  ["nothing that both tell", { wwn: null, serial: null }, false],
])("one drive or two: %s", (_name, more, same) => {
  const one = { wwn: "0x5", serial: "Z1Z0ABCD", model: "ST4000NM0023", sizeBytes: 1 };
  expect(isSameDrive(one, { ...one, ...more })).toBe(same);
  expect(areTwo(one, { ...one, model: "ST4000NM00" })).toBe(true);
});
