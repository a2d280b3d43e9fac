/** Keys and tokens of the sandbox. */
import { randomBytes } from "node:crypto";

/** 192 random bits in letters and digits behind a prefix that says what they are. */
export function newSecret(prefix: string): string {
  return prefix + randomBytes(24).toString("base64url").replace(/[-_]/g, "x");
}
