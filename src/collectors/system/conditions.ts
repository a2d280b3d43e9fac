/** What can be wrong with the section `system`. */
import type { ConditionDraft } from "../../model/condition.ts";
import type { LastBoot, System } from "./schema.ts";

/** A time service needs a while after a boot; before this no word about it. */
const CLOCK_GRACE_S = 600;

/** How each time service says what it does. */
const CLOCK_STEPS: Readonly<Record<string, string>> = { chrony: "chronyc tracking", ntpd: "ntpq -p" };

const CAUSES: Partial<Record<NonNullable<LastBoot["cause"]>, string>> = {
  kernel_panic: "a kernel panic",
  watchdog: "the hardware watchdog",
  overheat: "overheating",
  under_voltage: "a power supply that gave too little voltage",
  over_voltage: "a power supply that gave too much voltage",
};

export function systemConditions(data: System): ConditionDraft[] {
  const found: ConditionDraft[] = [];
  if (data.hostname_cut)
    found.push({
      code: "hostname_too_long",
      severity: "warning",
      text: "The host name is longer than 253 characters and is reported cut.",
      nextStep: "give it a shorter name with hostnamectl set-hostname",
    });
  if (data.machine_id === null)
    found.push({
      code: "machine_id_missing",
      severity: "warning",
      text: "This machine has no valid /etc/machine-id, so it can't be told from others.",
      nextStep: "systemd-machine-id-setup",
    });
  if (data.clock.synchronised === false && (data.uptime_s ?? 0) >= CLOCK_GRACE_S)
    found.push({
      code: "clock_unsynchronised",
      severity: "warning",
      text: "The clock is not synchronised with a time server.",
      nextStep: CLOCK_STEPS[data.clock.source ?? ""] ?? "timedatectl timesync-status",
    });
  if (data.reboot_required.required === true) found.push(rebootCondition(data));
  const cause = data.last_boot.cause === null ? undefined : CAUSES[data.last_boot.cause];
  if (cause !== undefined)
    found.push({
      code: "last_boot_abnormal",
      severity: "warning",
      text: `The last boot was caused by ${cause}.`,
      nextStep: "journalctl -b -1 -p warning",
    });
  if ((data.last_boot.kernel_dumps ?? 0) > 0)
    found.push({
      code: "kernel_dumps_kept",
      severity: "info",
      text: "The firmware keeps crash records of the kernel, which use up its little space.",
      nextStep: "ls -l /sys/fs/pstore",
    });
  return found;
}

function rebootCondition({ reboot_required: { newest_kernel, packages, reasons } }: System): ConditionDraft {
  const kernel = newest_kernel === null ? "" : `: kernel ${newest_kernel} is installed but does not run`;
  const named = packages.slice(0, 3).join(", ");
  const more = packages.length > 3 ? ` and ${packages.length - 3} more` : "";
  const asked = packages.length === 0 ? "" : `: ${named}${more} asked for it`;
  const anew = ": the kernel that runs was installed anew, and the new one does not run";
  const why = reasons.includes("kernel") ? kernel : reasons.includes("kernel_rebuilt") ? anew : asked;
  return {
    code: "reboot_required",
    severity: "info",
    text: `A reboot is required${why}.`,
    nextStep:
      "foundry-agent reboot --dry-run  # what stands in its way; without --dry-run it is done, once and proven",
  };
}
