/** Keys as files and people give them, judged before they are ever sent. */
import { AgentError } from "../../model/errors.ts";
import { readSecretFile } from "../../system/secret-file.ts";
import { keyKind } from "./key-kind.ts";

/** @throws AgentError `key_malformed` for what can't be a key (and could break out of a header), codes of `readSecretFile` */
export function readKeyFile(reference: string): string {
  return checkKey(readSecretFile(reference), reference);
}

/** @param origin where it came from, for the sentence; the key itself is never shown */
export function checkKey(key: string, origin: string): string {
  const trimmed = key.trim();
  if (/^[\x21-\x7e]{8,512}$/.test(trimmed)) return trimmed;
  throw new AgentError(
    "key_malformed",
    `${origin} does not hold a key: one word of 8 to 512 characters was expected.`,
    "foundry-agent enroll  # with the key, copied from NodeFoundry once more",
  );
}

/** @throws AgentError `key_read_only`, `key_wrong_kind`: before anything is sent */
export function refuseForEnrolment(key: string): void {
  const kind = keyKind(key);
  if (kind === "read-only") {
    throw new AgentError(
      "key_read_only",
      "A read-only key (nf_sk_ro_…) can't register a node.",
      "foundry-agent enroll  # with an enrolment key (nf_en_…); to look on only, name a file with this one as key_file",
    );
  }
  if (kind === "node") {
    throw new AgentError(
      "key_wrong_kind",
      "This is the token of a node (nf_nt_…), not a key.",
      "foundry-agent enroll  # with an enrolment key (nf_en_…)",
    );
  }
}
