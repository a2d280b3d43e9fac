/** Which block devices are one drive, and the ids that stay. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockDevice } from "../../../src/collectors/drives/scan/block-devices.ts";
import { groupDrives, placeOf } from "../../../src/collectors/drives/scan/group.ts";
import { forAll } from "../../support/for-all.ts";

const SEEDED = { seed: 20261120, cases: 1000 };

describe("groupDrives", () => {
  const device = (name: string, facts: Partial<BlockDevice>): BlockDevice =>
    ({
      name,
      wwn: null,
      serial: null,
      model: null,
      sizeBytes: 1,
      transport: "sas",
      head: null,
      hctl: null,
      link: "",
      ...facts,
    }) as BlockDevice;
  const shape = (devices: BlockDevice[]): string[] =>
    groupDrives(devices).map((group) => `${group.id}: ${group.devices.map((it) => it.name).join(" ")}`);

  it("joins paths by WWN, and by serial number where several paths are usual", () => {
    expect(
      shape([
        device("sdc", { wwn: "0x5", serial: "A" }),
        device("sda", { wwn: "0x5", serial: "A" }),
        device("sdb", { serial: "B", model: "M" }),
        device("sdd", { serial: "B", model: "M" }),
      ]),
    ).toEqual(["wwn-0x5: sda sdc", "serial-B: sdb sdd"]);
  });

  it("keeps apart drives with a maker's shared WWN, and bridges with one serial number for all", () => {
    expect(
      shape([
        device("sda", { wwn: "0x5", serial: "A", transport: "sata" }),
        device("sdb", { wwn: "0x5", serial: "B", transport: "sata" }),
        device("sdc", { serial: "0123456789ABCDEF", transport: "usb" }),
        device("sdd", {
          serial: "0123456789ABCDEF",
          transport: "usb",
          link: "../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.3/1-2.3:1.0/host7/target7:0:0/7:0:0:0/block/sdd",
          hctl: "7:0:0:0",
        }),
        device("sde", {}),
        device("sdf", {}),
      ]),
    ).toEqual([
      "wwn-0x5-A: sda",
      "wwn-0x5-B: sdb",
      "path-sdc: sdc",
      "path-0000:00:14.0-2.3-0:0:0: sdd",
      "path-sde: sde",
      "path-sdf: sdf",
    ]);
  });

  it("names a place without the numbers that change from boot to boot", () => {
    const at = (link: string, name: string): string =>
      placeOf({ name, link: `../devices/${link}`, hctl: /(\d+:\d+:\d+:\d+)\/block/.exec(link)?.[1] ?? null });
    expect(at("pci0000:00/0000:00:02.0/virtio1/block/vda", "vda")).toBe("0000:00:02.0");
    expect(at("pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda", "sda")).toBe(
      "0000:00:1f.2-0:0:0",
    );
    expect(at("pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n2", "nvme0n2")).toBe("0000:01:00.0-n2");
    expect(at("platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0", "mmcblk0")).toBe(
      "emmc2bus",
    );
  });

  it("gives every drive its own id, whatever the facts", () => {
    const some = fc.constantFrom(null, "A", "B");
    const facts = fc.record({
      wwn: some,
      serial: some,
      model: some,
      sizeBytes: fc.constantFrom(1, 2),
      transport: fc.constantFrom("sas", "usb", "sata", null),
    });
    forAll(
      fc.property(fc.array(facts, { maxLength: 12 }), (list) => {
        const groups = groupDrives(
          list.map((it, index) => device(`sd${String.fromCharCode(97 + index)}`, it)),
        );
        expect(new Set(groups.map((group) => group.id)).size).toBe(groups.length);
        expect(groups.flatMap((group) => group.devices)).toHaveLength(list.length);
      }),
      SEEDED,
    );
  });
});
