/** /proc/self/mountinfo (proc_pid_mountinfo(5)), line by line; whoever asks takes the mounts that matter to him. */

export interface MountLine {
  readonly id: number;
  /** Id of the mount it is mounted on, which may not be in sight. */
  readonly parent: number;
  /** `8:1`, decimal; anonymous (`0:42`) for btrfs and what has no device. */
  readonly dev: string;
  /** What of the file system is seen there: `/`, or a folder of it. */
  readonly root: string;
  readonly mountpoint: string;
  /** Of this mount. */
  readonly options: readonly string[];
  readonly fstype: string;
  /** `/dev/sda1`, `server:/x`; whoever mounts with FUSE chooses it. */
  readonly source: string;
  /** Of the file system itself, however often it is mounted. */
  readonly superOptions: readonly string[];
}

/** In the kernel's order: of several in one place the last covers the others. Lines not as expected are left out. Pure. */
export function parseMountinfo(text: string): MountLine[] {
  return text.split("\n").flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): MountLine | null {
  const dash = line.indexOf(" - ");
  if (dash < 0) return null;
  const [id, parent, dev, root, mountpoint, options] = line.slice(0, dash).split(" ");
  const [fstype, source, superOptions] = line.slice(dash + 3).split(" ");
  if (dev === undefined || !/^\d+:\d+$/.test(dev) || root === undefined || mountpoint === undefined)
    return null;
  if (options === undefined || !fstype || source === undefined || superOptions === undefined) return null;
  return {
    id: Number(id),
    parent: Number(parent),
    dev,
    root: unescapeOctal(root),
    mountpoint: unescapeOctal(mountpoint),
    options: options.split(","),
    fstype,
    source: unescapeOctal(source),
    superOptions: superOptions.split(","),
  };
}

/** Undo the kernel's `\040` escapes of /proc/self/mountinfo, /proc/swaps and fstab. */
export function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
