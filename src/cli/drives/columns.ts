/** The columns of the table of drives: what each says of a drive and of one that is missing, and which gives way. */

import { ageText, verdictText } from "../../collectors/smart/table.ts";
import type { DrivesWire, DriveWire, MissingWire } from "../../sockets/wire/drive-schemas.ts";
import { at } from "../show/conditions.ts";
import { driveSize, relativeTime, sparkline } from "../text/format.ts";
import { type Cell, type Column, cut } from "../text/table.ts";
import { reasonWords } from "./advice.ts";
import {
  SEVERITY_COLORS,
  standingVerdict,
  stateOf,
  temperatureOf,
  typeText,
  useOf,
  wearOf,
} from "./standing.ts";

const USE_WIDTH = 40;
const REASON_WIDTH = 40;
const HOT_C = 60;
const WORN_PERCENT = 90;

/** The last temperatures of a device, one a collection. */
export type TrendOf = (name: string) => readonly (number | null)[];

export interface DriveColumn extends Column {
  /** The lower, the sooner it is left out of a narrow table; without it it stays. */
  readonly drop?: number;
  readonly drive: (drive: DriveWire, trend: TrendOf) => Cell;
  readonly missing: (drive: MissingWire, now: number) => Cell;
}

const none = (): null => null;

const COLUMNS = {
  slot: { title: "slot", drive: ({ slot }) => slot ?? null, missing: ({ slot }) => slot ?? null },
  device: {
    title: "device",
    drive: ({ name }) => name ?? null,
    missing: ({ last_name }) => ({ text: `(${last_name ?? "?"})`, color: "dim" }),
  },
  model: {
    title: "model",
    shrink: true,
    min: 8,
    drive: ({ model }) => model ?? null,
    missing: ({ model }) => model ?? null,
  },
  size: {
    title: "size",
    align: "right",
    drop: 5,
    drive: ({ size_bytes }) => driveSize(size_bytes ?? null),
    missing: ({ size_bytes }) => driveSize(size_bytes ?? null),
  },
  type: { title: "type", drop: 1, drive: typeText, missing: none },
  age: {
    title: "age",
    align: "right",
    drop: 2,
    drive: ({ smart }) => ageText(smart?.facts?.power_on_hours ?? null),
    missing: none,
  },
  temp: { title: "temp", align: "right", drop: 4, drive: temperatureCell, missing: none },
  wear: { title: "wear", align: "right", drop: 3, drive: wearCell, missing: none },
  course: {
    title: "20–60 °C",
    drive: ({ name }, trend) => sparkline(trend(name ?? ""), { min: 20, max: 60 }).trimEnd() || null,
    missing: none,
  },
  verdict: {
    title: "verdict",
    drive: verdictCell,
    missing: () => ({ text: "missing", color: "red" }),
  },
  reason: {
    title: "reason",
    shrink: true,
    min: 20,
    drive: reasonCell,
    missing: ({ since }, now) => `noticed ${relativeTime(at(since), now)}`,
  },
  use: {
    title: "used for",
    shrink: true,
    min: 13,
    drop: 6,
    drive: (drive) => useOf(drive, USE_WIDTH),
    missing: ({ serial }) => (serial == null ? null : `serial ${serial}`),
  },
  state: {
    title: "state",
    drive: (drive) => {
      const { text, color } = stateOf(drive);
      return color === null ? text : { text, color };
    },
    missing: ({ since }, now) => ({ text: `missing, noticed ${relativeTime(at(since), now)}`, color: "red" }),
  },
} satisfies Record<string, DriveColumn>;

/** With verdicts the kernel's state is worth a column only where it is not the ordinary one. */
export function columnsFor({ drives }: DrivesWire, watching: boolean): DriveColumn[] {
  const { slot, device, model, size, type, age, temp, wear, course, verdict, reason, use, state } = COLUMNS;
  const first = [slot, device, model, size, type, age, temp, wear, ...(watching ? [course] : [])];
  if (!drives.some(({ smart }) => smart != null)) return [...first, use, state];
  const odd = drives.some((drive) => !stateOf(drive).ordinary);
  return [...first, verdict, reason, use, ...(odd ? [{ ...state, missing: none }] : [])];
}

function temperatureCell(drive: DriveWire): Cell {
  const celsius = temperatureOf(drive);
  if (celsius === null) return null;
  const text = `${Math.round(celsius)} °C`;
  return celsius >= HOT_C ? { text, color: "yellow" } : text;
}

function wearCell(drive: DriveWire): Cell {
  const wear = wearOf(drive);
  if (wear === null) return null;
  const text = `${wear} %`;
  return wear >= WORN_PERCENT ? { text, color: "yellow" } : text;
}

/** The verdict that stands, in its colour. */
export function verdictCell({ smart }: Pick<DriveWire, "smart">): Cell {
  if (smart?.severity === undefined) return null;
  const { severity, last_verdict = null, reasons } = smart;
  const color = SEVERITY_COLORS[standingVerdict(smart)?.severity ?? severity];
  // A sound drive that sleeps is nothing to take room for.
  const before = last_verdict?.severity === "ok" ? null : last_verdict;
  return { text: verdictText({ severity, last_verdict: before, reasons }), color };
}

/** What decides, and how much more there is: the view of one drive has all. */
function reasonCell({ smart }: DriveWire): Cell {
  if (smart == null) return null;
  const { severity, reasons = [], last_verdict: before } = smart;
  const shown = severity === "asleep" ? (before?.reasons ?? []) : reasons;
  const [first] = shown;
  if (first === undefined) return null;
  const more = shown.length > 1 ? ` (+${shown.length - 1})` : "";
  return `${cut(reasonWords(first), REASON_WIDTH)}${more}`;
}
