/**
 * Drives seen before and gone now. The collector's memory holds every drive that is expected to stay; one that
 * is no longer there is missing, over restarts, until it comes back, another drive is in its slot, or a person
 * says to forget it.
 *
 * Not remembered, because they come and go rightly: USB and other removable drives, SD cards, virtual disks,
 * disks over a network (iSCSI, FC, NVMe over fabrics); nor drives without any id of their own.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { Memory } from "../collector.ts";
import { seqSchema, usable, usableHistory, withNews } from "../told-once.ts";
import type { DriveKeys, SharedClaim } from "./scan/keys.ts";
import { sharedSchema } from "./scan/shared-schema.ts";
import type { Drive, HistoryEntry, MissingDrive } from "./schema.ts";

const MAX_DRIVES = 2_000;
const MAX_HISTORY = 20;

const text = v.pipe(v.string(), v.maxLength(512));
const knownSchema = v.object({
  id: text,
  serial: v.nullable(text),
  model: v.nullable(text),
  last_name: text,
  enclosure: v.nullable(text),
  slot: v.nullable(text),
  size_bytes: v.nullable(v.number()),
});
const rememberedSchema = v.object({ ...knownSchema.entries, since: v.nullable(text) });
const historySchema = v.object({
  seq: seqSchema,
  at: text,
  what: v.picklist(["missing", "added", "returned", "replaced"]),
  ...knownSchema.entries,
  replaced_by: v.nullable(text),
});
const memorySchema = v.object({
  drives: v.array(v.unknown()),
  history: v.array(v.unknown()),
  shared: v.optional(v.array(v.unknown())),
});

type News = Omit<HistoryEntry, "seq">;
type Known = v.InferOutput<typeof knownSchema>;
type Remembered = v.InferOutput<typeof rememberedSchema>;

export interface DriveMemory {
  readonly drives: readonly Remembered[];
  readonly history: readonly HistoryEntry[];
  /** Keys that more than one drive claimed; left out while there are none. */
  readonly shared?: readonly SharedClaim[];
}

/** Of whatever was kept, what can still be used; a damaged entry costs only itself. null: nothing was kept. */
export function parseDriveMemory(value: unknown): DriveMemory | null {
  const whole = v.safeParse(memorySchema, value);
  if (!whole.success) return null;
  return {
    drives: usable(whole.output.drives.slice(0, MAX_DRIVES), rememberedSchema),
    history: usableHistory(whole.output.history.slice(-MAX_HISTORY), historySchema),
    ...(whole.output.shared === undefined
      ? {}
      : { shared: usable(whole.output.shared.slice(0, MAX_DRIVES), sharedSchema) }),
  };
}

/** Who had which key before the start. */
export function learnKeys(keys: DriveKeys, memory: DriveMemory | null): void {
  const known = (memory?.drives ?? []).map(({ id, serial, model, size_bytes }) => ({
    id,
    wwn: null,
    serial,
    model,
    sizeBytes: size_bytes,
  }));
  keys.learn(known, memory?.shared ?? []);
}

/** What of the keys is to be kept. */
export function sharedOf(keys: DriveKeys): Pick<DriveMemory, "shared"> {
  const shared = keys.shared();
  return shared.length === 0 ? {} : { shared };
}

/** Whether a drive that leaves is missed. */
function isExpectedToStay(drive: Pick<Drive, "type" | "transport" | "hotplug" | "id">): boolean {
  if (drive.hotplug || drive.type === "virtual" || drive.id.startsWith("path-")) return false;
  return !/^(?:iscsi|fc|nvme-.*)$/.test(drive.transport ?? "");
}

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
  const staying = present.filter(isExpectedToStay);
  const news: News[] = [];
  const drives: Remembered[] = [];
  const known = new Set<string>();
  const byId = new Map(staying.map((drive) => [drive.id, drive]));
  const rememberedIds = new Set(before?.drives.map((old) => old.id));
  for (const old of before?.drives ?? []) {
    // Its id may be a better one by now (its WWN could not be read at first): then the serial number tells.
    const here =
      byId.get(old.id) ?? staying.find((drive) => !rememberedIds.has(drive.id) && isSame(drive, old));
    if (here) {
      if (known.has(here.id)) continue;
      known.add(here.id);
      if (old.since !== null) news.push({ at: now, what: "returned", ...knownOf(here), replaced_by: null });
      drives.push({ ...knownOf(here), since: null });
      continue;
    }
    const inItsSlot = staying.find((drive) => sameSlot(drive, old));
    if (inItsSlot) {
      news.push({ at: now, what: "replaced", ...withoutSince(old), replaced_by: inItsSlot.id });
      continue;
    }
    const since = old.since ?? (settling ? null : now);
    if (old.since === null && since !== null)
      news.push({ at: now, what: "missing", ...withoutSince(old), replaced_by: null });
    drives.push({ ...old, since });
  }
  for (const drive of staying) {
    if (known.has(drive.id)) continue;
    if (before !== null) news.push({ at: now, what: "added", ...knownOf(drive), replaced_by: null });
    drives.push({ ...knownOf(drive), since: null });
  }
  return {
    drives: drives.slice(0, MAX_DRIVES),
    history: withNews(before?.history ?? [], announced(news), MAX_HISTORY),
  };
}

/** A drive that replaced another is not announced a second time as added. */
function announced(news: readonly News[]): News[] {
  const replacing = new Set(news.map((entry) => entry.replaced_by));
  return news.filter((entry) => entry.what !== "added" || !replacing.has(entry.id));
}

/** The drives that are missing, as the section lists them. */
export function missingOf(memory: DriveMemory): MissingDrive[] {
  return memory.drives.flatMap((drive) =>
    drive.since === null ? [] : [{ ...withoutSince(drive), since: drive.since }],
  );
}

/**
 * Stop missing a drive (`drives forget SERIAL`). Drives that are there are not forgotten.
 * @param serial its serial number or its id, upper or lower case
 * @returns whether such a drive was missing
 * @throws AgentError `drive_ambiguous`: more than one tells this serial number
 */
export function forgetDrive(memory: Memory, serial: string): boolean {
  const kept = parseDriveMemory(memory.get());
  if (kept === null) return false;
  const wanted = serial.toLowerCase();
  const gone = kept.drives.filter((drive) => drive.since !== null);
  const byId = gone.filter(({ id }) => id.toLowerCase() === wanted);
  const meant = byId.length > 0 ? byId : gone.filter((drive) => drive.serial?.toLowerCase() === wanted);
  if (meant.length > 1)
    throw new AgentError(
      "drive_ambiguous",
      `more than one missing drive has the serial number "${serial}"`,
      `foundry-agent drives forget ${meant[0]?.id}  # or ${meant[1]?.id}`,
    );
  const drives = kept.drives.filter((drive) => !meant.includes(drive));
  if (drives.length === kept.drives.length) return false;
  memory.set({ ...kept, drives });
  return true;
}

function isSame(drive: Drive, old: Remembered): boolean {
  // Another WWN with the same serial number is another drive.
  if (drive.wwn !== null && old.id.startsWith("wwn-") && !old.id.startsWith(`wwn-${drive.wwn}`)) return false;
  return drive.serial !== null && drive.serial === old.serial && drive.size_bytes === old.size_bytes;
}

function sameSlot(drive: Drive, old: Remembered): boolean {
  if (drive.slot === null || drive.slot !== old.slot || drive.enclosure !== old.enclosure) return false;
  // A second namespace of one NVMe drive shares its slot.
  return drive.serial === null || drive.serial !== old.serial;
}

function knownOf(drive: Drive): Known {
  const { id, serial, model, name, enclosure, slot, size_bytes } = drive;
  return { id, serial, model, last_name: name, enclosure, slot, size_bytes };
}

function withoutSince(old: Remembered): Known {
  const { id, serial, model, last_name, enclosure, slot, size_bytes } = old;
  return { id, serial, model, last_name, enclosure, slot, size_bytes };
}
