/**
 * `systemd.look`: what PID 1 knows of how the host came up and nobody can read from a file: which units have failed,
 * whether it still starts, and when the present userspace began. A soft-reboot (systemd 254 on) ends all processes but
 * PID 1 and starts them anew under the same kernel, so there the boot id says nothing and this moment all.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import type { Operation, OperationContext } from "../operation.ts";
import { hasSystemd, noSystemd } from "../reboot/systemd.ts";

export interface SystemdLook {
  /** systemctl(1), is-system-running: `starting`, `running`, `degraded`, …; null: not said. */
  readonly state: string | null;
  /** When the present userspace began, milliseconds of CLOCK_MONOTONIC; null: not said. */
  readonly userspace_started_ms: number | null;
  /** Names of units that have failed, or are started again and again; at most 200. */
  readonly failed: readonly string[];
}

const ASK_MS = 5_000;
const MAX_FAILED = 200;
const MAX_OUTPUT_BYTES = 256 * 1024;
/** Longest name of a unit, systemd.unit(5). */
const MAX_NAME = 256;

/** @throws AgentError (on perform) `no_systemd`, `program_missing`, `systemd_silent` */
export const systemdLook: Operation<Record<string, never>, SystemdLook> = {
  name: "systemd.look",
  args: v.strictObject({}) as Operation<Record<string, never>>["args"],
  timeoutMs: 15_000,
  policy: null,
  lanes: () => [{ name: "systemd", limit: 1 }],
  async perform(_args, context) {
    if (!hasSystemd(context.files)) throw noSystemd("its units can't be asked for");
    const [manager, units] = await Promise.all([
      asked(context, ["systemctl", "show", "--property=SystemState,UserspaceTimestampMonotonic"]),
      asked(context, [
        ...(["systemctl", "list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager"] as const),
        "--state=failed,auto-restart",
      ]),
    ]);
    return { ...parseManager(manager), failed: parseUnits(units) };
  },
};

/** `KEY=value` lines of `systemctl show`. Pure. */
export function parseManager(text: string): Omit<SystemdLook, "failed"> {
  const fields = new Map(text.split("\n").map((line) => line.split("=", 2) as [string, string]));
  const state = fields.get("SystemState") ?? "";
  const started = Number(fields.get("UserspaceTimestampMonotonic") ?? "");
  return {
    state: /^[a-z]{1,32}$/.test(state) ? state : null,
    userspace_started_ms: Number.isFinite(started) && started > 0 ? Math.round(started / 1_000) : null,
  };
}

/** The first column of `systemctl list-units --plain`. Pure. */
export function parseUnits(text: string): string[] {
  return text
    .split("\n")
    .map((line) => printable(line.trim().split(/\s+/, 1)[0] ?? "").slice(0, MAX_NAME))
    .filter((name) => name !== "")
    .slice(0, MAX_FAILED);
}

async function asked(context: OperationContext, argv: readonly [string, ...string[]]): Promise<string> {
  const { ended, status, stdout } = await context.run(argv, {
    timeoutMs: Math.min(ASK_MS, Math.max(1, context.leftMs())),
    maxOutputBytes: MAX_OUTPUT_BYTES,
    signal: context.signal,
    env: { SYSTEMD_IGNORE_CHROOT: "1", SYSTEMD_COLORS: "0" },
  });
  if (ended !== "exited" || status !== 0)
    throw new AgentError(
      "systemd_silent",
      `${argv.slice(0, 2).join(" ")} gave no answer that can be used`,
      "systemctl is-system-running",
    );
  return stdout;
}
