/** Reads a ustar archive, header sums checked: the other side of src/system/tar.ts. */
import { gunzipSync } from "node:zlib";

export interface Untarred {
  readonly name: string;
  readonly mode: number;
  readonly mtimeS: number;
  readonly data: Buffer;
}

export function untar(archive: Buffer): Untarred[] {
  const found: Untarred[] = [];
  for (let at = 0; at < archive.length; ) {
    const block = archive.subarray(at, at + 512);
    if (block.every((byte) => byte === 0)) break;
    const octal = (from: number, length: number): number =>
      Number.parseInt(block.toString("latin1", from, from + length).replace(/[\0 ].*$/, ""), 8);
    const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (sum !== octal(148, 8)) throw new Error(`wrong sum at ${at}`);
    const size = octal(124, 12);
    found.push({
      name: block.toString("latin1", 0, 100).replace(/\0.*$/s, ""),
      mode: octal(100, 8),
      mtimeS: octal(136, 12),
      data: Buffer.from(archive.subarray(at + 512, at + 512 + size)),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

/** File → text of a diagnostics bundle; names without its folder. */
export function unpackBundle(bundle: Buffer): Record<string, string> {
  return Object.fromEntries(
    untar(gunzipSync(bundle)).map(({ name, data }) => [name.replace(/^[^/]*\//, ""), data.toString()]),
  );
}
