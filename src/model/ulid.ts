// ULID (github.com/ulid/spec): 48 bits of milliseconds and 80 random bits, Crockford base 32, 26 characters.
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * The ULID after `previous`: new random bits in a later millisecond, else `previous` plus one, so ids
 * rise strictly even when the clock stands still or steps back.
 * @param previous the last id given out, or "" for none
 * @param nowMs wall clock, milliseconds since the epoch
 * @param random ten random bytes
 */
export function nextUlid(previous: string, nowMs: number, random: Uint8Array): string {
  const time = encodeTime(Math.max(0, Math.floor(nowMs)));
  if (time > previous.slice(0, 10)) return time + encodeRandom(random);
  return increment(previous);
}

/** What every id made before 2100 is less than: a later one was made by no clock, and nothing can follow the last of all. */
export const BEYOND_ULIDS = encodeTime(Date.UTC(2100, 0, 1));

function encodeTime(ms: number): string {
  let text = "";
  for (let rest = ms, i = 0; i < 10; i++) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function encodeRandom(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let text = "";
  for (let i = 0; i < 16; i++) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return text;
}

function increment(ulid: string): string {
  const chars = [...ulid];
  for (let i = chars.length - 1; i >= 0; i--) {
    const value = ALPHABET.indexOf(chars[i] as string);
    if (value < 31) {
      chars[i] = ALPHABET.charAt(value + 1);
      return chars.join("");
    }
    chars[i] = "0";
  }
  throw new RangeError("ULID space used up");
}
