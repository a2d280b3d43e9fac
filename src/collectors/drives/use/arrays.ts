/**
 * Linux software RAID (md) as /sys/block/mdX/md has it: kernel, Documentation/admin-guide/md.rst and drivers/md/md.c.
 * Arrays lose members, stop and rebuild without any uevent, so they are asked at each run; all of it answers from the
 * kernel's memory.
 */
import type { Files } from "../../../system/files.ts";
import type { StackedDevice } from "../scan/holders.ts";
import type { MdArray } from "../schema.ts";
import { cleanText } from "../text.ts";

const MAX_MEMBERS = 512;

/** @param stacked everything built on drives, as the scan found it; only arrays are taken */
export function readArrays(files: Files, stacked: readonly StackedDevice[]): MdArray[] {
  return stacked.filter(({ kind }) => kind === "md").map((device) => readArray(files, device));
}

function readArray(files: Files, { name, level, sizeBytes }: StackedDevice): MdArray {
  const at = `/sys/block/${name}/md`;
  const action = cleanText(files.text(`${at}/sync_action`));
  const done = action === null || action === "idle" ? null : syncedOf(files.text(`${at}/sync_completed`));
  const state = cleanText(files.text(`${at}/array_state`));
  return {
    name,
    level: isContainer(files, at, state) ? "container" : level,
    state,
    sync_action: action,
    sync_done_bytes: done?.done ?? null,
    sync_total_bytes: done?.total ?? null,
    raid_disks: wholeNumber(files.text(`${at}/raid_disks`)),
    degraded: files.number(`${at}/degraded`),
    size_bytes: sizeBytes,
    members: files
      .list(at)
      .filter((entry) => entry.startsWith("dev-"))
      .slice(0, MAX_MEMBERS)
      .map((entry) => ({
        name: entry.slice("dev-".length),
        state: cleanText(files.text(`${at}/${entry}/state`)),
        slot: wholeNumber(files.text(`${at}/${entry}/slot`)),
      })),
  };
}

/** A set of drives of a RAID BIOS (imsm, ddf) never runs by itself: "external:imsm", its volumes "external:/md127/0". */
function isContainer(files: Files, at: string, state: string | null): boolean {
  if (state !== "inactive") return false;
  return /^external:(?!\/)/.test(files.text(`${at}/metadata_version`) ?? "");
}

/** "123456 / 7812500" in sectors of 512 bytes; "none", "delayed" and whatever else is null. */
export function syncedOf(text: string | null): { readonly done: number; readonly total: number } | null {
  const [, done, total] = /^(\d{1,15}) \/ (\d{1,15})$/.exec(text ?? "") ?? [];
  return done === undefined || total === undefined
    ? null
    : { done: Number(done) * 512, total: Number(total) * 512 };
}

/** "4", and "5 (4)" of an array that is being reshaped; "none" is null. */
function wholeNumber(text: string | null): number | null {
  const digits = /^(\d{1,9})(?: |$)/.exec(text ?? "")?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Its words apart: "in_sync,write_error". */
export function wordsOf(member: MdArray["members"][number]): string[] {
  return (member.state ?? "").split(",").filter((word) => word !== "");
}

/** How many members take part, were thrown out, and wait for one to fail. */
export function memberCounts(array: MdArray): { active: number; failed: number; spare: number } {
  const having = (test: (words: string[], slot: number | null) => boolean): number =>
    array.members.filter((member) => test(wordsOf(member), member.slot)).length;
  return {
    active: having((words) => words.includes("in_sync")),
    failed: having((words) => words.includes("faulty")),
    // A member that is being rebuilt is a "spare" too, but has its place already.
    spare: having((words, slot) => words.includes("spare") && slot === null),
  };
}

/** Whether it lacks more members than its level can do without; levels that are not known are not judged. */
export function isBeyondRepair({ level, degraded, raid_disks: disks, state }: MdArray): boolean {
  if (state === "broken") return true;
  if (degraded === null || degraded === 0) return false;
  if (level === "raid4" || level === "raid5") return degraded > 1;
  if (level === "raid6") return degraded > 2;
  return (level === "raid1" || level === "raid10") && disks !== null && degraded >= disks;
}
