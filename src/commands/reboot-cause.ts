/** Why a host runs another boot than the one a reboot was asked for on, as far as the helper's record tells. Pure. */

/** Errors of the helper after which it is certain that nothing was begun. All others leave it open. */
export const NOT_BEGUN: ReadonlySet<string> = new Set([
  "bad_signature",
  "expired",
  "foreign",
  "from_the_future",
  "helper_absent",
  "helper_refused",
  "malformed",
  "no_systemd",
  "no_trusted_time",
  "policy_unusable",
  "reboot_failed",
  "reboot_hangs",
  "record_unusable",
  "state_volatile",
  "unsigned",
]);

/** What the helper's record says of an id; `known` null: it was never begun. */
export interface Told {
  readonly known: string | null;
  readonly errorCode: string | null;
}

/**
 * `command` whenever the record says that it began. What came of it need not be there: the helper is ended with the
 * host, and may have been killed at any moment. Where it says that nothing was begun after all, or can't be asked
 * (null), nobody can vouch for it.
 */
export function causeOf(told: Told | null): "command" | "unverified" {
  if (told === null || told.known === null) return "unverified";
  const isDenied = told.known === "failed" && told.errorCode !== null && NOT_BEGUN.has(told.errorCode);
  return isDenied ? "unverified" : "command";
}
