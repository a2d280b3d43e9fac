/**
 * The id a node gives itself towards control APIs: never the raw /etc/machine-id, which must stay on the
 * machine (machine-id(5)), but an app-specific hash of it, keyed the way sd_id128_get_machine_app_specific is.
 */
import type { Files } from "./files.ts";
import { smallHmac } from "./small-hash.ts";

/** Salt of a node that was never told it is a clone. */
export const DEFAULT_MACHINE_ID_SALT = "foundry-agent/v1";

/** HMAC-SHA-256 with the raw id (trimmed, lower case) as key and the salt as message; 64 hex digits. */
export function machineIdOf(rawId: string, salt: string): string {
  return smallHmac(rawId.trim().toLowerCase(), salt);
}

/** The raw id of the machine, or null when it has none yet (`uninitialized`, empty, garbage, not there). */
export function readMachineId(files: Files): string | null {
  for (const path of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    const raw = files.text(path)?.toLowerCase();
    if (raw !== undefined && /^[0-9a-f]{32}$/.test(raw) && !/^0+$/.test(raw)) return raw;
  }
  return null;
}
