import { describe, expect, it } from "vitest";
import { rootDriveSerials } from "../../../src/agent/identity/root-drive.ts";
import { openFiles } from "../../../src/system/files.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

describe("the drive under /", () => {
  const disk = (name: string, file: string, content: string): Tree["files"] => ({
    [`/sys/devices/x/block/${name}/${file}`]: content,
  });
  const serials = (
    mountinfo: string,
    files: Tree["files"],
    links: Record<string, string> = {},
    errors = {},
  ) =>
    rootDriveSerials(
      openFiles(layTree({ files: { "/proc/self/mountinfo": mountinfo, ...files }, links }), errors),
    );

  it("is found below LVM on dm-crypt on two md members", () => {
    expect(
      serials(
        "1 0 254:1 / / rw - ext4 /dev/mapper/vg-root rw\n",
        {
          "/sys/devices/virtual/block/dm-1/slaves/dm-0/dev": "",
          "/sys/devices/virtual/block/dm-0/slaves/md0/dev": "",
          "/sys/devices/virtual/block/md0/slaves/nvme0n1p2/dev": "",
          "/sys/devices/virtual/block/md0/slaves/nvme1n1p2/dev": "",
          "/sys/devices/x/block/nvme0n1/nvme0n1p2/partition": "2",
          "/sys/devices/x/block/nvme1n1/nvme1n1p2/partition": "2",
          ...disk("nvme0n1", "device/serial", "S64HNE0R000001      \n"),
          ...disk("nvme1n1", "device/serial", "S64HNE0R000002      \n"),
        },
        {
          "/sys/dev/block/254:1": "/sys/devices/virtual/block/dm-1",
          "/sys/class/block/dm-0": "/sys/devices/virtual/block/dm-0",
          "/sys/class/block/md0": "/sys/devices/virtual/block/md0",
          "/sys/class/block/nvme0n1p2": "/sys/devices/x/block/nvme0n1/nvme0n1p2",
          "/sys/class/block/nvme1n1p2": "/sys/devices/x/block/nvme1n1/nvme1n1p2",
        },
      ),
    ).toEqual(["S64HNE0R000001", "S64HNE0R000002"]);
  });

  it("is an SD card by its CID, a virtio disk by its serial, a SCSI disk by page 0x80, btrfs by its source", () => {
    const at = (name: string): Record<string, string> => ({
      "/sys/dev/block/8:0": `/sys/devices/x/block/${name}`,
      [`/sys/class/block/${name}`]: `/sys/devices/x/block/${name}`,
    });
    const plain = "1 0 8:0 / / rw - ext4 /dev/root rw\n";
    expect(
      serials(
        plain,
        { ...disk("mmcblk0", "device/cid", "9f5449534430\n"), ...disk("mmcblk0", "device/serial", "0x1\n") },
        at("mmcblk0"),
      ),
    ).toEqual(["9f5449534430"]);
    expect(serials(plain, disk("vda", "serial", "vol-0abc"), at("vda"))).toEqual(["vol-0abc"]);
    expect(serials(plain, disk("sda", "device/vpd_pg80", "\0\x80\0\x08WD-12345"), at("sda"))).toEqual([
      "WD-12345",
    ]);
    expect(
      serials(
        "1 0 0:30 /@ / rw shared:1 - btrfs /dev/sdb rw\n",
        disk("sdb", "device/wwid", "naa.5\n"),
        at("sdb"),
      ),
    ).toEqual(["naa.5"]);
  });

  it("is none for an overlay or a root on the net, and unknown where it can't be looked up", () => {
    expect(serials("1 0 0:50 / / rw - overlay overlay rw\n", {})).toEqual([]);
    expect(serials("1 0 0:51 / / rw - nfs4 server:/root rw\n", {})).toEqual([]);
    expect(serials("", {})).toEqual([]);
    expect(
      serials("1 0 8:2 / / rw - ext4 /dev/sda2 rw\n", {}, {}, { "/sys/dev/block": "EACCES" }),
    ).toBeNull();
    expect(rootDriveSerials(openFiles(layTree({ files: {} })))).toBeNull();
  });

  it("may have a chain of holders without an end", () => {
    expect(
      serials(
        "1 0 254:1 / / rw - ext4 /dev/mapper/a rw\n",
        { "/sys/devices/virtual/block/dm-1/slaves/dm-1/dev": "" },
        {
          "/sys/dev/block/254:1": "/sys/devices/virtual/block/dm-1",
          "/sys/class/block/dm-1": "/sys/devices/virtual/block/dm-1",
        },
      ),
    ).toEqual([]);
  });
});
