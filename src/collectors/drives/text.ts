/** Small pure functions on the texts that kernel and firmware give about drives. */

/**
 * A string of some firmware as one line for people: control and undecodable characters dropped, white space
 * collapsed, cut at `max` characters. null when nothing is left.
 */
export function cleanText(text: string | null, max = 128): string | null {
  if (text === null) return null;
  const clean = text
    .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufffd]/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, max);
  return clean === "" ? null : clean;
}

/** A serial number, or null for the fillers some bridges and hypervisors give ("0000", "none", "unknown"). */
export function cleanSerial(text: string | null): string | null {
  const clean = cleanText(text);
  return clean === null || /^(?:0+|none|unknown|n\/?a)$/i.test(clean) ? null : clean;
}

/** Key that sorts kernel names as people count: sdb < sdaa, nvme2n1 < nvme10n1. */
function orderKey(name: string): string {
  const lettered = /^(sd|vd|xvd)([a-z]+)$/.exec(name);
  if (lettered)
    return `${lettered[1]}${String((lettered[2] as string).length).padStart(2, "0")}${lettered[2]}`;
  return name.replace(/\d+/g, (digits) => digits.padStart(8, "0"));
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  const [left, right] = [orderKey(a.name), orderKey(b.name)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The partition's drive by the kernel's naming rule (nvme0n1p2 → nvme0n1, sda1 → sda), or null. */
export function partitionParent(name: string): string | null {
  const found = /^(.*\d)p\d+$/.exec(name) ?? /^(.*\D)\d+$/.exec(name);
  return found ? (found[1] as string) : null;
}

/** "1" / "0" of a pseudo file. */
export function boolOf(text: string | null): boolean | null {
  return text === "1" ? true : text === "0" ? false : null;
}
