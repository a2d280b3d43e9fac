/** `foundry-agent drives DEVICE`: everything known of one drive, for a person; what decides stands first. */

import { ageText } from "../../collectors/smart/table.ts";
import { printable } from "../../model/text/scrub.ts";
import { plural } from "../../model/text/sentence.ts";
import type { DriveWire, OneDriveWire, SmartWire } from "../../sockets/wire/drive-schemas.ts";
import type { Io } from "../output.ts";
import { at } from "../show/conditions.ts";
import { driveSize, paint, percent, relativeTime } from "../text/format.ts";
import { nextStepHere } from "../text/next-step.ts";
import { terminalWidth } from "../text/watch.ts";
import { wrapText } from "../text/wrap.ts";
import { healthText } from "./health.ts";
import { holderText, stateOf, temperatureOf, typeText, wearOf } from "./standing.ts";
import { attributesText, type Drawing, fieldsText, numberText, selfTestsText, trendLines } from "./values.ts";

export interface DetailOptions {
  /** What `--socket` named. */
  readonly socket: unknown;
  readonly kind: "control" | "status";
}

type Row = readonly [label: string, value: string | null | undefined];

const LABEL = 16;

/** Pure; ends with a line break. */
export function driveText(
  drive: OneDriveWire,
  io: Pick<Io, "color" | "now" | "isTty" | "env">,
  { socket, kind }: DetailOptions,
): string {
  const smart = drive.smart ?? null;
  const facts = smart?.facts ?? null;
  const drawing: Drawing = { color: io.color, width: terminalWidth(io) };
  const now = io.now();
  const asked = relativeTime(at(smart?.values_at) ?? at(drive.smart_state?.collected_at), now);
  const title = (text: string): string => `${paint(text, "bold", io.color)}\n`;
  const part = (name: string, body: string): string => (body === "" ? "" : `${title(name)}${body}`);
  const parts = [
    paint(headline(drive), "bold", io.color).concat("\n"),
    part("Health", healthText(drive, drive.smart_state, { ...drawing, now, socket })),
    part("Identity", rowsText(identity(drive), drawing)),
    part("Place", rowsText(place(drive, smart), drawing)),
    part("Use", rowsText(use(drive), drawing)),
    part("Age and wear", rowsText(wear(drive), drawing)),
    part(
      "Growth",
      trendLines(smart?.trend ?? null, at(smart?.values_at) ?? now)
        .map((line) => `  ${line}\n`)
        .join(""),
    ),
    facts === null ? "" : part("Self-tests", selfTestsText(facts, asked, drawing)),
    part("SMART attributes", attributesText(facts?.attributes, drawing)),
    part("NVMe health", fieldsText(facts?.nvme, drawing)),
    part("SCSI health", fieldsText(facts?.scsi, drawing)),
    part("What smartctl says", (facts?.messages ?? []).map(({ text }) => `  ${printable(text)}\n`).join("")),
    footer(drive, kind, socket, now),
  ];
  return parts.filter((text) => text !== "").join("\n");
}

function headline({ name, model, size_bytes, slot }: DriveWire): string {
  const words = [
    model ?? "a drive",
    size_bytes == null ? null : driveSize(size_bytes),
    slot == null ? null : `slot ${slot}`,
  ];
  return `${name ?? "?"}: ${words.filter((word) => word !== null).join(", ")}`;
}

function identity(drive: DriveWire): Row[] {
  const facts = drive.smart?.facts;
  const blocks =
    drive.logical_block_bytes == null
      ? null
      : `${drive.logical_block_bytes} B${drive.physical_block_bytes == null || drive.physical_block_bytes === drive.logical_block_bytes ? "" : `, ${drive.physical_block_bytes} B inside`}`;
  const turns = facts?.rotation_rate ? `${facts.rotation_rate} rpm` : null;
  const kind = [typeText(drive), turns, facts?.form_factor ?? null].filter((text) => text !== null);
  return [
    ["maker", drive.vendor ?? facts?.vendor],
    ["model", drive.model],
    ["family", facts?.family],
    ["serial number", drive.serial ?? drive.smart?.serial],
    ["WWN", drive.wwn ?? facts?.wwn],
    ["firmware", drive.firmware ?? facts?.firmware],
    ["kind", kind.length === 0 ? null : kind.join(", ")],
    [
      "size",
      drive.size_bytes == null ? null : `${driveSize(drive.size_bytes)} (${numberText(drive.size_bytes)} B)`,
    ],
    ["block size", blocks],
  ];
}

function place(drive: DriveWire, smart: SmartWire | null): Row[] {
  const paths = (drive.paths ?? []).map(({ name, address, state }) => {
    const more = [address, state].filter((text) => text !== null);
    return more.length === 0 ? name : `${name} (${more.join(", ")})`;
  });
  const { text, ordinary } = stateOf(drive);
  const ways = (smart?.paths ?? []).map(({ device, type }) => `${device} as ${type}`);
  return [
    ["slot", drive.slot],
    ["enclosure", [drive.enclosure_model, drive.enclosure].filter((word) => word != null).join(", ") || null],
    [paths.length > 1 ? "paths" : "device", paths.join("; ") || null],
    ["state", ordinary && drive.state == null ? null : text],
    ["asked by", ways.join("; ") || null],
  ];
}

function use(drive: DriveWire): Row[] {
  const mounts = (drive.mounts ?? []).map(({ mountpoint, fstype, used_bytes, size_bytes, read_only }) => {
    const full =
      used_bytes == null || !size_bytes
        ? null
        : `${percent(used_bytes / size_bytes)} of ${driveSize(size_bytes)} used`;
    const words = [fstype, full, read_only ? "read-only" : null].filter((word) => word !== null);
    return `${mountpoint} (${words.join(", ")})`;
  });
  const holders = drive.holders ?? [];
  const built = holders
    .filter(({ name }) => !holders.some(({ on }) => on === name))
    .map(
      ({ kind, label, name, size_bytes }) =>
        `${holderText(kind, label ?? name)}${size_bytes == null ? "" : ` (${driveSize(size_bytes)})`}`,
    );
  const partitions = (drive.partitions ?? []).map(({ name, size_bytes, fstype }) =>
    [name, size_bytes === null ? null : driveSize(size_bytes), fstype]
      .filter((word) => word !== null)
      .join(" "),
  );
  return [
    ["mounted", mounts.join("; ") || null],
    ["swap", (drive.swap ?? []).map(({ device }) => device).join(", ") || null],
    ["Ceph", (drive.osd_ids ?? []).map((id) => `osd.${id}`).join(", ") || null],
    ["built on it", built.join("; ") || null],
    ["holds", drive.fstype],
    ["partitions", partitions.join("; ") || null],
  ];
}

function wear(drive: DriveWire): Row[] {
  const facts = drive.smart?.facts ?? null;
  const celsius = temperatureOf(drive);
  const worn = wearOf(drive);
  const hours = facts?.power_on_hours ?? null;
  const moved = (count: number | null | undefined): string | null =>
    count == null ? null : driveSize(count);
  return [
    ["age", hours === null ? null : `${ageText(hours)} switched on (${numberText(hours)} h)`],
    [
      "switched on",
      facts?.power_cycles == null
        ? null
        : plural(facts.power_cycles, "time", "times", numberText(facts.power_cycles)),
    ],
    ["temperature", celsius === null ? null : `${Math.round(celsius)} °C`],
    ["its limit", facts?.temperature_limit_c == null ? null : `${facts.temperature_limit_c} °C`],
    ["wear", worn === null ? facts?.wear_problem : `${worn} % of the rated endurance used`],
    ["written", moved(facts?.bytes_written)],
    ["read", moved(facts?.bytes_read)],
    [
      "error log",
      facts?.error_log_count == null
        ? null
        : plural(facts.error_log_count, "record", "records", numberText(facts.error_log_count)),
    ],
    ["power mode", facts?.power_mode?.toLowerCase()],
  ];
}

function rowsText(rows: readonly Row[], { width }: Drawing): string {
  return rows
    .filter(([, value]) => value != null && value !== "")
    .map(
      ([label, value]) => `  ${label.padEnd(LABEL)}${wrapText(printable(value ?? ""), width, LABEL + 2)}\n`,
    )
    .join("");
}

function footer(drive: OneDriveWire, kind: "control" | "status", socket: unknown, now: number): string {
  const { name = "", smart } = drive;
  const hidden =
    kind === "control" || drive.serial != null
      ? ""
      : "Serial numbers are shown to root and the group foundry-admin only.\n";
  const test =
    smart == null || kind === "status"
      ? ""
      : `Test it: ${printable(nextStepHere(`foundry-agent smart-test ${name} short`, socket))}\n`;
  return `Looked at ${relativeTime(at(drive.collected_at), now)}.\n${hidden}${test}`;
}
