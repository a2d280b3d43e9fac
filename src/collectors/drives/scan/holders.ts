/**
 * What is built on a drive: device mapper (LVM, dm-crypt, multipath), md, bcache, layer upon layer. Walked
 * from the top (/sys/block/dm-0/slaves), because there are few stacked devices and many drives.
 * The prefix of a map's uuid says who made it: LVM2, cryptsetup, multipath-tools, vdo, stratisd, dmraid.
 */
import type { Files } from "../../../system/files.ts";
import type { DriveHolder } from "../schema.ts";
import { byName, cleanText } from "../text.ts";
import { type FileSystemFacts, fileSystemFacts, readUdev } from "./udev.ts";

export interface StackedDevice {
  readonly name: string;
  readonly kind: DriveHolder["kind"];
  readonly label: string | null;
  readonly level: string | null;
  readonly dev: string | null;
  readonly sizeBytes: number | null;
  /** What udev found in it: a pool may stand on it. */
  readonly content: FileSystemFacts;
  /** Kernel names directly below. */
  readonly slaves: readonly string[];
  /** Its own partitions (md0p1) by name, with `major:minor`. */
  readonly partitions: readonly {
    readonly name: string;
    readonly dev: string | null;
    readonly content: FileSystemFacts;
  }[];
}

const STACKED = /^(?:dm-\d|md|bcache|drbd)/;
const MAX_DEPTH = 16; // the kernel allows far fewer layers; a broken sysfs must not make a loop

/** @param blockNames names in /sys/block; @param partitionsOf partition names by parent */
export function readStacked(
  files: Files,
  blockNames: readonly string[],
  partitionsOf: ReadonlyMap<string, readonly string[]>,
): StackedDevice[] {
  return blockNames
    .filter((name) => STACKED.test(name))
    .map((name) => {
      const at = `/sys/block/${name}`;
      const sectors = files.number(`${at}/size`);
      const md = name.startsWith("md");
      const dev = files.text(`${at}/dev`);
      return {
        name,
        kind: name.startsWith("dm-") ? dmKind(files.text(`${at}/dm/uuid`)) : otherKind(name),
        label: cleanText(files.text(`${at}/dm/name`)),
        level: md ? cleanText(files.text(`${at}/md/level`)) : null,
        dev,
        sizeBytes: sectors === null ? null : sectors * 512,
        content: fileSystemFacts(readUdev(files, dev)),
        slaves: files.list(`${at}/slaves`),
        partitions: (partitionsOf.get(name) ?? []).map((part) => ({
          name: part,
          ...contentAt(files, `${at}/${part}`),
        })),
      };
    });
}

function contentAt(files: Files, at: string): Pick<StackedDevice, "dev" | "content"> {
  const dev = files.text(`${at}/dev`);
  return { dev, content: fileSystemFacts(readUdev(files, dev)) };
}

// biome-ignore format: a table is read by its columns
const DM_KINDS: readonly (readonly [uuid: RegExp, kind: DriveHolder["kind"]])[] = [
  [/^LVM-/,               "lvm"],
  [/^CRYPT-INTEGRITY-/,   "integrity"], // integritysetup; that under a LUKS2 device is CRYPT-SUBDEV-
  [/^CRYPT-SUBDEV-/,      "integrity"],
  [/^CRYPT-VERITY-/,      "verity"],
  [/^CRYPT-/,             "crypt"],
  [/^mpath-/,             "multipath"],
  [/^part\d+-/,           "partition"], // kpartx: of a multipath map, a volume, an array
  [/^VDO-/,               "vdo"],
  [/^stratis-/,           "stratis"],
  [/^DMRAID-/,            "dmraid"],
];

function dmKind(uuid: string | null): DriveHolder["kind"] {
  return DM_KINDS.find(([pattern]) => pattern.test(uuid ?? ""))?.[1] ?? "dm";
}

function otherKind(name: string): DriveHolder["kind"] {
  if (name.startsWith("md")) return "md";
  return name.startsWith("bcache") ? "bcache" : name.startsWith("drbd") ? "drbd" : "other";
}

/** Everything stacked on the named devices, nearest first, each once. Pure. */
export function holdersOf(
  names: readonly string[],
  bySlave: ReadonlyMap<string, readonly StackedDevice[]>,
): { readonly device: StackedDevice; readonly on: string }[] {
  const found = new Map<string, { device: StackedDevice; on: string }>();
  let below: readonly string[] = names;
  for (let depth = 0; depth < MAX_DEPTH && below.length > 0; depth++) {
    const layer: string[] = [];
    for (const on of below) {
      for (const device of bySlave.get(on) ?? []) {
        if (found.has(device.name)) continue;
        found.set(device.name, { device, on });
        layer.push(device.name, ...device.partitions.map((part) => part.name));
      }
    }
    below = layer;
  }
  return [...found.values()];
}

/** Stacked devices by the name of what they stand on. */
export function indexBySlave(stacked: readonly StackedDevice[]): Map<string, StackedDevice[]> {
  const index = new Map<string, StackedDevice[]>();
  for (const device of [...stacked].sort(byName)) {
    for (const slave of device.slaves) index.set(slave, [...(index.get(slave) ?? []), device]);
  }
  return index;
}
