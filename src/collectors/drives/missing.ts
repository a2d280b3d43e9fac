/**
 * Drives seen before and gone now. The collector's memory holds every drive; one that is expected to stay
 * (memory/expected.ts) and is no longer there is missing, over restarts, until it comes back, a new drive is in its slot, or
 * a person says to forget it. A drive that only changed its slot has moved and replaces nobody. Where no drive at all
 * is left, all are missed.
 */
import { AgentError } from "../../model/errors.ts";
import type { Memory } from "../collector.ts";
import { withNews } from "../told-once.ts";
import { isFixed, loadOf } from "./memory/expected.ts";
import {
  type DriveMemory,
  type Known,
  MAX_DRIVES,
  MAX_HISTORY,
  parseDriveMemory,
  type Remembered,
} from "./memory/kept.ts";
import type { Drive, HistoryEntry, MissingDrive } from "./schema.ts";

type News = Omit<HistoryEntry, "seq">;

/**
 * What is to be remembered after this look at the drives. Pure.
 * @param before null: the first look ever, so that nothing is news
 * @param settling the machine has just booted and drives are still spinning up: nothing is called missing yet
 * @param now RFC 3339
 */
export function remember(
  before: DriveMemory | null,
  present: readonly Drive[],
  settling: boolean,
  now: string,
): DriveMemory {
  const olds = [...new Map((before?.drives ?? []).map((old) => [old.id, old])).values()];
  const found = whoIsWho(olds, present);
  const recognised = new Set(found.values());
  const fresh = present.filter((drive) => !recognised.has(drive));
  const successors = successorsOf(
    olds.filter((old) => !found.has(old)),
    fresh.filter(isFixed),
  );
  const news: News[] = [];
  const drives: Remembered[] = [];
  const told = (what: News["what"], known: Known, more: Partial<News> = {}): void => {
    const { id, serial, model, last_name, enclosure, slot, size_bytes, carried } = known;
    const facts = { id, serial, model, last_name, enclosure, slot, size_bytes, carried };
    news.push({ at: now, what, ...facts, replaced_by: null, from_enclosure: null, from_slot: null, ...more });
  };
  for (const old of olds) {
    const here = found.get(old);
    if (here) {
      const known = { ...knownOf(here, old), since: null };
      if (old.since !== null) told("returned", known);
      if (hasMoved(old, here, found))
        told("moved", known, { from_enclosure: old.enclosure, from_slot: old.slot });
      drives.push(known);
      continue;
    }
    const successor = successors.get(old);
    if (successor) {
      told("replaced", old, { replaced_by: successor.id });
      continue;
    }
    const stays = old.stays || present.length === 0;
    if (!stays) continue;
    const since = old.since ?? (settling ? null : now);
    if (old.since === null && since !== null) told("missing", old);
    drives.push({ ...old, since, stays });
  }
  const replacing = new Set([...successors.values()]);
  for (const drive of fresh) {
    const known = knownOf(drive, null);
    const isNew = before !== null && !(before.fixedOnly === true && drive.removable === true);
    if (isNew && isFixed(drive) && !replacing.has(drive)) told("added", known);
    drives.push(known);
  }
  return {
    drives: drives.slice(0, MAX_DRIVES),
    history: withNews(before?.history ?? [], news, MAX_HISTORY),
  };
}

type Found = ReadonlyMap<Remembered, Drive>;

/** Which drive that is there is which that was there before, each once. */
function whoIsWho(olds: readonly Remembered[], present: readonly Drive[]): Found {
  const found = new Map<Remembered, Drive>();
  const byId = new Map(present.map((drive) => [drive.id, drive]));
  for (const old of olds) {
    const here = byId.get(old.id);
    if (here) found.set(old, here);
  }
  // Its id may be a better one by now (its WWN could not be read at first): then the serial number tells.
  const recognised = new Set(found.values());
  const others = new Set(present.filter((drive) => !recognised.has(drive)));
  for (const old of olds) {
    if (found.has(old) || old.serial === null) continue;
    const here = [...others].find((drive) => isSame(drive, old));
    if (here === undefined) continue;
    found.set(old, here);
    others.delete(here);
  }
  // Without an id of its own it is known by what is on it: in another port, or after the hypervisor moved it.
  for (const old of olds) {
    if (found.has(old) || old.carried === null || !old.id.startsWith("path-")) continue;
    const here = [...others].find((drive) => isAlike(drive, old));
    if (here === undefined) continue;
    found.set(old, here);
    others.delete(here);
  }
  return found;
}

function isAlike(drive: Drive, old: Remembered): boolean {
  const { id, size_bytes: size, model } = drive;
  return (
    id.startsWith("path-") && size === old.size_bytes && model === old.model && loadOf(drive) === old.carried
  );
}

/** The drives that are gone for one that was never seen before and is in their slot; it replaces the last one there. */
function successorsOf(gone: readonly Remembered[], fresh: readonly Drive[]): Map<Remembered, Drive> {
  const successors = new Map<Remembered, Drive>();
  const newestFirst = [...gone].sort((a, b) => ((a.since ?? "~") > (b.since ?? "~") ? -1 : 1));
  for (const drive of fresh) {
    const old = newestFirst.find((one) => !successors.has(one) && sameSlot(drive, one));
    if (old) successors.set(old, drive);
  }
  return successors;
}

/** Into another slot. An enclosure that only has another id by now takes all its drives along, and none has moved. */
function hasMoved(old: Remembered, here: Drive, found: Found): boolean {
  if (old.slot === null || here.slot === null) return false;
  if (old.enclosure === here.enclosure) return old.slot !== here.slot;
  if (old.enclosure === null || here.enclosure === null) return false;
  if (old.slot !== here.slot) return true;
  return [...found.values()].some((drive) => drive.enclosure === old.enclosure);
}

/** The drives that are missing, as the section lists them. */
export function missingOf(memory: DriveMemory): MissingDrive[] {
  return memory.drives.flatMap(({ since, stays: _stays, ...drive }) =>
    since === null ? [] : [{ ...drive, since }],
  );
}

/**
 * Stop missing a drive (`drives forget SERIAL`), or all of an enclosure. Drives that are there are not forgotten.
 * @param name serial number or id of the drive, or id of the enclosure; upper or lower case
 * @returns whether such a drive was missing
 * @throws AgentError `drive_ambiguous`: more than one tells this serial number
 */
export function forgetDrive(memory: Memory, name: string): boolean {
  const kept = parseDriveMemory(memory.get());
  if (kept === null) return false;
  const wanted = name.toLowerCase();
  const gone = kept.drives.filter((drive) => drive.since !== null);
  const having = (of: (drive: Remembered) => string | null): Remembered[] =>
    gone.filter((drive) => of(drive)?.toLowerCase() === wanted);
  const byId = having(({ id }) => id);
  const byPlace = byId.length > 0 ? byId : having(({ enclosure }) => enclosure);
  const meant = byPlace.length > 0 ? byPlace : having(({ serial }) => serial);
  if (byPlace.length === 0 && meant.length > 1)
    throw new AgentError(
      "drive_ambiguous",
      `more than one missing drive has the serial number "${name}"`,
      `foundry-agent drives forget ${meant[0]?.id}  # or ${meant[1]?.id}`,
    );
  const drives = kept.drives.filter((drive) => !meant.includes(drive));
  if (drives.length === kept.drives.length) return false;
  const { fixedOnly: _, ...rest } = kept;
  memory.set({ ...rest, drives });
  return true;
}

/** A drive that fails may say that it has no capacity any more. */
function isSame(drive: Drive, old: Remembered): boolean {
  // Another WWN with the same serial number is another drive.
  if (drive.wwn != null && old.id.startsWith("wwn-") && !old.id.startsWith(`wwn-${drive.wwn}`)) return false;
  if (drive.serial === null || drive.serial !== old.serial) return false;
  return drive.size_bytes === old.size_bytes || !drive.size_bytes || !old.size_bytes;
}

function sameSlot(drive: Drive, old: Remembered): boolean {
  if (drive.slot === null || drive.slot !== old.slot || drive.enclosure !== old.enclosure) return false;
  // A second namespace of one NVMe drive shares its slot.
  return drive.serial === null || drive.serial !== old.serial;
}

function knownOf(drive: Drive, old: Remembered | null): Remembered {
  const { id, serial, model, name, size_bytes } = drive;
  // An enclosure that is silent for now leaves the drive where it was.
  const { enclosure, slot } = drive.slot === null && old !== null ? old : drive;
  const load = loadOf(drive);
  // What is on a drive that fails lets go of it before the kernel does.
  const failing = drive.state === "offline" || drive.answering === false || size_bytes === 0;
  const kept = failing && load === null && old !== null;
  return {
    id,
    serial,
    model,
    last_name: name,
    enclosure,
    slot,
    size_bytes,
    carried: kept ? old.carried : load,
    since: null,
    stays: isFixed(drive) || load !== null || (kept && old.stays),
  };
}
