/** `foundry-agent drives`: the table of drives, one drive whole, and forgetting one that will not come back. */

import { printable } from "../model/scrub.ts";
import type { DriveFacts, MissingDriveFacts } from "../model/sections.ts";
import { CLIENT_OPTIONS, openClient } from "./client.ts";
import { at } from "./conditions.ts";
import { driveSize, plural, relativeTime, sparkline } from "./format.ts";
import { genericText } from "./generic-view.ts";
import { EXIT, type Io, printJson } from "./output.ts";
import { type Cell, type Column, cut, table } from "./table.ts";
import { type SubCommand, usageError } from "./usage.ts";
import { terminalWidth, watch } from "./watch.ts";

type MissingWire = Partial<MissingDriveFacts>;
type DriveWire = Partial<DriveFacts> & {
  readonly fstype?: string | null;
  readonly swap?: readonly unknown[];
};

/** As the socket answers; every field may be missing or null there. */
interface DrivesWire {
  readonly state: string;
  readonly reason: { readonly text: string; readonly next_step: string | null } | null;
  readonly collected_at: string | null;
  readonly drives: readonly DriveWire[];
  readonly missing: readonly MissingWire[];
}

const WATCH_MS = 5_000;
const TREND = 24;
const USE_WIDTH = 40;

export const drivesCommand: SubCommand = {
  name: "drives",
  summary: "show the drives of this node",
  usage: "[DEVICE|SERIAL | forget SERIAL] [--watch] [--json] [--socket PATH]",
  words: true,
  options: {
    watch: { type: "boolean", short: "w", help: "keep showing them, with the course of the temperature" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    "foundry-agent drives",
    "foundry-agent drives sda",
    "foundry-agent drives forget WD-1234  # it was taken out for good",
  ],
  async run({ values, positionals }, io) {
    const [first, second, ...more] = positionals;
    if (first === "forget") return await forget(second, more, values, io);
    if (second !== undefined)
      throw usageError(`drives takes one drive, found "${second}" too`, "foundry-agent drives --help");
    const client = await openClient(io, values);
    if (first !== undefined) {
      const drive = await client.get(`/v1/drives/${encodeURIComponent(first)}`);
      if (values.json === true) printJson(io, drive);
      else io.stdout(genericText(drive, { now: io.now(), size: driveSize }));
      return EXIT.ok;
    }
    const read = async (): Promise<DrivesWire> => (await client.get("/v1/drives")) as DrivesWire;
    if (values.watch === true && values.json !== true) {
      const trend = openTrend();
      return await watch(io, WATCH_MS, async () => drivesText(trend.add(await read()), io, trend.of));
    }
    const drives = await read();
    if (values.json === true) printJson(io, drives);
    else io.stdout(drivesText(drives, io, null));
    return EXIT.ok;
  },
};

async function forget(
  serial: string | undefined,
  more: readonly string[],
  values: Record<string, unknown>,
  io: Io,
): Promise<number> {
  if (serial === undefined || more.length > 0)
    throw usageError("drives forget needs one serial number", "foundry-agent drives");
  const client = await openClient(io, values, "control");
  const answer = await client.post(`/v1/drives/${encodeURIComponent(serial)}/forget`);
  if (values.json === true) printJson(io, answer);
  else io.stdout(`The drive ${printable(serial)} is forgotten: it is no longer missing.\n`);
  return EXIT.ok;
}

type TrendOf = (name: string) => readonly (number | null)[];

/** Temperatures by device, one sample a collection. */
function openTrend(): { add(drives: DrivesWire): DrivesWire; of: TrendOf } {
  const samples = new Map<string, (number | null)[]>();
  let collectedAt: string | null = null;
  return {
    add(answer) {
      if (answer.collected_at !== collectedAt) {
        for (const { name, temperature_c } of answer.drives)
          if (name !== undefined)
            samples.set(name, [...(samples.get(name) ?? []), temperature_c ?? null].slice(-TREND));
        collectedAt = answer.collected_at;
      }
      return answer;
    },
    of: (name) => samples.get(name) ?? [],
  };
}

const COLUMNS: readonly Column[] = [
  { title: "slot" },
  { title: "device" },
  { title: "model", shrink: true },
  { title: "size", align: "right" },
  { title: "type" },
  { title: "temp", align: "right" },
  { title: "used for", shrink: true },
  { title: "state" },
];

/** Pure; ends with a line break. @param trend for `--watch` */
export function drivesText(
  answer: DrivesWire,
  io: Pick<Io, "color" | "now" | "isTty" | "env">,
  trend: TrendOf | null,
): string {
  const now = io.now();
  const { drives, missing, reason } = answer;
  if (drives.length === 0 && missing.length === 0) {
    if (reason !== null)
      return `${printable(reason.text)}\n${reason.next_step === null ? "" : `Next: ${printable(reason.next_step)}\n`}`;
    return answer.state === "pending"
      ? "The drives were not looked at yet. Look again in a few seconds.\n"
      : "There are no drives.\n";
  }
  const rows = bySlot(drives, missing).map((drive) =>
    "since" in drive ? missingRow(drive, now) : driveRow(drive, trend),
  );
  const columns = trend === null ? COLUMNS : [...COLUMNS, { title: "20–60 °C" }];
  // A column nobody has anything in only takes room: slots on a Raspberry Pi.
  const kept = columns.map((_column, index) =>
    rows.some((row) => row[index] !== null && row[index] !== undefined),
  );
  const width = terminalWidth(io);
  const drawn = table(
    columns.filter((_column, index) => kept[index]),
    rows.map((row) => row.filter((_cell, index) => kept[index])),
    { color: io.color, ...(width === undefined ? {} : { width }) },
  );
  return `${drawn}\n${footer(answer, now)}\n`;
}

function driveRow(drive: DriveWire, trend: TrendOf | null): Cell[] {
  return [
    drive.slot ?? null,
    drive.name ?? null,
    drive.model ?? null,
    driveSize(drive.size_bytes ?? null),
    typeText(drive),
    temperature(drive.temperature_c ?? null),
    useOf(drive),
    stateOf(drive),
    ...(trend === null ? [] : [sparkline(trend(drive.name ?? ""), { min: 20, max: 60 }).trimEnd() || null]),
  ];
}

function missingRow(drive: MissingWire, now: number): Cell[] {
  return [
    drive.slot ?? null,
    { text: `(${drive.last_name ?? "?"})`, color: "dim" },
    drive.model ?? null,
    driveSize(drive.size_bytes ?? null),
    null,
    null,
    drive.serial == null ? null : `serial ${drive.serial}`,
    { text: `missing, noticed ${relativeTime(at(drive.since), now)}`, color: "red" },
  ];
}

/** A missing drive stands where it was, so that the hole is seen where somebody has to look for it. */
function bySlot(drives: readonly DriveWire[], missing: readonly MissingWire[]): (DriveWire | MissingWire)[] {
  const rows: (DriveWire | MissingWire)[] = [...drives];
  for (const gone of missing) {
    const slot = Number(gone.slot ?? Number.NaN);
    const next = rows.findIndex(
      (row) => row.enclosure === gone.enclosure && row.slot != null && Number(row.slot) > slot,
    );
    rows.splice(next === -1 ? rows.length : next, 0, gone);
  }
  return rows;
}

function footer({ drives, missing, state, collected_at }: DrivesWire, now: number): string {
  const gone = missing.length === 0 ? "" : `, ${missing.length} missing`;
  const old = state === "stale" ? " (out of date)" : "";
  return `${plural(drives.length, "drive")}${gone}, looked at ${relativeTime(at(collected_at), now)}${old}`;
}

function temperature(celsius: number | null): Cell {
  if (celsius === null) return null;
  const text = `${Math.round(celsius)} °C`;
  return celsius >= 60 ? { text, color: "yellow" } : text;
}

function typeText({ type, transport }: DriveWire): string | null {
  const names = [type, transport].filter((name): name is NonNullable<typeof name> => name != null);
  return names.length === 0 ? null : [...new Set(names)].join(", ");
}

/** What is on it: where it is mounted, else what is built on it, else what udev found there. */
function useOf({ mounts = [], holders = [], fstype, swap }: DriveWire): string | null {
  const places = mounts.map((mount) => mount.mountpoint);
  const built = holders
    .filter(({ name }) => !holders.some(({ on }) => on === name)) // what others stand on is no use by itself
    .map(({ kind, label, name }) => holderText(kind, label ?? name));
  const words =
    places.length > 0
      ? places
      : swap !== undefined && swap.length > 0
        ? ["swap"]
        : built.length > 0
          ? built
          : [fstype ?? ""];
  const counted = new Map<string, number>();
  for (const word of words.filter((each) => each !== "")) counted.set(word, (counted.get(word) ?? 0) + 1);
  const shown = [...counted].map(([word, count]) =>
    count === 1 || places.length > 0 ? word : `${count} × ${word}`,
  );
  if (shown.length === 0) return null;
  return cut(`${shown.slice(0, 3).join(", ")}${shown.length > 3 ? ", …" : ""}`, USE_WIDTH);
}

/** Device-mapper joins group and volume by "-" and doubles what they have of their own (lvm2, dm name mangling). */
function holderText(kind: string, name: string): string {
  const [, part] = /-osd--(block|db|wal)--[0-9a-f-]+$/.exec(name) ?? [];
  if (part !== undefined) return `Ceph OSD ${part === "block" ? "data" : part.toUpperCase()}`;
  if (kind !== "lvm") return `${kind} ${name}`;
  return `lvm ${name.replace(/(?<!-)-(?!-)/, "/").replaceAll("--", "-")}`;
}

function stateOf({ answering, state, paths = [] }: DriveWire): Cell {
  if (answering === false) return { text: "does not answer", color: "red" };
  if (state === "offline") return { text: "offline", color: "red" };
  if (state === "degraded") {
    const lost = paths.filter(
      (path) => path.state !== null && path.state !== "running" && path.state !== "live",
    );
    return { text: `${lost.length} of ${paths.length} paths lost`, color: "yellow" };
  }
  const several = paths.length > 1 ? `, ${paths.length} paths` : "";
  return `${state ?? "present"}${several}`;
}
