/** What the table of drives and the view of one drive both say of them. Redaction makes null what identifies. */

import { standingOf } from "../../collectors/drives/states.ts";
import { foundOn } from "../../collectors/drives/table.ts";
import type { SmartReason, SmartSeverity } from "../../model/smart.ts";
import { reasonClause } from "../../model/text/need.ts";
import { sentence } from "../../model/text/sentence.ts";
import type { DriveWire, SmartStateWire, SmartWire } from "../../sockets/wire/drive-schemas.ts";
import type { ReasonWire } from "../../sockets/wire/schemas.ts";
import type { Color } from "../text/format.ts";
import { cut } from "../text/table.ts";

/** °C: what the kernel reads every few seconds, else what the drive said when it was asked last. */
export function temperatureOf(drive: DriveWire): number | null {
  return drive.temperature_c ?? drive.smart?.facts?.temperature_c ?? null;
}

/** Rated endurance used, per cent; of eMMC its own estimate in steps of 10. */
export function wearOf(drive: DriveWire): number | null {
  return drive.smart?.facts?.wear_percent ?? drive.mmc?.life_used_percent ?? null;
}

/** The verdict that counts: of a drive that sleeps or does not answer the one before. */
export function standingVerdict(
  smart: SmartWire,
): { readonly severity: SmartSeverity; readonly reasons: readonly SmartReason[] } | null {
  const { severity, reasons = [], last_verdict: before = null } = smart;
  if (severity === undefined) return null;
  return severity === "unknown" || severity === "asleep" ? before : { severity, reasons };
}

export const SEVERITY_COLORS: Readonly<Record<SmartSeverity, Color>> = {
  ok: "green",
  warn: "yellow",
  fail: "red",
  unknown: "dim",
  asleep: "dim",
};

/** `hdd, sas`. */
export function typeText({ type, transport }: DriveWire): string | null {
  const names = [type, transport].filter((name): name is NonNullable<typeof name> => name != null);
  return names.length === 0 ? null : [...new Set(names)].join(", ");
}

/** As the kernel has it; ordinary where there is nothing to know. */
export function stateOf({ answering, state, paths = [] }: DriveWire): {
  readonly text: string;
  readonly color: Color | null;
  readonly ordinary: boolean;
} {
  const bad = (text: string, color: Color) => ({ text, color, ordinary: false });
  if (answering === false) return bad("does not answer", "red");
  if (state === "offline") return bad("offline", "red");
  if (state === "waiting") return bad("takes no requests", "red");
  if (state === "degraded") {
    const lost = paths.map(standingOf).filter((standing) => standing !== null && standing !== "up");
    return bad(`${lost.length} of ${paths.length} paths lost`, "yellow");
  }
  const several = paths.length > 1 ? `, ${paths.length} paths` : "";
  return { text: `${state ?? "present"}${several}`, color: null, ordinary: true };
}

/** What is on it: where it is mounted, else what is built on it, else what udev found there. */
export function useOf(drive: DriveWire, most: number): string | null {
  const { mounts = [], holders = [], swap } = drive;
  const places = mounts.map((mount) => mount.mountpoint);
  const built = holders
    .filter(({ name }) => !holders.some(({ on }) => on === name)) // what others stand on is no use by itself
    .map(({ kind, label, name }) => holderText(kind, label ?? name));
  const words =
    places.length > 0
      ? places
      : swap !== undefined && swap.length > 0
        ? ["swap"]
        : (osdWords(drive) ?? (built.length > 0 ? built : [foundOn(drive) ?? ""]));
  const counted = new Map<string, number>();
  for (const word of words.filter((each) => each !== "")) counted.set(word, (counted.get(word) ?? 0) + 1);
  const shown = [...counted].map(([word, count]) =>
    count === 1 || places.length > 0 ? word : `${count} × ${word}`,
  );
  if (shown.length === 0) return null;
  return cut(`${shown.slice(0, 3).join(", ")}${shown.length > 3 ? ", …" : ""}`, most);
}

/** "osd.7", "DB of osd.1 osd.2", by the ids that are known; null: none is. */
function osdWords({ osd_ids: ids = [], holders = [] }: DriveWire): string[] | null {
  if (ids.length === 0) return null;
  const parts = new Set(holders.flatMap(({ label }) => osdPart(label ?? "") ?? []));
  const names = ids.map((id) => `osd.${id}`);
  if (parts.size === 0 || parts.has("block") || parts.has("data")) return names;
  return [`${[...parts].map((part) => part.toUpperCase()).join(" and ")} of ${names.join(" ")}`];
}

function osdPart(volume: string): string | null {
  return /-osd--(block|data|db|wal|journal)--[0-9a-f-]+$/.exec(volume)?.[1] ?? null;
}

/** Device-mapper joins group and volume by "-" and doubles what they have of their own (lvm2, dm name mangling). */
export function holderText(kind: string, name: string): string {
  const part = osdPart(name);
  if (part !== null) return `Ceph OSD ${part === "block" || part === "data" ? "data" : part.toUpperCase()}`;
  if (kind !== "lvm") return `${kind} ${name}`;
  return `lvm ${name.replace(/(?<!-)-(?!-)/, "/").replaceAll("--", "-")}`;
}

/** Why there is no verdict on any drive, or only old ones, as a sentence, and what to type; null: all is well. */
export function whyNoVerdict(
  smart: SmartStateWire | undefined,
  whose: "their" | "its",
): Pick<ReasonWire, "text" | "next_step"> | null {
  if (smart == null) return null;
  if (smart.state === "pending")
    return {
      text: sentence(`${whose} health is not known yet: look again in a few seconds`),
      next_step: null,
    };
  const why = smart.problem ?? (smart.state === "ok" ? null : smart.reason);
  if (why === null) return null;
  const head = smart.state === "stale" ? `${whose} health is out of date` : `no verdict on ${whose} health`;
  return { text: sentence(`${head}: ${reasonClause(why, "it")}`), next_step: why.next_step };
}
