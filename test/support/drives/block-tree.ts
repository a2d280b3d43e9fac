/**
 * Writes block devices into a fixture tree the way Linux lays them out: the device's own folder under
 * /sys/devices, links to it in /sys/block and /sys/class/block, its line in /proc/diskstats, its file in the
 * udev database. By hand from: kernel Documentation/ABI/stable/sysfs-block and
 * Documentation/admin-guide/{iostats,devices}, systemd's udev database files.
 */
import type { Tree } from "../machine/tree.ts";

export interface BlockSpec {
  readonly name: string;
  /** `8:0`. */
  readonly dev: string;
  /** Folder of the device that owns it, below /sys/devices: `pci0000:00/…/0:0:0:0`. */
  readonly parent: string;
  readonly bytes: number;
  /** Folder between the owner and the block device: "block" for SCSI and virtio, "" for NVMe. */
  readonly between?: string;
  readonly rotational?: boolean;
  readonly removable?: boolean;
  readonly physicalBlock?: number;
  /** Attributes in the owner's folder: vendor, model, state, … */
  readonly owner?: Readonly<Record<string, string | { base64: string }>>;
  /** Attributes in the block device's own folder. */
  readonly own?: Readonly<Record<string, string>>;
  readonly udev?: Readonly<Record<string, string>>;
  readonly partitions?: readonly {
    readonly dev: string;
    readonly bytes: number;
    readonly udev?: Readonly<Record<string, string>>;
  }[];
}

/** Add one whole block device with its partitions. */
export function addBlock(tree: Tree, spec: BlockSpec, sequence: number): void {
  const { name, dev, parent, bytes, between = "block" } = spec;
  const path = [parent, between, name].filter((part) => part !== "").join("/");
  const at = `/sys/devices/${path}`;
  const put = (attribute: string, content: string | { base64: string }): void => {
    tree.files[`${at}/${attribute}`] = typeof content === "string" ? `${content}\n` : content;
  };
  put("dev", dev);
  put("size", String(bytes / 512));
  put("ro", "0");
  put("removable", spec.removable ? "1" : "0");
  put("diskseq", String(sequence));
  put("stat", counters(sequence));
  put("queue/rotational", spec.rotational ? "1" : "0");
  put("queue/logical_block_size", "512");
  put("queue/physical_block_size", String(spec.physicalBlock ?? 512));
  for (const [attribute, content] of Object.entries(spec.own ?? {})) put(attribute, content);
  for (const [attribute, content] of Object.entries(spec.owner ?? {}))
    tree.files[`/sys/devices/${parent}/${attribute}`] =
      typeof content === "string" ? `${content}\n` : content;
  const links = linksOf(tree);
  links[`/sys/block/${name}`] = `../devices/${path}`;
  links[`/sys/class/block/${name}`] = `../../devices/${path}`;
  // The head of an NVMe multipath sits in its subsystem's folder; all others link to their owner.
  links[`${at}/device`] = between === "" ? ".." : "../..";
  tree.files["/proc/diskstats"] = `${tree.files["/proc/diskstats"] ?? ""}${diskstats(name, dev, sequence)}`;
  addUdev(tree, dev, spec.udev);
  for (const [index, part] of (spec.partitions ?? []).entries()) {
    const partition = `${name}${/\d$/.test(name) ? "p" : ""}${index + 1}`;
    put(`${partition}/dev`, part.dev);
    put(`${partition}/size`, String(part.bytes / 512));
    put(`${partition}/partition`, String(index + 1));
    links[`/sys/class/block/${partition}`] = `../../devices/${path}/${partition}`;
    tree.files["/proc/diskstats"] += diskstats(partition, part.dev, sequence);
    addUdev(tree, part.dev, part.udev);
  }
}

/** Add a device-mapper or md device over others. */
export function addStacked(
  tree: Tree,
  spec: {
    readonly name: string;
    readonly dev: string;
    readonly bytes: number;
    readonly slaves: readonly string[];
    readonly own: Readonly<Record<string, string>>;
  },
): void {
  const at = `/sys/devices/virtual/block/${spec.name}`;
  const links = linksOf(tree);
  links[`/sys/block/${spec.name}`] = `../devices/virtual/block/${spec.name}`;
  links[`/sys/class/block/${spec.name}`] = `../../devices/virtual/block/${spec.name}`;
  tree.files[`${at}/dev`] = `${spec.dev}\n`;
  tree.files[`${at}/size`] = `${spec.bytes / 512}\n`;
  for (const [attribute, content] of Object.entries(spec.own))
    tree.files[`${at}/${attribute}`] = `${content}\n`;
  for (const slave of spec.slaves) links[`${at}/slaves/${slave}`] = `../../../../../block/${slave}`;
  tree.files["/proc/diskstats"] =
    `${tree.files["/proc/diskstats"] ?? ""}${diskstats(spec.name, spec.dev, 1)}`;
}

/** The tree's links, to add to. */
export function linksOf(tree: Tree): Record<string, string> {
  tree.links ??= {};
  return tree.links;
}

/** SPC-4 page 80h as /sys gives it: four bytes of header, then the serial number. */
export function unitSerialPage(serial: string): { base64: string } {
  return {
    base64: Buffer.concat([Buffer.from([0, 0x80, 0, serial.length]), Buffer.from(serial)]).toString("base64"),
  };
}

/** sda, …, sdz, sdaa, … */
export function sdName(index: number): string {
  let letters = "";
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1)
    letters = String.fromCharCode(97 + (rest % 26)) + letters;
  return `sd${letters}`;
}

/** Device number of the n-th SCSI disk (majors 8, 65–71, 128–135) and its partition. */
export function sdDev(index: number, partition = 0): string {
  const block = Math.floor(index / 16);
  const major = block === 0 ? 8 : block < 8 ? 64 + block : 120 + block;
  return `${major}:${(index % 16) * 16 + partition}`;
}

function addUdev(tree: Tree, dev: string, properties?: Readonly<Record<string, string>>): void {
  if (properties === undefined) return;
  const lines = Object.entries(properties).map(([key, value]) => `E:${key}=${value}\n`);
  tree.files[`/run/udev/data/b${dev}`] = `I:10202394\n${lines.join("")}G:systemd\nQ:systemd\nV:1\n`;
}

function counters(seed: number): string {
  return [
    1000 + seed,
    10,
    80_000 + seed,
    500,
    2000 + seed,
    20,
    160_000 + seed,
    900,
    0,
    1200,
    1400,
    0,
    0,
    0,
    0,
    5,
    3,
  ]
    .map((value) => String(value).padStart(8))
    .join(" ");
}

function diskstats(name: string, dev: string, seed: number): string {
  const [major = "", minor = ""] = dev.split(":");
  return `${major.padStart(4)} ${minor.padStart(7)} ${name} ${counters(seed).trim().replace(/ +/g, " ")}\n`;
}
