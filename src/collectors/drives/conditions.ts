/** What is wrong with drives right now, and what happened to them: sentences for people, pure. */
import type { ConditionDraft, Severity } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import { plural } from "../../model/text/sentence.ts";
import { untold } from "../told-once.ts";
import type { Drive, DriveMount, DrivesData, HistoryEntry } from "./schema.ts";
import { sharedCondition, twinsOf } from "./twins.ts";

const WORN_PERCENT = 90;

export function driveConditions(data: DrivesData): ConditionDraft[] {
  const found = new Map<string, ConditionDraft>();
  const add = (code: string, subject: string, severity: Severity, text: string, nextStep: string): void => {
    found.set(`${code} ${subject}`, { code, subject, severity, text, nextStep });
  };
  const serials = data.missing.map(({ serial }) => serial);
  for (const drive of data.missing) {
    const isAlone = serials.filter((serial) => serial === drive.serial).length === 1;
    const name = isAlone ? (drive.serial ?? drive.id) : drive.id;
    const what = [drive.model, drive.slot === null ? null : `slot ${drive.slot}`, `last ${drive.last_name}`];
    add(
      "drive_missing",
      name,
      "warning",
      `A drive is gone (${what.filter((part) => part !== null).join(", ")}), noticed ${readable(drive.since)}.`,
      `foundry-agent drives forget ${name}  # if it was taken out for good; else put it back or replace it`,
    );
  }
  for (const drive of data.drives) {
    aboutAnswers(drive, add);
    aboutWear(drive, add);
    for (const mount of drive.mounts) aboutMount(mount, add);
    for (const holder of drive.holders) {
      if (holder.degraded !== null && holder.degraded > 0)
        add(
          "raid_degraded",
          holder.name,
          "warning",
          `The RAID ${holder.name} (${holder.level ?? "md"}) lacks ${holder.degraded} of its members.`,
          `mdadm --detail /dev/${holder.name}`,
        );
    }
  }
  const shared = twinsOf(data.drives).map(({ share, devices }) => sharedCondition(share, devices));
  return [...found.values(), ...shared];
}

type Add = (code: string, subject: string, severity: Severity, text: string, nextStep: string) => void;

function aboutAnswers(drive: Drive, add: Add): void {
  const { name } = drive;
  if (drive.state === "offline")
    add(
      "drive_not_answering",
      name,
      "error",
      `The kernel has given up on the drive ${name} (${drive.paths.map((path) => path.state).join(", ")}).`,
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
  else if (drive.state === "degraded")
    add(
      "drive_path_offline",
      name,
      "warning",
      `A path to the drive ${name} is offline (${drive.paths.map((path) => `${path.name} ${path.state}`).join(", ")}).`,
      "Check cables, expander and controller of that path.",
    );
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

/** "2025-10-09T08:00:00.000Z" as people say it: "2025-10-09 08:00 UTC". */
function readable(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z$/, "$1 $2 UTC");
}

const SEVERITY: Record<HistoryEntry["what"], Severity> = {
  missing: "warning",
  added: "info",
  returned: "info",
  replaced: "info",
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
