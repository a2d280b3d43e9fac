/** What is wrong by SMART right now, and what happened since the last round: sentences for people, pure. */
import type { ConditionDraft, Severity } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import { plural, sentence } from "../../model/text/sentence.ts";
import { sharedCondition } from "../drives/twins.ts";
import { untold } from "../told-once.ts";
import { MAX_HANGS } from "./rounds/ask.ts";
import type { SmartData, SmartDrive, SmartEvent } from "./schema.ts";

type Add = (code: string, subject: string | null, severity: Severity, text: string, nextStep: string) => void;

const INSTALL = "apt install smartmontools";

export function smartConditions(data: SmartData): ConditionDraft[] {
  const found: ConditionDraft[] = [];
  const add: Add = (code, subject, severity, text, nextStep) => {
    found.push({ code, severity, text, nextStep, ...(subject !== null && { subject }) });
  };
  if (data.problem !== null) aboutSmartctl(data.problem, add);
  if (data.scan_hangs)
    add(
      "smart_scan_hangs",
      null,
      "warning",
      "Looking for drives hangs in one of them, so they are listed without being opened.",
      "Look for its errors with: journalctl -k -p warning",
    );
  const closed = data.drives.filter((drive) => drive.reasons.some(({ code }) => code === "no_permission"));
  if (closed.length > 0)
    add(
      "smart_no_permission",
      null,
      "warning",
      `The program smartctl may not open ${names(closed)}, so nothing is known of their health.`,
      "systemctl status foundry-agent-helper.socket",
    );
  for (const drive of data.drives) {
    aboutDrive(drive, add);
    aboutAccepted(drive, add);
  }
  if (data.ack_problem !== null)
    add(
      "drive_acks_unreadable",
      null,
      "warning",
      `What was known and accepted of drives is not known any more, so they warn again: ${data.ack_problem}.`,
      "foundry-agent drives  # accept again what is known: drives ack SERIAL",
    );
  return [...found, ...data.twins.map(({ share, devices }) => sharedCondition(share, devices))];
}

function aboutSmartctl(problem: NonNullable<SmartData["problem"]>, add: Add): void {
  const next = problem.next_step ?? INSTALL;
  if (problem.code === "smartctl_missing")
    add(
      "smartctl_missing",
      null,
      "warning",
      "The program smartctl is not installed, so no drive can be asked.",
      next,
    );
  else if (problem.code === "smartctl_too_old")
    add("smartctl_too_old", null, "warning", sentence(problem.text), next);
  else add("smartctl_broken", null, "warning", sentence(problem.text), next);
}

function aboutDrive(drive: SmartDrive, add: Add): void {
  const { device } = drive;
  const what = drive.model === null ? device : `${device} (${drive.model})`;
  const look = `foundry-agent drives ${device}`;
  // Asleep, hanging and silent drives keep the alarm they had: silence is no recovery.
  const verdict = drive.severity === "unknown" || drive.severity === "asleep" ? drive.last_verdict : drive;
  const why = verdict?.reasons[0]?.detail ?? "";
  if (verdict?.severity === "fail")
    add(
      "smart_failing",
      device,
      "error",
      `The drive ${what} is failing: ${why}`,
      `Replace it soon; all about it: ${look}`,
    );
  else if (verdict?.severity === "warn")
    add("smart_warning", device, "warning", `The drive ${what} shows signs of trouble: ${why}`, look);
  // Asked again after a day it has not answered yet: that is no recovery either.
  if (drive.state === "quarantined" || (drive.state === "pending" && drive.hangs >= MAX_HANGS))
    add(
      "smart_drive_hangs",
      device,
      "warning",
      `The drive ${what} did not answer ${plural(drive.hangs, "time")} in a row and is asked again only once a day.`,
      `Look for its errors with: journalctl -k | grep ${device}`,
    );
  if (drive.reasons.some(({ code }) => code === "type_unknown"))
    add(
      "smart_type_unknown",
      device,
      "info",
      `The program smartctl does not know how to talk to ${what}.`,
      findType(device),
    );
  if (drive.reasons.some(({ code }) => code === "type_not_passed_on"))
    add(
      "smart_type_unknown",
      device,
      "info",
      `The program smartctl lists ${what} with a type that the agent does not know, so it is not asked.`,
      findType(device),
    );
}

function findType(device: string): string {
  return `Find its type with: smartctl -i -d sat /dev/${device}; then write below [collectors.smart] in a file of conf.d: types = ["/dev/${device} sat"]`;
}

/** Nothing that anybody is to be woken for, but nothing that disappears either. */
function aboutAccepted(
  { device, model, reasons, severity, last_verdict, acknowledged: ack }: SmartDrive,
  add: Add,
): void {
  const shown = severity === "unknown" || severity === "asleep" ? (last_verdict?.reasons ?? []) : reasons;
  const known = shown.filter((reason) => reason.acknowledged === true);
  if (ack === null || known.length === 0) return;
  const what = model === null ? device : `${device} (${model})`;
  add(
    "smart_acknowledged",
    device,
    "info",
    `Of the drive ${what} this is known and accepted since ${ack.at.slice(0, 10)}: ${known.map(({ code }) => code).join(", ")}.`,
    `foundry-agent drives unack ${device}  # to be warned again`,
  );
}

function names(drives: readonly SmartDrive[]): string {
  const list = drives.slice(0, 3).map(({ device }) => device);
  return drives.length > list.length
    ? `${list.join(", ")} and ${drives.length - list.length} more`
    : list.join(", ");
}

const SEVERITY: Record<NonNullable<SmartEvent["to"]>, Severity> = {
  ok: "info",
  warn: "warning",
  fail: "error",
};

/** Verdicts that changed and self-tests that ended, each once, over restarts. */
export function smartEvents(before: SmartData | null, after: SmartData): EventDraft[] {
  return untold(before?.history ?? null, after.history, after.history_base).map(
    ({ seq, what, test, to, from: was, reasons, ...drive }): EventDraft =>
      what === "verdict"
        ? {
            type: "drive.verdict",
            severity: to === null ? "info" : SEVERITY[to],
            data: { ...drive, from: was, to, smart_ok: to !== "fail", reasons },
          }
        : {
            type: "drive.self_test",
            severity: test?.passed === false ? "warning" : "info",
            data: { ...drive, ...test },
          },
  );
}
