/**
 * V8's code cache names the flags it was made under by a hash, and is thrown away under others. Ours is made with one
 * flag more than the executable runs with, --no-lazy, which compiles every function instead of those that are called
 * while the file is read; what a function is compiled to does not depend on it. So the cache gets the other hash.
 * All else that V8 compares (its version, the text, the read-only heap) is left to it.
 *
 * Node's own modules have caches too, refused because of --lite-mode: 10 ms of every start. Those stay refused, since
 * that flag does change what comes out.
 */
import { readFileSync, writeFileSync } from "node:fs";

/** The head of a cache (SerializedCodeData in V8's src/snapshot/code-serializer.h): magic, version, source, flags. */
const FLAGS_AT = 12;
const FLAGS_END = 16;
/** Magic and version: they say that a cache begins here, and that it is of this V8. */
const SAME_END = 8;

/** A program that prints the head of a cache as this V8 makes it, in hex. */
export const PRINT_HEAD = `new (require("node:vm").Script)("").createCachedData().toString("hex", 0, ${FLAGS_END})`;
/**
 * Give the caches in an executable that were made under other flags the hash of those it runs under.
 * @param madeUnder head of a cache made under the one, in hex; @param runUnder of one made under the others
 */
export function acceptCaches(path, madeUnder, runUnder) {
  const [from, to] = [Buffer.from(madeUnder, "hex"), Buffer.from(runUnder, "hex")];
  const start = from.subarray(0, SAME_END);
  if (from.length !== FLAGS_END || !start.equals(to.subarray(0, SAME_END)))
    throw new Error("the two heads are not of one V8");
  const bytes = readFileSync(path);
  let changed = 0;
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + SAME_END)) {
    if (bytes.compare(from, FLAGS_AT, FLAGS_END, at + FLAGS_AT, at + FLAGS_END) !== 0) continue;
    to.copy(bytes, at + FLAGS_AT, FLAGS_AT, FLAGS_END);
    changed++;
  }
  if (changed === 0) throw new Error(`${path} has no code cache made under these flags`);
  writeFileSync(path, bytes);
}
