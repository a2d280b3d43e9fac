/**
 * A tar archive of a few small files in memory, so that no program is needed to make a bundle.
 * Format: POSIX.1-1988 ustar (the ustar interchange format of IEEE Std 1003.1, pax): per file a header of 512
 * bytes, then the data filled up with NULs to a multiple of 512; two empty blocks end it. Numbers are octal
 * ASCII. The same entries give the same bytes: owner and group are root's, whoever runs this.
 */
import { AgentError } from "../model/errors.ts";

export interface TarEntry {
  /** Relative path with `/`, 1 to 100 ASCII characters, no `..`. */
  readonly name: string;
  /** Permission bits, 0o644. */
  readonly mode: number;
  /** Milliseconds since the epoch; whole seconds are kept. */
  readonly mtimeMs: number;
  readonly data: Uint8Array;
}

const BLOCK = 512;
const NAME_MAX = 100;
/** Eleven octal digits. */
const SIZE_MAX = 0o77777777777;
const NAME = /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[\x21-\x7e]{1,100}$/;

/** @throws AgentError `tar_entry` for a name, time or size that the format can't hold, or a name given twice */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const names = new Set<string>();
  const blocks: Uint8Array[] = [];
  for (const entry of entries) {
    if (names.has(entry.name)) throw wrong(entry, "is there twice");
    names.add(entry.name);
    blocks.push(header(entry), entry.data, Buffer.alloc((BLOCK - (entry.data.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(entry: TarEntry): Buffer {
  const { name, mode, mtimeMs, data } = entry;
  if (!NAME.test(name))
    throw wrong(entry, `is no relative path of at most ${NAME_MAX} printable ASCII characters`);
  const seconds = Math.floor(mtimeMs / 1000);
  if (!(seconds >= 0 && seconds <= SIZE_MAX)) throw wrong(entry, "has a time that an archive can't hold");
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= 0o7777)) throw wrong(entry, "has a mode that is none");
  if (data.length > SIZE_MAX) throw wrong(entry, "is too large");
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, "latin1");
  block.write(octal(mode, 7), 100, "latin1");
  block.write(octal(0, 7), 108, "latin1"); // uid
  block.write(octal(0, 7), 116, "latin1"); // gid
  block.write(octal(data.length, 11), 124, "latin1");
  block.write(octal(seconds, 11), 136, "latin1");
  // The sum is over the header with its own field as spaces.
  block.write(" ".repeat(8), 148, "latin1");
  block.write("0", 156, "latin1"); // a regular file
  block.write("ustar\u000000", 257, "latin1"); // magic with its NUL, then version "00"
  block.write(octal(0, 7), 329, "latin1"); // device numbers
  block.write(octal(0, 7), 337, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${octal(sum, 6)}\u0000 `, 148, "latin1");
  return block;
}

/** The NUL that ends the field is there already. */
function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function wrong({ name }: TarEntry, what: string): AgentError {
  return new AgentError("tar_entry", `"${name.slice(0, 60)}" ${what}.`);
}
