/** What a signature of a command is over, the same for who signs, who delivers and who verifies. */
import { canonicalJson } from "./canonical-json.ts";
import { AgentError } from "./errors.ts";

/** Longest text that is signed, bytes of UTF-8. */
export const MAX_SIGNED_BYTES = 64 * 1024;

/**
 * The RFC 8785 form of a command as it came over the wire, unknown fields and all, without its `signature`.
 * @throws AgentError `not_canonical` when there is none, or it has more than 64 KiB
 */
export function signedTextOf(command: Readonly<Record<string, unknown>>): string {
  const { signature: _apart, ...signed } = command;
  const text = canonicalJson(signed);
  const length = Buffer.byteLength(text);
  if (length > MAX_SIGNED_BYTES)
    throw new AgentError(
      "not_canonical",
      `the command has ${length} bytes in its canonical form, at most ${MAX_SIGNED_BYTES} can be signed`,
    );
  return text;
}
