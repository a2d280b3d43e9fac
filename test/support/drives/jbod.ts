/**
 * A Ceph node with a large JBOD, made up from the formats of: kernel drivers/scsi/scsi_transport_sas.c,
 * drivers/misc/enclosure.c, Documentation/ABI/testing/sysfs-bus-pci (slots), Documentation/hwmon/nvme.rst.
 * Each SAS drive is seen twice, through two controllers (host0, host1) and the enclosure's two expanders.
 */

import type { Tree } from "../machine/tree.ts";
import { addBlock, addStacked, linksOf, sdDev, sdName, unitSerialPage } from "./block-tree.ts";

export interface JbodOptions {
  /** Slots (from 1) that are empty. */
  readonly pulled?: readonly number[];
  /** Slots that hold another drive of the same kind. */
  readonly replaced?: readonly number[];
  /** Slots whose drive the second controller has set offline. */
  readonly pathOffline?: readonly number[];
}

const TB = 1_000_000_000_000;
const GIB = 2 ** 30;
const CONTROLLERS = ["0000:41:00.0", "0000:81:00.0"] as const;
export const ENCLOSURE_ID = "0x500304801f3a4b3f";

export function jbodSerial(slot: number, replaced = false): string {
  return `${replaced ? "ZRN" : "ZL2"}${String(slot).padStart(5, "0")}0000C1234ABC`;
}

/** `bays` dual-path SAS drives, two NVMe drives, and two SATA disk-on-modules with the system as RAID 1. */
export function jbod(bays: number, options: JbodOptions = {}): Tree {
  const tree: Tree = {
    about: `Made up: a ${bays}-bay dual-path SAS JBOD; sources of the formats are in the generator.`,
    files: {
      "/proc/uptime": "864000.00 12345678.00\n",
      "/sys/kernel/uevent_seqnum": `${4000 + (options.pulled?.length ?? 0) + 2 * (options.replaced?.length ?? 0)}\n`,
      "/proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
      "/etc/fstab": "UUID=4242-4242 /boot/efi vfat umask=0077 0 1\n",
      "/proc/self/mountinfo": [
        "22 1 9:127 / / rw,relatime shared:1 - ext4 /dev/md127 rw,errors=remount-ro",
        "23 22 0:21 / /proc rw,nosuid - proc proc rw",
        "40 22 8:1 / /boot/efi rw,relatime shared:30 - vfat /dev/sda1 rw,fmask=0022",
        "",
      ].join("\n"),
      "/sys/fs/ext4/md127/errors_count": "0\n",
    },
    links: {},
    folders: ["/boot/efi"],
  };
  addBootPair(tree);
  for (const index of [0, 1]) addNvme(tree, index);
  for (const [path, pci] of CONTROLLERS.entries()) addExpander(tree, path, pci, bays, options);
  return tree;
}

function addBootPair(tree: Tree): void {
  for (const index of [0, 1]) {
    const name = sdName(index);
    const serial = `SMC0515D95718C0${index}`;
    const parent = `pci0000:00/0000:00:17.0/ata${index + 1}/host${index + 2}/target${index + 2}:0:0/${index + 2}:0:0:0`;
    addBlock(
      tree,
      {
        name,
        dev: sdDev(index),
        parent,
        bytes: 64 * GIB,
        owner: {
          vendor: "ATA     ",
          model: "SuperMicro SSD  ",
          rev: "0R  ",
          state: "running",
          wwid: `naa.5002b2a00dd1c${index}00`,
          vpd_pg80: unitSerialPage(serial.padStart(20)),
        },
        udev: {
          ID_ATA: "1",
          ID_MODEL: "SuperMicro_SSD",
          ID_MODEL_ENC: "SuperMicro\\x20SSD",
          ID_REVISION: "SOB20R",
          ID_SERIAL_SHORT: serial,
          ID_ATA_ROTATION_RATE_RPM: "0",
          ID_WWN: `0x5002b2a00dd1c${index}00`,
        },
        partitions: [
          { dev: sdDev(index, 1), bytes: GIB, udev: { ID_FS_TYPE: "vfat", ID_FS_LABEL: "EFI" } },
          { dev: sdDev(index, 2), bytes: 62 * GIB, udev: { ID_FS_TYPE: "linux_raid_member" } },
        ],
      },
      index + 1,
    );
  }
  addStacked(tree, {
    name: "md127",
    dev: "9:127",
    bytes: 62 * GIB,
    slaves: ["sda2", "sdb2"],
    own: { "md/level": "raid1", "md/degraded": "0", "md/array_state": "active" },
  });
}

function addNvme(tree: Tree, index: number): void {
  const address = `0000:c${index + 1}:00.0`;
  const parent = `pci0000:c0/0000:c0:0${index + 1}.1/${address}/nvme/nvme${index}`;
  addBlock(
    tree,
    {
      name: `nvme${index}n1`,
      dev: `259:${index}`,
      parent,
      between: "",
      bytes: 1920 * 10 ** 9,
      owner: {
        model: "SAMSUNG MZQL21T9HCJR-00A07              ",
        serial: `S64GNE0R${index}00001      `,
        firmware_rev: "GDC5602Q",
        state: "live",
        transport: "pcie",
        address,
      },
      own: { wwid: `eui.3634473052${index}0000010025384500000001`, hidden: "0" },
      udev: { ID_SERIAL_SHORT: `S64GNE0R${index}00001`, ID_FS_TYPE: "LVM2_member" },
    },
    index + 10,
  );
  const links = linksOf(tree);
  links[`/sys/class/nvme/nvme${index}`] = `../../devices/${parent}`;
  links[`/sys/class/hwmon/hwmon${index + 5}`] = `../../devices/${parent}/hwmon${index + 5}`;
  tree.files[`/sys/devices/${parent}/hwmon${index + 5}/name`] = "nvme\n";
  tree.files[`/sys/devices/${parent}/hwmon${index + 5}/temp1_input`] = `${36 + index}850\n`;
  tree.files[`/sys/bus/pci/slots/${index + 20}/address`] = `${address.slice(0, -2)}\n`;
}

function addExpander(tree: Tree, path: number, pci: string, bays: number, options: JbodOptions): void {
  const root = `pci0000:${pci.slice(5, 7)}/${pci}/host${path}/port-${path}:0/expander-${path}:0`;
  const enclosure = `/sys/class/enclosure/${path}:0:${bays}:0`;
  tree.files[`${enclosure}/id`] = `${ENCLOSURE_ID}\n`;
  tree.files[`${enclosure}/components`] = `${bays}\n`;
  tree.files[`${enclosure}/device/vendor`] = "SMC     \n";
  tree.files[`${enclosure}/device/model`] = "SC947S          \n";
  for (let slot = 1; slot <= bays; slot++) {
    const component = `${enclosure}/Slot ${String(slot).padStart(2, "0")}`;
    // Reading these makes the enclosure answer.
    for (const attribute of ["status", "locate", "fault"]) tree.files[`${component}/${attribute}`] = "0\n";
    tree.files[`${component}/slot`] = `${slot}\n`;
    if (options.pulled?.includes(slot)) continue;
    addSasDrive(tree, path, root, component, bays, slot, options);
  }
}

function addSasDrive(
  tree: Tree,
  path: number,
  root: string,
  component: string,
  bays: number,
  slot: number,
  options: JbodOptions,
): void {
  const replaced = options.replaced?.includes(slot) ?? false;
  const target = slot - 1;
  const end = `end_device-${path}:0:${target}`;
  const hctl = `${path}:0:${target}:0`;
  const parent = `${root}/port-${path}:0:${target}/${end}/target${path}:0:${target}/${hctl}`;
  const number = String(slot).padStart(3, "0") + (replaced ? "f" : "0");
  const index = 2 + path * bays + target;
  const offline = path === 1 && options.pathOffline?.includes(slot);
  addBlock(
    tree,
    {
      name: sdName(index),
      dev: sdDev(index),
      parent,
      bytes: 16 * TB,
      rotational: true,
      physicalBlock: 4096,
      owner: {
        vendor: "SEAGATE ",
        model: "ST16000NM002G   ",
        rev: "E004",
        state: offline ? "offline" : "running",
        wwid: `naa.5000c500cafe${number}`,
        vpd_pg80: unitSerialPage(jbodSerial(slot, replaced)),
      },
      udev: {
        ID_SCSI: "1",
        ID_MODEL: "ST16000NM002G",
        ID_SERIAL_SHORT: `35000c500cafe${number}`,
        ID_SCSI_SERIAL: jbodSerial(slot, replaced),
        ID_WWN: `0x5000c500cafe${number}`,
      },
    },
    100 + index + (replaced ? 1000 : 0),
  );
  const links = linksOf(tree);
  links[`${component}/device`] = `../../../../devices/${parent}`;
  tree.files[`/sys/class/sas_device/${end}/sas_address`] =
    `0x5000c500cafe${String(slot).padStart(3, "0")}${path + 1}\n`;
  tree.files[`/sys/class/sas_device/${end}/bay_identifier`] = `${target}\n`;
  tree.files[`/sys/class/sas_device/${end}/enclosure_identifier`] = `${ENCLOSURE_ID}\n`;
}
