/**
 * What fstab(5) wants of a file system that is mounted: whether it was meant to be read-only. Its lines name mount
 * points and devices in any of the ways that mount(8) takes, so they are compared as what they mean, not as text.
 */
import type { Files } from "../../../system/files.ts";
import { parseMountinfo, unescapeOctal } from "../../../system/mountinfo.ts";
import { parseUdevData, unescapeUdev } from "../scan/udev.ts";

export interface FstabLine {
  readonly source: string;
  /** Without slashes that mean nothing: `/data` for `/data/` and `//data`. */
  readonly mountpoint: string;
  readonly readOnly: boolean;
}

/** By which names a mounted device may stand in fstab. */
export interface DeviceNames {
  /** `/dev/sda1`, `/dev/disk/by-label/data`, `/dev/vg/root`. */
  readonly paths: ReadonlySet<string>;
  /** `uuid=…`, `partuuid=…` in lower case; `label=…`, `partlabel=…` with the value as it is. */
  readonly tags: ReadonlySet<string>;
}

const MAX_LINES = 2_000;
const MAX_LINKS = 8;

/** Lines that mount a file system; those of one mount or folder in a second place (bind) say nothing of it. Pure. */
export function parseFstab(text: string): FstabLine[] {
  return text
    .split("\n")
    .slice(0, MAX_LINES)
    .flatMap((line) => {
      const [source, mountpoint, type, given = ""] = line.trim().split(/\s+/);
      if (source === undefined || source.startsWith("#") || !mountpoint?.startsWith("/")) return [];
      const options = given.split(",");
      if (type === "swap" || options.some((option) => /^(?:r?bind|remount|move)$/.test(option))) return [];
      // Of several the last one counts, as for mount(8).
      const word = options.findLast((option) => option === "ro" || option === "rw");
      return [
        {
          source: unescapeOctal(source),
          mountpoint: plainPath(unescapeOctal(mountpoint)),
          readOnly: word === "ro",
        },
      ];
    });
}

/** Without doubled slashes, `.` and an end in a slash. Pure. */
function plainPath(path: string): string {
  return `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}

/** Names of the device with this number: its own path and what udev knows. */
export function deviceNames(files: Files, source: string, dev: string | null): DeviceNames {
  const text = dev === null ? "" : (files.text(`/run/udev/data/b${dev}`) ?? "");
  const properties = parseUdevData(text);
  const links = text.split("\n").flatMap((line) => (line.startsWith("S:") ? `/dev/${line.slice(2)}` : []));
  const tags = (
    [
      ["uuid", properties.get("ID_FS_UUID")?.toLowerCase()],
      ["label", label(properties, "ID_FS_LABEL")],
      ["partuuid", properties.get("ID_PART_ENTRY_UUID")?.toLowerCase()],
      ["partlabel", label(properties, "ID_PART_ENTRY_NAME")],
    ] as const
  ).flatMap(([tag, value]) => (value === undefined ? [] : `${tag}=${value}`));
  return { paths: new Set([source, ...links]), tags: new Set(tags) };
}

/** udev makes a plain label of one with blanks, and keeps the whole one escaped. */
function label(properties: ReadonlyMap<string, string>, key: string): string | undefined {
  const encoded = properties.get(`${key}_ENC`) ?? properties.get(key);
  return encoded === undefined ? undefined : unescapeUdev(encoded);
}

/**
 * Whether fstab wants the file system read-only: by a mount point of it, else by its device. null: no line is about
 * it. Pure.
 * @param mountpoints all places where it is mounted
 */
export function readOnlyWanted(
  lines: readonly FstabLine[],
  mountpoints: readonly string[],
  names: DeviceNames,
): boolean | null {
  const here = lines.filter(({ mountpoint }) => mountpoints.includes(mountpoint));
  const about = here.length > 0 ? here : lines.filter(({ source }) => isNamed(source, names));
  return about.length === 0 ? null : about.every(({ readOnly }) => readOnly);
}

/**
 * Lines whose place an overlay has by now (overlayroot, `raspi-config`'s overlay file system): the file system below it
 * is kept read-only elsewhere, on purpose, while fstab still has it written to. Pure.
 * @param mountinfo text of /proc/self/mountinfo
 */
export function withoutOverlaid(lines: readonly FstabLine[], mountinfo: string): FstabLine[] {
  const overlaid = new Set(
    parseMountinfo(mountinfo)
      .filter(({ fstype }) => fstype === "overlay" || fstype === "aufs")
      .map(({ mountpoint }) => mountpoint),
  );
  return lines.filter(({ mountpoint }) => !overlaid.has(mountpoint));
}

function isNamed(source: string, { paths, tags }: DeviceNames): boolean {
  if (paths.has(source)) return true;
  const [, tag = "", quoted = ""] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/i.exec(source) ?? [];
  if (tag === "") return false;
  const value = quoted.replace(/^(["'])(.*)\1$/, "$2");
  const name = tag.toLowerCase();
  return tags.has(`${name}=${name.endsWith("uuid") ? value.toLowerCase() : value}`);
}

/**
 * The mount point that a line of fstab means where its path leads over links.
 * @param stop whether a folder is not to be looked into: behind an automount or a network a look may hang
 */
export function withoutLinks(files: Files, path: string, stop: (folder: string) => boolean): string {
  let parts = path.split("/").filter((part) => part !== "");
  for (let index = 0, links = 0; index < parts.length && links < MAX_LINKS; index++) {
    const above = parts.slice(0, index);
    if (stop(`/${above.join("/")}`)) break;
    const target = files.link(`/${[...above, parts[index]].join("/")}`);
    if (target === null) continue;
    links++;
    const folder = target.startsWith("/") ? [] : above;
    parts = resolved([...folder, ...target.split("/"), ...parts.slice(index + 1)]);
    index = -1;
  }
  return `/${parts.join("/")}`;
}

function resolved(parts: readonly string[]): string[] {
  const path: string[] = [];
  for (const part of parts) {
    if (part === "..") path.pop();
    else if (part !== "" && part !== ".") path.push(part);
  }
  return path;
}
