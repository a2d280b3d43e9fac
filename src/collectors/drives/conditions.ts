/** What is wrong with drives right now, and what happened to them: sentences for people, pure. */
import type { ConditionDraft, Severity } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import { plural } from "../../model/text/sentence.ts";
import { untold } from "../told-once.ts";
import { type Add, readable } from "./conditions/add.ts";
import { aboutArray, aboutPool } from "./conditions/arrays.ts";
import { aboutMissing, aboutStranded } from "./conditions/missing.ts";
import type { Drive, DriveMount, DrivesData, HistoryEntry } from "./schema.ts";
import { standingOf } from "./states.ts";
import { sharedCondition, twinsOf } from "./twins.ts";

const WORN_PERCENT = 90;

export function driveConditions(data: DrivesData): ConditionDraft[] {
  const found = new Map<string, ConditionDraft>();
  const add: Add = (code, subject, severity, text, nextStep) => {
    found.set(`${code} ${subject}`, { code, subject, severity, text, nextStep });
  };
  aboutMissing(data, add);
  for (const one of data.stranded) aboutStranded(one, add);
  for (const array of data.arrays) aboutArray(array, add);
  for (const pool of data.pools) aboutPool(pool, add);
  for (const drive of data.drives) {
    aboutAnswers(drive, add);
    aboutWear(drive, add);
    for (const mount of drive.mounts) aboutMount(mount, add);
  }
  const shared = twinsOf(data.drives).map(({ share, devices }) => sharedCondition(share, devices));
  return [...found.values(), ...shared];
}

function aboutAnswers(drive: Drive, add: Add): void {
  const { name } = drive;
  const states = drive.paths.map((path) => path.state).join(", ");
  if (drive.state === "offline")
    add(
      "drive_not_answering",
      name,
      "error",
      `The kernel has given up on the drive ${name} (${states}).`,
      `journalctl -k | grep ${name}  # its errors`,
    );
  else if (drive.state === "waiting")
    add(
      "drive_not_answering",
      name,
      "warning",
      `The drive ${name} takes no requests now (${states}); the kernel still tries.`,
      `journalctl -k | grep ${name}  # its errors`,
    );
  else if (!drive.answering)
    add(
      "drive_not_answering",
      name,
      "warning",
      `The drive ${name} did not answer a question within its time and is left alone until it does.`,
      `journalctl -k | grep ${name}  # its errors`,
    );
  // Arrays on a network show a LUN of 0 bytes to hosts that have none yet ("LUNZ").
  else if (
    drive.size_bytes === 0 &&
    drive.type !== "virtual" &&
    !/^(?:fc|iscsi)$/.test(drive.transport ?? "")
  )
    add(
      "drive_without_capacity",
      name,
      "error",
      `The drive ${name} says that it holds 0 bytes: it has failed inside, or is not formatted.`,
      `journalctl -k | grep ${name}  # its errors`,
    );
  if (drive.state === "degraded") {
    const words = drive.paths.map((path) => `${path.name} ${path.state}`).join(", ");
    const lost = drive.paths.filter((path) => standingOf(path) === "lost").length;
    add(
      "drive_path_offline",
      name,
      "warning",
      lost > 0
        ? `A path to the drive ${name} is offline (${words}).`
        : `A path to the drive ${name} takes no requests now (${words}).`,
      "Check cables, expander and controller of that path.",
    );
  }
}

function aboutWear(drive: Drive, add: Add): void {
  const { name, mmc } = drive;
  if (mmc === null) return;
  const used = mmc.life_used_percent;
  if (mmc.reserve !== "warning" && mmc.reserve !== "urgent" && (used === null || used < WORN_PERCENT)) return;
  const life =
    used === null ? "" : used > 100 ? ", beyond its rated life" : `, up to ${used} % of its life used`;
  const severity = mmc.reserve === "urgent" || (used ?? 0) > 100 ? "error" : "warning";
  const text = `The eMMC ${name} is worn (reserved blocks: ${mmc.reserve ?? "not known"}${life}).`;
  add("emmc_worn", name, severity, text, "Plan its replacement and keep a backup of what is on it.");
}

function aboutMount(mount: DriveMount, add: Add): void {
  const { mountpoint, device } = mount;
  if (mount.read_only && mount.read_only_expected === false)
    add(
      "filesystem_read_only",
      mountpoint,
      "error",
      `The file system ${device} on ${mountpoint} has become read-only.`,
      `journalctl -k | grep -i ${mount.fstype}  # says why; then check the file system and mount it anew`,
    );
  if (mount.errors !== null && mount.errors > 0)
    add(
      "filesystem_errors",
      mountpoint,
      "warning",
      `The file system ${device} on ${mountpoint} has recorded ${plural(mount.errors, "error")}${
        mount.first_error_at === null ? "" : `, the first on ${readable(mount.first_error_at)}`
      }.`,
      `umount ${mountpoint} && e2fsck -f ${device}`,
    );
}

const SEVERITY: Record<HistoryEntry["what"], Severity> = {
  missing: "warning",
  added: "info",
  returned: "info",
  replaced: "info",
  moved: "info",
};

/** The comings and goings noted since `before`; after a start, since the agent stopped. */
export function driveEvents(before: DrivesData | null, after: DrivesData): EventDraft[] {
  return untold(before?.history ?? null, after.history, after.history_base).map(
    ({ seq, what, ...entry }) => ({
      type: `drive.${what}`,
      severity: SEVERITY[what],
      data: entry,
    }),
  );
}
