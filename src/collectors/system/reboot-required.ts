/** Whether the machine wants to be rebooted: because it was asked to, or because another kernel waits to run. */
import type { Files } from "../../system/files.ts";
import {
  type InstalledKernel,
  installedAt,
  installedKernels,
  isRebuilt,
  newerKernel,
  pinnedKernel,
  type RunningKernel,
  type System,
} from "./kernel/installed.ts";
import type { RebootRequired } from "./schema.ts";

const MARKER = "/run/reboot-required";
const MAX_PACKAGES = 64;

export interface RebootLook {
  /** null: a container, which does not boot a kernel of its own. */
  readonly running: RunningKernel | null;
  readonly system: System | null;
  /** Milliseconds since the epoch; null: not known. */
  readonly bootTime: number | null;
  readonly now: number;
}

/** Debian's and Ubuntu's marker (with the packages that asked for it), and installed kernels of the running one's line. */
export function readRebootRequired(files: Files, look: RebootLook): RebootRequired {
  const { bootTime, now } = look;
  const since: number[] = [];
  const reasons: RebootRequired["reasons"] = [];
  const marker = files.info(MARKER);
  if (marker !== null) {
    reasons.push("marker");
    since.push(Math.max(marker.mtimeMs, bootTime ?? marker.mtimeMs));
  }
  const packages =
    marker === null
      ? []
      : parsePackages(files.info(`${MARKER}.pkgs`) === null ? "" : (files.text(`${MARKER}.pkgs`) ?? ""));
  const kernels = look.running === null ? NOT_LOOKED : lookAtKernels(files, look, look.running);
  if (kernels.reason !== null) reasons.push(kernels.reason);
  const waits = kernels.waits === null ? null : installedAt(files, kernels.waits, [bootTime, now]);
  if (waits !== null) since.push(waits);
  return {
    required: reasons.length > 0 ? true : kernels.looked ? false : null,
    since: since.length === 0 ? null : new Date(Math.min(...since)).toISOString(),
    reasons,
    packages,
    newest_kernel: kernels.reason === "kernel" ? (kernels.waits?.release ?? null) : null,
  };
}

interface Kernels {
  readonly looked: boolean;
  readonly reason: "kernel" | "kernel_rebuilt" | null;
  readonly waits: InstalledKernel | null;
}

const NOT_LOOKED: Kernels = { looked: false, reason: null, waits: null };

function lookAtKernels(files: Files, { system, bootTime, now }: RebootLook, running: RunningKernel): Kernels {
  const installed = installedKernels(files);
  const pinned = pinnedKernel(files, running, installed);
  const { looked, newest } =
    pinned === null
      ? newerKernel(files, running, installed, system)
      : { looked: true, newest: pinned.release === running.release ? null : pinned };
  if (newest !== null) return { looked, reason: "kernel", waits: newest };
  const own = installed.find(({ release }) => release === running.release);
  const rebuilt = own === undefined ? false : isRebuilt(files, running, own.path, [bootTime, now]);
  if (rebuilt === null) return NOT_LOOKED;
  return rebuilt && own !== undefined
    ? { looked, reason: "kernel_rebuilt", waits: own }
    : { looked, reason: null, waits: null };
}

/** One name a line, repeated when a package asked more than once. */
export function parsePackages(text: string): string[] {
  const names = text
    .split("\n", 1000)
    .map((line) => line.trim())
    .filter((line) => /^[A-Za-z0-9][A-Za-z0-9+.:_-]{0,100}$/.test(line));
  return [...new Set(names)].sort().slice(0, MAX_PACKAGES);
}
