/**
 * The static part of the section, kept between two runs. As long as the kernel has sent no uevent (its counter
 * /sys/kernel/uevent_seqnum stands still) no device has come, gone or changed, and nothing is read again;
 * else only the devices whose key changed. A node with 180 paths pays for its 4000 small files once.
 */
import type { Files } from "../../../system/files.ts";
import { partitionParent } from "../text.ts";
import { assemble, type Scan } from "./assemble.ts";
import { type BlockDevice, deviceKey, isDriveName, readDevice } from "./block-devices.ts";
import { readSlots, type Slots } from "./enclosure.ts";
import { groupDrives } from "./group.ts";
import { readStacked } from "./holders.ts";
import type { DriveKeys } from "./keys.ts";

export interface Scanner {
  /** What is there now; the very same object while nothing changed. @param nowMs monotonic */
  scan(files: Files, nowMs: number, drivetemp: boolean): Scan;
}

// What sends no uevent (a firmware update, a slot's late label) is seen by then.
const REFRESH_MS = 3_600_000;
/** How often a device is read again while udev has no word about it. */
const MAX_TRIES = 5;

/** @param keys who has which id */
export function driveScanner(keys: DriveKeys): Scanner {
  const devices = new Map<string, BlockDevice | null>();
  const seen = new Map<string, string>();
  const stamps = new Map<string, string>();
  const tries = new Map<string, number>();
  let slots: Slots = new Map();
  let slotsSettled = false;
  let last: { scan: Scan; seq: string | null; at: number } | null = null;

  function isSettled(name: string): boolean {
    return devices.get(name)?.settled !== false || (tries.get(name) ?? 0) >= MAX_TRIES;
  }

  /** true when a device was read anew or is gone. */
  function readDevices(
    files: Files,
    blocks: readonly string[],
    parts: ReadonlyMap<string, string[]>,
  ): boolean {
    let changed = false;
    const present = new Set(blocks);
    for (const name of devices.keys()) {
      if (present.has(name)) continue;
      devices.delete(name);
      seen.delete(name);
      stamps.delete(name);
      tries.delete(name);
      changed = true;
    }
    for (const name of blocks) {
      const partitions = parts.get(name) ?? [];
      const key = deviceKey(files, name, partitions);
      const same = seen.get(name) === key;
      if (same && isSettled(name) && stamps.get(name) === stampOf(files, devices.get(name))) continue;
      tries.set(name, same ? (tries.get(name) ?? 0) + 1 : 1);
      seen.set(name, key);
      const device = readDevice(files, name, key, partitions);
      devices.set(name, device);
      stamps.set(name, stampOf(files, device));
      changed = true;
    }
    return changed;
  }

  return {
    scan(files, nowMs, drivetemp) {
      const seq = files.text("/sys/kernel/uevent_seqnum");
      const settled = [...devices.keys()].every(isSettled);
      if (last && settled && slotsSettled && seq !== null && seq === last.seq && nowMs - last.at < REFRESH_MS)
        return last.scan;
      const expired = last === null || nowMs - last.at >= REFRESH_MS;
      if (expired) {
        devices.clear();
        seen.clear();
      }
      const blocks = files.list("/sys/block");
      const parts = partitionsByParent(files, blocks);
      const changed = readDevices(files, blocks.filter(isDriveName), parts);
      // A new drive's slot may be labelled a moment later than the drive appears: one more look at the next run.
      if (changed || !slotsSettled) slots = readSlots(files);
      slotsSettled = !changed || last === null;
      const stacked = readStacked(files, blocks, parts);
      const found = [...devices.values()].filter((device) => device !== null);
      const scan = {
        blockCount: blocks.length,
        seq,
        present: new Set([...blocks, ...[...parts.values()].flat()]),
        ...assemble(files, groupDrives(found, keys), slots, stacked, drivetemp),
      };
      last = { scan, seq, at: expired || last === null ? nowMs : last.at };
      return scan;
    },
  };
}

/** When udev last wrote about it and its partitions: what is on them may be another thing by now. */
function stampOf(files: Files, device: BlockDevice | null | undefined): string {
  if (device == null) return "";
  const stamps = [device, ...device.partitions].map(({ dev }) =>
    dev === null ? 0 : (files.info(`/run/udev/data/b${dev}`)?.mtimeMs ?? 0),
  );
  return stamps.join(" ");
}

/** One look at /sys/class/block instead of one in each drive's folder. */
function partitionsByParent(files: Files, blocks: readonly string[]): Map<string, string[]> {
  const whole = new Set(blocks);
  const found = new Map<string, string[]>();
  const classNames = files.list("/sys/class/block");
  const names =
    classNames.length > 0 ? classNames : blocks.flatMap((name) => files.list(`/sys/block/${name}`));
  for (const name of names) {
    if (whole.has(name)) continue;
    const parent = partitionParent(name);
    if (parent === null || !whole.has(parent)) continue;
    found.set(parent, [...(found.get(parent) ?? []), name]);
  }
  return found;
}
