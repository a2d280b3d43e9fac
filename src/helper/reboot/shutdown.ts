/**
 * Whether this host is about to go down, whoever asked for it. "Same boot as before" says nothing about a reboot as long
 * as one of these holds.
 *
 * Three places, because none knows all: `shutdown +5` is a file of logind's, a shutdown that inhibitors still delay is
 * known to logind alone, and one without logind to PID 1 alone.
 */
import type { OperationContext } from "../operation.ts";
import { hasSystemd } from "./systemd.ts";

/** Written by logind; systemd-logind.service(8), shutdown(8). */
const SCHEDULED = "/run/systemd/shutdown/scheduled";
const ASK_MS = 5_000;
const PREPARING = [
  "busctl",
  "get-property",
  "org.freedesktop.login1",
  "/org/freedesktop/login1",
  "org.freedesktop.login1.Manager",
  "PreparingForShutdown",
] as const;
/** systemctl(1), is-system-running; those that are neither `stopping` nor doubtful. */
const STAYING = new Set(["initializing", "starting", "running", "degraded", "maintenance", "offline"]);

export interface ShutdownLook {
  readonly shutdown: { readonly scheduled: boolean; readonly under_way: boolean };
  /** Why nobody could tell; `under_way` is true then. */
  readonly doubt: string | null;
}

export async function lookAtShutdown(context: OperationContext): Promise<ShutdownLook> {
  const scheduled = context.files.presence(SCHEDULED) !== "no";
  if (!hasSystemd(context.files)) return { shutdown: { scheduled, under_way: false }, doubt: null };
  const [system, logind] = await Promise.all([
    answer(context, ["systemctl", "is-system-running"]),
    answer(context, PREPARING),
  ]);
  const doubts: string[] = [];
  if (system === "no answer") doubts.push("systemctl did not answer whether the system is stopping");
  else if (system !== "missing" && system !== "stopping" && !STAYING.has(system))
    doubts.push("systemctl could not say whether the system is stopping");
  // That it fails is no doubt: there is no logind, or no bus, and PID 1 has answered for itself.
  if (logind === "no answer") doubts.push("logind did not answer whether a shutdown is being prepared");
  const under_way = system === "stopping" || logind === "b true" || doubts.length > 0;
  return { shutdown: { scheduled, under_way }, doubt: doubts.length === 0 ? null : doubts.join("; ") };
}

/** What a program printed, trimmed; `missing`, or `no answer` when it had to be ended. */
async function answer(context: OperationContext, argv: readonly [string, ...string[]]): Promise<string> {
  const { run, signal } = context;
  try {
    const { ended, stdout } = await run(argv, {
      timeoutMs: Math.min(ASK_MS, Math.max(1, context.leftMs())),
      maxOutputBytes: 4_096,
      signal,
      env: { SYSTEMD_IGNORE_CHROOT: "1" },
    });
    return ended === "exited" ? stdout.trim() : "no answer";
  } catch {
    return "missing"; // not installed, or may not be run: it has nothing to say on this host
  }
}
