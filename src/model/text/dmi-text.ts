/**
 * Strings that a board's firmware gives (SMBIOS, which Linux calls DMI), as a person would write them down. Boards
 * ship with placeholders in half of the fields; those are null.
 */

import { isPlaceholder, isSharedUuid } from "./dmi-placeholders.ts";

const MAX_LENGTH = 128;

/** A DMI string as a person would write it down, or null for a placeholder, nothing, or mostly binary garbage. */
export function cleanDmi(raw: string | null): string | null {
  if (raw === null) return null;
  const capped = raw.slice(0, 1024);
  const printable = capped.replace(/[^\x20-\x7e\u00a0-\u024f]+/g, " ");
  const kept = printable.replace(/\s+/g, " ").trim();
  const lost = capped.replace(/[\s\0]+/g, "").length - kept.replace(/\s+/g, "").length;
  if (kept === "" || lost > kept.length) return null;
  if (isPlaceholder(kept)) return null;
  return kept.slice(0, MAX_LENGTH);
}

/** A product uuid in lower case, or null for one that many boards share or no uuid at all. */
export function cleanUuid(raw: string | null): string | null {
  const uuid = raw?.trim().toLowerCase() ?? "";
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) return null;
  return isSharedUuid(uuid) ? null : uuid;
}

/** SMBIOS writes MM/DD/YYYY (or MM/DD/YY of the last century): → YYYY-MM-DD; anything else stays as it is. */
export function isoBiosDate(raw: string | null): string | null {
  const found = raw === null ? null : /^(\d{2})\/(\d{2})\/(\d{4}|\d{2})$/.exec(raw);
  if (!found) return raw;
  const [month, day, year] = [found[1], found[2], found[3]] as [string, string, string];
  return `${year.length === 2 ? `19${year}` : year}-${month}-${day}`;
}
