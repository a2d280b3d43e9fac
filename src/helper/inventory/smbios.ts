/**
 * The SMBIOS structure table (DMTF DSP0134), from /sys/firmware/dmi/tables/DMI, where the kernel keeps the
 * firmware's own bytes readable by root. dmidecode prints the same bytes, so nothing is lost by reading them
 * here, and no process, no text of changing form and no time-out is needed.
 *
 * A structure: type, length of the formatted part, handle (16 bit), its fields; then its strings, each ended
 * by a NUL, the whole by another. A string field holds the number of the string, 0 for none.
 */

export interface SmbiosStructure {
  readonly type: number;
  readonly handle: number;
  /** The formatted part, header included: offsets are those of the specification. */
  readonly bytes: Uint8Array;
  /** The strings, latin-1; number 1 is at index 0. */
  readonly strings: readonly string[];
}

const END_OF_TABLE = 127;
const MAX_STRUCTURES = 10_000;

/** All structures until the end marker, or until what is no structure any more. Never throws. */
export function parseSmbios(table: Uint8Array): SmbiosStructure[] {
  const found: SmbiosStructure[] = [];
  for (let at = 0; at + 4 <= table.length && found.length < MAX_STRUCTURES; ) {
    const [type = END_OF_TABLE, length = 0] = [table[at], table[at + 1]];
    if (length < 4 || at + length > table.length) break;
    const end = endOfStrings(table, at + length);
    found.push({
      type,
      handle: (table[at + 2] ?? 0) | ((table[at + 3] ?? 0) << 8),
      bytes: table.subarray(at, at + length),
      strings: stringsOf(table.subarray(at + length, end)),
    });
    if (type === END_OF_TABLE) break;
    at = end + 2;
  }
  return found;
}

/** Index of the first of the two NULs that end the strings. */
function endOfStrings(table: Uint8Array, from: number): number {
  let at = from;
  while (at + 1 < table.length && (table[at] !== 0 || table[at + 1] !== 0)) at++;
  return Math.min(at, table.length);
}

function stringsOf(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  return Buffer.from(bytes).toString("latin1").split("\0");
}

/** The string a byte of the formatted part names, or null: no such byte (older version), no string. */
export function stringAt({ bytes, strings }: SmbiosStructure, offset: number): string | null {
  const number = bytes[offset];
  return number === undefined || number === 0 ? null : (strings[number - 1] ?? null);
}

/** Null where the structure is too short (an older version of the specification). */
export function byteAt({ bytes }: SmbiosStructure, offset: number): number | null {
  return bytes[offset] ?? null;
}

/** 16 bit, little-endian. */
export function wordAt({ bytes }: SmbiosStructure, offset: number): number | null {
  return offset + 2 > bytes.length ? null : (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
}

/** 32 bit, little-endian, unsigned. */
export function doubleWordAt({ bytes }: SmbiosStructure, offset: number): number | null {
  if (offset + 4 > bytes.length) return null;
  return new DataView(bytes.buffer, bytes.byteOffset + offset, 4).getUint32(0, true);
}
