/**
 * What a boot id does not tell: a soft-reboot ends every process but PID 1 and starts them anew under the kernel that
 * runs; a suspended host goes on where it was. Both keep the boot id, and neither is a reboot.
 */

/** How far the clocks that are compared may be apart: both are read in a program's own time. */
const SLACK_MS = 1_000;

/**
 * Whether the present userspace began after a moment: a soft-reboot was done since. systemd before 254 has none.
 * @param answer of the helper's `systemd.look`; what can't be read of it says nothing
 * @param sinceMs of CLOCK_MONOTONIC, as systemd counts
 */
export function userspaceIsNew(answer: unknown, sinceMs: number): boolean {
  const { userspace_started_ms } = (answer ?? {}) as { userspace_started_ms?: unknown };
  return typeof userspace_started_ms === "number" && userspace_started_ms > sinceMs;
}

/**
 * How long the host was suspended or hibernated since its boot: what CLOCK_BOOTTIME counted and CLOCK_MONOTONIC did not.
 * @param uptimeMs /proc/uptime, which counts it; null: not known
 * @param monotonicMs read in the same moment
 */
export function suspendedMs(uptimeMs: number | null, monotonicMs: number): number | null {
  if (uptimeMs === null) return null;
  const apart = Math.round(uptimeMs - monotonicMs);
  return apart < SLACK_MS ? 0 : apart;
}
