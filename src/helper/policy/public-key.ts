/** The public key of the policy: Ed25519, as the 32 bytes themselves or as SubjectPublicKeyInfo (RFC 8410), in base64. */

/** DER before the 32 bytes: SEQUENCE, AlgorithmIdentifier 1.3.101.112, BIT STRING (RFC 8410, section 4). */
// Not of a pool: 64 KB of memory would stay with it.
const SPKI_PREFIX = new Uint8Array([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);
const KEY_BYTES = 32;

/**
 * @param text base64; the armour lines and line breaks of a PEM file may stay
 * @returns SubjectPublicKeyInfo in DER as base64, or null when it is no such key
 */
export function parsePublicKey(text: string): string | null {
  const body = text.replace(/-----(?:BEGIN|END) PUBLIC KEY-----/g, "").replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]{43,60}={0,2}$/.test(body)) return null;
  const bytes = Buffer.from(body, "base64");
  if (bytes.length === KEY_BYTES) return Buffer.concat([SPKI_PREFIX, bytes]).toString("base64");
  const isSpki = bytes.length === SPKI_PREFIX.length + KEY_BYTES && bytes.indexOf(SPKI_PREFIX) === 0;
  return isSpki ? bytes.toString("base64") : null;
}
