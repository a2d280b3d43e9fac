/** The verdict on one drive for a person: since when, every reason, and what to do about it. */
import { verdictText } from "../../collectors/smart/table.ts";
import { printable } from "../../model/text/scrub.ts";
import type { DriveWire, SmartStateWire, SmartWire } from "../../sockets/wire/drive-schemas.ts";
import { at } from "../show/conditions.ts";
import { heldFor, paint, relativeTime } from "../text/format.ts";
import { nextLine, nextStepHere } from "../text/next-step.ts";
import { wrapText } from "../text/wrap.ts";
import { type Advice, adviceFor } from "./advice.ts";
import { SEVERITY_COLORS, standingVerdict, whyNoVerdict } from "./standing.ts";
import type { Drawing } from "./values.ts";

export interface HealthOptions extends Drawing {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What `--socket` named. */
  readonly socket: unknown;
}

/** Indented lines; "" where nobody asks drives at all. @param state of the section smart */
export function healthText(
  { smart, name = "", osd_ids: osdIds = [] }: DriveWire,
  state: SmartStateWire | null | undefined,
  options: HealthOptions,
): string {
  if (smart == null) return state == null ? "" : withoutVerdict(state, options);
  const own = smart.severity === "unknown" || smart.severity === "asleep";
  // What was wrong before it fell silent is wrong still.
  const reasons = [...(smart.reasons ?? []), ...(own ? (standingVerdict(smart)?.reasons ?? []) : [])];
  const { width, socket } = options;
  const lines = reasons.map(({ code, detail, acknowledged }) => {
    const advice = acknowledged === true ? null : adviceFor(code, name);
    const todo = advice === null ? "" : `    ${adviceText(advice, width, socket)}\n`;
    const said = acknowledged === true ? `${detail} Known and accepted.` : detail;
    return `  - ${wrapText(printable(said), width, 4)}\n${todo}`;
  });
  return `  ${headline(smart, state, options)}\n${lines.join("")}${acceptedText(smart, name, options)}${cephText(osdIds, smart, options)}`;
}

/** Who has accepted what, as long as something is; on status.sock neither who nor why is shown. */
function acceptedText(smart: SmartWire, name: string, { width, socket, now }: HealthOptions): string {
  const ack = smart.acknowledged;
  if (ack == null) return "";
  const by = ack.by == null ? "" : ` by ${ack.by}`;
  const note = ack.note == null ? "" : `: ${ack.note}`;
  const said = `Accepted${by} ${relativeTime(at(ack.at), now, "just now")} (${ack.reasons.join(", ")})${note}`;
  const end = nextStepHere(`foundry-agent drives unack ${name}`, socket);
  return `  ${wrapText(printable(said), width, 4)}\n    To be warned again: ${printable(end)}\n`;
}

/** What is mended around a drive, or is no fault: nobody pulls it for that. */
const STAYS = new Set([
  ...["hot", "check_cable", "command_timeouts_growing", "enclosure_warning", "firmware_warning"],
  ...["log_unreadable", "no_own_verdict", "wear_unclear", "smart_disabled"],
]);

/** Whoever is about to pull it asks Ceph first, for the OSDs that are on it. */
function cephText(osdIds: readonly number[], smart: SmartWire, { width, socket }: HealthOptions): string {
  const { severity, reasons = [] } = standingVerdict(smart) ?? {};
  if (osdIds.length === 0 || (severity !== "fail" && severity !== "warn")) return "";
  if (reasons.every(({ code }) => STAYS.has(code))) return "";
  const names = osdIds.map((id) => `osd.${id}`).join(", ");
  const command = `ceph osd ok-to-stop ${osdIds.join(" ")}`;
  const text = `Before it is pulled, ask Ceph whether ${names} may stop:`;
  return `    ${adviceText({ text, command }, width, socket)}\n`;
}

function withoutVerdict(state: SmartStateWire, { width, socket }: HealthOptions): string {
  const why = whyNoVerdict(state, "its");
  const text = why?.text ?? "No verdict: it gives no SMART data, as virtual disks, SD cards and eMMC do not.";
  const next = why?.next_step == null ? "" : `  ${printable(nextLine(why.next_step, socket))}\n`;
  return `  ${wrapText(printable(text), width, 2)}\n${next}`;
}

/** "FAILING for 3 d; asked 4 min ago", "not known (before: warning for 3 d); last values of 2 h ago". */
function headline(
  smart: SmartWire,
  state: SmartStateWire | null | undefined,
  { color, now }: HealthOptions,
): string {
  const { severity = "unknown", last_verdict = null, values_at } = smart;
  const ago = (time: string | null | undefined): string => relativeTime(at(time), now, "just now");
  const standing = standingVerdict(smart);
  const word = paint(
    verdictText({ severity, last_verdict, reasons: smart.reasons ?? [] }),
    SEVERITY_COLORS[standing?.severity ?? severity],
    color,
  );
  const since = last_verdict === null ? "" : ` ${heldFor(at(last_verdict.since), now)}`;
  const before =
    severity === "unknown" && last_verdict !== null
      ? ` (before: ${verdictText({ severity: last_verdict.severity, last_verdict: null })}${since})`
      : since;
  const asked = values_at == null ? `asked ${ago(state?.collected_at)}` : `last values of ${ago(values_at)}`;
  return `${word}${before}; ${asked}`;
}

/** A command stands on a line of its own, so that it can be copied. */
function adviceText({ text, command }: Advice, width: number | undefined, socket: unknown): string {
  const said = wrapText(printable(`→ ${text}`), width, 6);
  return command === null ? said : `${said}\n      ${printable(nextStepHere(command, socket))}`;
}
