/**
 * Strings that a board's firmware gives (SMBIOS, which Linux calls DMI), as a person would write them down. Boards
 * ship with placeholders in half of the fields; those are null.
 */

const MAX_LENGTH = 128;

const PLACEHOLDERS = new Set([
  "to be filled by o.e.m.",
  "to be filled by oem",
  "to be filled by o.e.m",
  "filled by oem",
  "fill by oem",
  "o.e.m.",
  "oem",
  "default string",
  "default",
  "system serial number",
  "system product name",
  "system manufacturer",
  "system version",
  "system name",
  "base board serial number",
  "board serial number",
  "type2 - board serial number",
  "chassis serial number",
  "chassis asset tag",
  "chassis manufacture",
  "chassis version",
  "asset tag",
  "no asset tag",
  "no asset information",
  "asset-1234567890",
  "serial number",
  "product name",
  "not specified",
  "not available",
  "not applicable",
  "none",
  "[none]",
  "<none>",
  "null",
  "(null)",
  "n/a",
  "na",
  "unknown",
  "undefined",
  "invalid",
  "empty",
  "0123456789",
  "1234567890",
  "123456789",
  "012345678",
  "0123456789abcdef",
]);

const PLACEHOLDER_UUIDS = new Set([
  "03000200-0400-0500-0006-000700080009",
  "00020003-0004-0005-0006-000700080009",
  "12345678-1234-5678-90ab-cddeefaabbcc",
  "00010203-0405-0607-0809-0a0b0c0d0e0f",
]);

/** A DMI string as a person would write it down, or null for a placeholder, nothing, or mostly binary garbage. */
export function cleanDmi(raw: string | null): string | null {
  if (raw === null) return null;
  const capped = raw.slice(0, 1024);
  const printable = capped.replace(/[^\x20-\x7e\u00a0-\u024f]+/g, " ");
  const kept = printable.replace(/\s+/g, " ").trim();
  const lost = capped.replace(/[\s\0]+/g, "").length - kept.replace(/\s+/g, "").length;
  if (kept === "" || lost > kept.length) return null;
  if (PLACEHOLDERS.has(kept.toLowerCase())) return null;
  // Only fillers (....., -----, *****), or one and the same character over and over (0, 0000, XXXXXX, FFFF).
  if (/^[\s.\-_*#?=/\\]+$/.test(kept) || /^0+$/.test(kept) || /^(.)\1{3,}$/.test(kept)) return null;
  return kept.slice(0, MAX_LENGTH);
}

/** A product uuid in lower case, or null for a placeholder or no uuid at all. */
export function cleanUuid(raw: string | null): string | null {
  const uuid = raw?.trim().toLowerCase() ?? "";
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) return null;
  if (/^[0-]+$/.test(uuid) || /^[f-]+$/.test(uuid) || PLACEHOLDER_UUIDS.has(uuid)) return null;
  return uuid;
}

/** SMBIOS writes MM/DD/YYYY (or MM/DD/YY of the last century): → YYYY-MM-DD; anything else stays as it is. */
export function isoBiosDate(raw: string | null): string | null {
  const found = raw === null ? null : /^(\d{2})\/(\d{2})\/(\d{4}|\d{2})$/.exec(raw);
  if (!found) return raw;
  const [month, day, year] = [found[1], found[2], found[3]] as [string, string, string];
  return `${year.length === 2 ? `19${year}` : year}-${month}-${day}`;
}
