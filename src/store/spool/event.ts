/** An event as it lies in the spool: its data as capped JSON text, its rank and its size. Pure. */
import { NEVER_BEGUN } from "../../model/command.ts";
import { errorText } from "../../model/errors.ts";
import type { AgentEvent, EventDraft } from "../../model/event.ts";
import type { SpoolEntry } from "./drop.ts";

export const MAX_DATA_BYTES = 16 * 1024;
/** Everything of an event that is not its data, roughly: id, time, type, the row itself. */
const ROW_BYTES = 96;

export interface SpooledEvent extends SpoolEntry {
  readonly at: number;
  readonly type: string;
  readonly severity: EventDraft["severity"];
  readonly text: string;
}

/** Has to be on the disk when `appendEvents` returns. */
export function isUrgent(draft: Pick<EventDraft, "type" | "severity">): boolean {
  return draft.severity !== "info" || draft.type === "command.state";
}

/** @param standsFor see SpoolEntry */
export function spooled(id: string, draft: EventDraft, at: number, standsFor = 1): SpooledEvent {
  const text = cappedText(draft.data);
  return {
    id,
    at,
    type: draft.type,
    severity: draft.severity,
    text,
    rank: rankOf(draft),
    bytes: Buffer.byteLength(text) + ROW_BYTES,
    standsFor,
    group: groupOf(draft),
  };
}

export function eventOf(item: Pick<SpooledEvent, "id" | "at" | "type" | "severity" | "text">): AgentEvent {
  return { id: item.id, at: item.at, type: item.type, severity: item.severity, data: dataOf(item.text) };
}

/** SQLite has no checksums: a flipped bit in a text is met here first, and costs this text only. */
function dataOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { damaged: text.slice(0, 200) };
  }
}

export function droppedDraft(lost: number): EventDraft {
  return { type: "dropped", severity: "warning", data: { count: lost, reason: "spool_full" } };
}

/** As far as the event itself says it; whose the command was, the table of commands knows (event-table.ts). */
function groupOf({ type, data }: EventDraft): string | null {
  if (type === "dropped") return type;
  if (type !== "command.state") return null;
  return NEVER_BEGUN.some((state) => state === data.state) ? "refused" : "command";
}

function rankOf(draft: EventDraft): number {
  // It was told before.
  if (draft.type === "command.state" && draft.data.repeated === true) return 0;
  if (draft.type === "command.state" || draft.type === "dropped" || draft.severity === "error") return 2;
  return draft.severity === "warning" ? 1 : 0;
}

/**
 * JSON of at most 16 KiB. What is bigger keeps the fields that fit, in their order, long strings cut, and says
 * `truncated_bytes` (how big it was); what is no JSON at all says `unserialisable`. Never throws: an event is
 * often about something that has already gone wrong.
 */
export function cappedText(data: Readonly<Record<string, unknown>>): string {
  let whole: string;
  try {
    whole = JSON.stringify(data) ?? "{}";
  } catch (error) {
    return JSON.stringify({ unserialisable: errorText(error) });
  }
  const size = Buffer.byteLength(whole);
  if (size <= MAX_DATA_BYTES) return whole;
  const kept: Record<string, unknown> = { truncated_bytes: size };
  let room = MAX_DATA_BYTES - Buffer.byteLength(JSON.stringify(kept));
  for (const [key, value] of Object.entries(data)) {
    const fitting = shortened(key, value, room);
    if (fitting === undefined) continue;
    room -= fieldBytes(key, fitting);
    kept[key] = fitting;
  }
  return JSON.stringify(kept);
}

function shortened(key: string, value: unknown, room: number): unknown {
  if (JSON.stringify(value) === undefined || key === "truncated_bytes") return undefined;
  if (fieldBytes(key, value) <= room) return value;
  if (typeof value !== "string") return undefined;
  // A character takes up to six bytes when escaped (\u0001), so a sixth of the room always fits.
  const characters = Math.floor((room - fieldBytes(key, "")) / 6);
  return characters > 16 ? value.slice(0, characters).toWellFormed() : undefined;
}

function fieldBytes(key: string, value: unknown): number {
  return Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(JSON.stringify(value)) + 2;
}
