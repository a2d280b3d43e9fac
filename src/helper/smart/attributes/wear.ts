/**
 * Rated endurance used, out of the vendor attributes of an SSD. The name says whether a row tells what is used or
 * what is left; which of its two numbers carries it differs: the normalised value counts down from 100 as a rule,
 * but some families leave it at 100 and put the figure into the raw number, and some count it up. Where a drive's
 * numbers contradict each other nothing is known, and that is said. Pure.
 */
import type { SmartAttribute } from "../../../model/smart.ts";
import { compactName, kindOf } from "./kinds.ts";

export interface Wear {
  /** 0 and up; beyond 100 the rated endurance is used up. null: the drive does not tell, or contradicts itself. */
  readonly percent: number | null;
  /** The contradiction as a sentence, or null. */
  readonly problem: string | null;
}

type Drive = { readonly model: string | null; readonly family: string | null };
/** null: the row says nothing usable; "contradictory": its numbers can't both be right. */
type Reading = number | "contradictory" | null;

/** Rounding, and figures that are renewed at different times. */
const SAME = 2;
const SAME_WITNESS = 5;
/** More erasures than that, and a value that still stands at 100 is one that never moves. */
const PINNED_ERASURES = 300;

/**
 * Families whose value stays at 100 while the raw number is the life left. Kingston KC400 (Phison; smartctl_exporter's
 * testdata: value 100, raw 74), Silicon Motion (Transcend MTS400: 169 value 100, raw 96) and Innodisk, which uses them.
 */
const RAW_IS_LEFT = /Phison|Silicon Motion|Innodisk/i;
/** On these it is so whatever the raw number; on other Phison drives it may be what is used (CrystalDiskInfo #162, #178). */
const RAW_ALWAYS_LEFT = /KINGSTON SKC400/i;
/** The raw number of 231 is no percentage there. */
const RAW_IS_OTHER = /SandForce/i;
/** 230 counts up: zbx-smartctl #148; the raw words hold whole and hundredth percents: smartmontools-support, 2021-03-24. */
const COUNTS_UP = /\bWDC?\b|\bWDS\d|SanDisk/i;

export function attributeWear(attributes: readonly SmartAttribute[], drive: Drive): Wear {
  const explicit = readings(attributes, (row) => explicitReading(row, drive));
  const found = explicit.length > 0 ? explicit : readings(attributes, levelingReading);
  const wrong = found.find(({ reading }) => reading === "contradictory");
  if (wrong !== undefined) return { percent: null, problem: contradiction([wrong.row]) };
  const told = found.map(({ reading }) => reading as number);
  if (told.length === 0) return { percent: null, problem: null };
  if (Math.max(...told) - Math.min(...told) > SAME_WITNESS)
    return { percent: null, problem: contradiction(found.map(({ row }) => row)) };
  return { percent: told[0] as number, problem: null };
}

/** Whether the drive has a row of its own about wear, usable or not. */
export function hasWearAttribute(attributes: readonly SmartAttribute[]): boolean {
  return attributes.some((row) => /^(?:wear_(?:left|used|leveling)|media_wearout)$/.test(kindOf(row) ?? ""));
}

function readings(attributes: readonly SmartAttribute[], read: (row: SmartAttribute) => Reading) {
  return attributes.flatMap((row) => {
    const reading = read(row);
    return reading === null ? [] : [{ row, reading }];
  });
}

function explicitReading(row: SmartAttribute, drive: Drive): Reading {
  const name = compactName(row.name);
  const kind = kindOf(row);
  // Of the flash that the drive keeps for itself.
  if (name.startsWith("sys")) return null;
  if (kind === "wear_used") return usedReading(row);
  if (kind === "wear_left") return name.includes("0.01") ? hundredths(row) : leftReading(row, drive);
  if (kind !== "media_wearout") return null;
  const about = `${drive.model ?? ""} ${drive.family ?? ""}`;
  if (row.id === 230) return COUNTS_UP.test(about) && !RAW_IS_OTHER.test(about) ? upReading(row) : null;
  const value = percentOf(row.value);
  if (value === null) return null;
  // smartctl's default name on a drive it does not know: a value that never moves beside a count, or a row of zeros.
  const isNone = value === 0 || (value === 100 && (row.raw ?? 0) > 0);
  return drive.family === null && isNone ? null : 100 - value;
}

function leftReading(row: SmartAttribute, { model, family }: Drive): Reading {
  const value = percentOf(row.value);
  const isOther = RAW_IS_OTHER.test(family ?? "");
  // Of an unknown drive: smartctl's name for the number, and nothing in the row.
  if (family === null && value === 0 && row.worst === 0 && row.raw === 0) return null;
  // Micron: the raw number is what is used, and goes on where the value has come to its end.
  const beyond = isOther || value === null || value > 1 ? null : plainRaw(row, 255);
  if (beyond !== null && beyond > 100) return beyond;
  const raw = isOther ? null : plainRaw(row, 100);
  if (value === null) return raw === null ? null : 100 - raw;
  if (raw === null || Math.abs(value - raw) <= SAME) return 100 - value;
  // A value that moves, and a raw number in which there is nothing.
  if (raw === 0 && value < 100) return 100 - value;
  if (value === 100 && RAW_ALWAYS_LEFT.test(model ?? "")) return 100 - raw;
  if (Math.abs(100 - value - raw) <= SAME) return Math.max(100 - value, raw);
  // A raw number this high can't be what is used beside a value this good.
  if (value === 100 && (raw >= 50 || RAW_IS_LEFT.test(family ?? ""))) return 100 - raw;
  return "contradictory";
}

function usedReading(row: SmartAttribute): Reading {
  const value = percentOf(row.value);
  const raw = plainRaw(row, 255);
  // Which way a value counts that is named after what is used can only be told beside the raw number.
  if (raw === null) return null;
  if (value === null || value === 100) return raw;
  if (Math.abs(value - raw) <= SAME || Math.abs(100 - value - raw) <= SAME) return raw;
  return value <= 1 && raw >= 100 ? raw : "contradictory";
}

/** WD and SanDisk: the value is what is used, and so is each 16-bit word of the raw number, as percent and hundredths. */
function upReading(row: SmartAttribute): Reading {
  const value = percentOf(row.value);
  const words = row.raw === null ? [] : [row.raw % 0x1_0000, Math.floor(row.raw / 0x1_0000_0000)];
  const percents = words.map((word) => Math.floor(word / 256) + (word % 256) / 100);
  const readable = words.length > 0 && words.every((word) => word % 256 < 100 && word < 256 * 256);
  const worst = readable ? Math.max(...percents) : null;
  if (value === null) return worst === null ? null : Math.ceil(worst);
  if (worst === null) return value === 100 ? "contradictory" : value;
  if (Math.abs(value - worst) <= SAME) return value;
  return value === 100 ? Math.ceil(worst) : "contradictory";
}

/** SanDisk, `SSD_LifeLeft(0.01%)`; a raw number like the value is in whole per cent after all. */
function hundredths(row: SmartAttribute): Reading {
  const value = percentOf(row.value);
  const raw = plainRaw(row, 10_000);
  if (raw === null) return value === null ? null : 100 - value;
  if (value === 100 && raw <= 100) return "contradictory";
  if (value === null || value === 100 || Math.abs(value - raw / 100) <= SAME_WITNESS)
    return Math.round(100 - raw / 100);
  return Math.abs(value - raw) <= SAME ? 100 - value : "contradictory";
}

/** Only where no row is named after life: the value is what is left, the raw number counts erasures. */
function levelingReading(row: SmartAttribute): Reading {
  const value = percentOf(row.value);
  if (kindOf(row) !== "wear_leveling" || value === null) return null;
  // Worn out without a single erasure: a row of zeros.
  if (value === 0 && row.raw === 0) return null;
  if (value === 100 && (plainRaw(row, 0xffff_ffff) ?? 0) > PINNED_ERASURES) return "contradictory";
  return 100 - value;
}

function percentOf(value: number | null): number | null {
  return value === null || value > 100 ? null : value;
}

/** A raw number that is nothing but that; null where it is packed, or more than `most`. */
function plainRaw({ raw, raw_text }: SmartAttribute, most: number): number | null {
  if (raw === null || raw > most || (raw_text !== null && !/^\d+$/.test(raw_text))) return null;
  return raw;
}

/** Without the numbers: they stand beside the names, and a sentence that changes with them would be news each day. */
function contradiction(rows: readonly SmartAttribute[]): string {
  const names = rows.map(({ id, name }) => `${id} ${name}`).join(" and ");
  return rows.length === 1
    ? `How worn it is can't be told: the two numbers of attribute ${names} contradict each other.`
    : `How worn it is can't be told: the attributes ${names} contradict each other.`;
}
