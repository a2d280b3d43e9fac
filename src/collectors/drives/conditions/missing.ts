/**
 * Drives that are gone: one sentence each, and one for all that went in the same moment with what they hang on (a
 * shelf, its cable, a controller). What was on them is said, because it decides how much hurry there is.
 */
import { plural, sentence } from "../../../model/text/sentence.ts";
import type { DrivesData, MissingDrive, Stranded } from "../schema.ts";
import { type Add, readable } from "./add.ts";

/** From so many at once on it is not the drives. */
const AT_ONCE = 3;
const MAX_NAMED = 4;

export function aboutMissing({ missing, drives }: Pick<DrivesData, "missing" | "drives">, add: Add): void {
  if (drives.length === 0 && missing.length > 1) {
    aboutSeveral(missing, "every drive of this machine", "all", add);
    return;
  }
  for (const [key, group] of groupsOf(missing)) {
    const [{ enclosure }] = group as [MissingDrive];
    if (!wentTogether(group)) for (const drive of group) aboutOne(drive, nameOf(drive, missing), add);
    else if (enclosure === null) aboutSeveral(group, plural(group.length, "drive"), key, add);
    else {
      const left = drives.some((drive) => drive.enclosure === enclosure);
      const which = `${left ? "" : "all "}${plural(group.length, "drive")} of the enclosure ${enclosure}`;
      aboutSeveral(group, which, enclosure, add);
    }
  }
}

/** By the enclosure; those in none by the moment. */
function groupsOf(missing: readonly MissingDrive[]): Map<string, MissingDrive[]> {
  const groups = new Map<string, MissingDrive[]>();
  for (const drive of missing) {
    const key = drive.enclosure ?? readable(drive.since);
    groups.set(key, [...(groups.get(key) ?? []), drive]);
  }
  return groups;
}

function wentTogether(group: readonly MissingDrive[]): boolean {
  return group.some(({ since }) => group.filter((other) => other.since === since).length >= AT_ONCE);
}

/** Its id where others that are missing tell the same serial number. */
function nameOf({ serial, id }: MissingDrive, missing: readonly MissingDrive[]): string {
  const isAlone = missing.filter((other) => other.serial === serial).length === 1;
  return isAlone ? (serial ?? id) : id;
}

function aboutOne(drive: MissingDrive, name: string, add: Add): void {
  const what = [drive.model, drive.slot === null ? null : `slot ${drive.slot}`, `last ${drive.last_name}`];
  const load = drive.carried === null ? "" : ` On it was ${drive.carried}.`;
  add(
    "drive_missing",
    name,
    drive.carried === null ? "warning" : "error",
    `A drive is gone (${what.filter((part) => part !== null).join(", ")}), noticed ${readable(drive.since)}.${load}`,
    `foundry-agent drives forget ${name}  # if it was taken out for good; else put it back or replace it`,
  );
}

function aboutSeveral(group: readonly MissingDrive[], which: string, subject: string, add: Add): void {
  const [first] = group as [MissingDrive];
  const names = group.map(({ last_name: name, slot }) => (slot === null ? name : `slot ${slot}`));
  const loads = [...new Set(group.flatMap(({ carried }) => carried?.split(", ") ?? []))];
  const load = loads.length === 0 ? "" : `. On them was ${some(loads)}`;
  const are = which.startsWith("every") ? "is" : "are";
  add(
    "drives_missing",
    subject,
    "error",
    sentence(`${which} ${are} gone (${some(names)}), noticed ${readable(first.since)}${load}`),
    first.enclosure !== null && first.enclosure === subject
      ? `foundry-agent drives forget ${first.enclosure}  # if it was taken away for good; else look at its power and cables`
      : "foundry-agent drives  # names them; look at the power, the cables and the controller that they share",
  );
}

/** The first ones, and how many there are beside them. */
function some(words: readonly string[]): string {
  const more = words.length > MAX_NAMED ? ` and ${words.length - MAX_NAMED} more` : "";
  return `${words.slice(0, MAX_NAMED).join(", ")}${more}`;
}

export function aboutStranded({ kind, name, label, on }: Stranded, add: Add): void {
  const what = kind === "mount" ? `The file system on ${name}` : `The volume ${label ?? name} (${kind})`;
  add(
    "device_gone_in_use",
    label ?? name,
    "error",
    `${what} still stands on ${on}, which is gone, so it can't be read or written.`,
    `journalctl -k | grep ${on}  # why it went; whatever uses it has to be started anew once its drive is back`,
  );
}
