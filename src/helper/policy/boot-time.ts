/** The only clock the helper's limits go by: which boot this is, and how long the host has been on in it. */
import { AgentError } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";

/** Which boot this is and for how long it has lasted. */
export interface BootTime {
  readonly bootId: string;
  readonly uptimeMs: number;
}

/** @throws AgentError `record_unusable` where the kernel does not tell */
export function bootTime(files: Files): BootTime {
  const bootId = files.text("/proc/sys/kernel/random/boot_id");
  const uptime = Number(files.text("/proc/uptime")?.split(" ")[0] ?? Number.NaN);
  if (bootId === null || !Number.isFinite(uptime))
    throw new AgentError(
      "record_unusable",
      "boot id or uptime can't be read, so nobody can say when something was done last",
      "ls -l /proc/uptime /proc/sys/kernel/random/boot_id",
    );
  return { bootId, uptimeMs: Math.round(uptime * 1_000) };
}
