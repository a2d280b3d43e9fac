/**
 * What may be missing when the agent starts and be there a minute later: at a boot everything starts at once, and a
 * package may be set up before the one it looks for. Such an absence is not yet known for that long: no alarm and no
 * event. What has failed, or is about to, is told at once, and so is what was told before the start already.
 */

/** From the agent's start, milliseconds. */
export const SETTLE_MS = 60_000;

/** By condition: what is not yet known, as the end of "not yet known: …". */
// biome-ignore format: a table is read by its columns
const SETTLING: Readonly<Record<string, string>> = {
  bmc_device_missing:    "whether the BMC can be asked",
  bmc_half_answer:       "whether the BMC answers",
  bmc_ipmitool_missing:  "whether ipmitool is installed",
  bmc_no_answer:         "whether the BMC answers",
  bmc_unreachable:       "whether the BMC can be reached",
  bond_degraded:         "whether all links of a bond are up",
  clock_unsynchronised:  "whether a time server sets the clock",
  clock_wrong:           "what time it is",
  drive_path_offline:    "whether all paths to the drives are up",
  helper_unavailable:    "whether the helper answers",
  interface_missing:     "whether all network devices are there",
  link_lost:             "whether all links are up",
  lldp_failed:           "whether lldpd answers",
  lldp_not_running:      "whether lldpd runs",
  raid_inactive:         "whether all RAID arrays are put together",
  reporting_failed:      "whether reports get through",
  smartctl_missing:      "whether smartctl is installed",
};

/** Of these an end says that whoever is missed has answered: gone after that, he is not one who only starts. */
export const ANSWERED: ReadonlySet<string> = new Set(["helper_unavailable", "reporting_failed"]);

/** What is not yet known while a condition settles; null: this one is told at once. */
export function unknownWhile(code: string): string | null {
  return Object.hasOwn(SETTLING, code) ? (SETTLING[code] ?? null) : null;
}
