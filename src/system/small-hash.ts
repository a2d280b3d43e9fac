/**
 * SHA-256 and its HMAC of a few bytes, without node:crypto: loading that is 12 ms of a start, which needs a
 * handful of hashes by which a node knows its own board and its place among others. What is long, or an attacker
 * can choose or time, is node:crypto's business.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** @returns 64 hex digits, as `createHash("sha256").update(text).digest("hex")` gives them */
export function smallHash(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** @returns 64 hex digits, as `createHmac("sha256", key).update(message).digest("hex")` gives them */
export function smallHmac(key: string, message: string): string {
  return bytesToHex(hmac(sha256, utf8ToBytes(key), utf8ToBytes(message)));
}
