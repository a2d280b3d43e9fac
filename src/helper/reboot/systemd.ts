/**
 * Having systemd do what the helper's own sandbox keeps it from (CAP_SYS_BOOT, /proc/sysrq-trigger, terminals): transient
 * units, which PID 1 runs outside of it. No signal of ours reaches those, so each carries a time-out of its own.
 */
import { randomBytes } from "node:crypto";
import { AgentError, errorCode } from "../../model/errors.ts";
import { printable, scrubSecrets } from "../../model/text/scrub.ts";
import type { Files } from "../../system/files.ts";
import type { ProgramResult } from "../../system/program.ts";
import type { OperationContext } from "../operation.ts";

const MAX_SAID_CHARS = 200;
const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * The other side may have taken the call: it was too slow to answer, or went away while it was waited for, as PID 1 does
 * when the host goes down ("D-Bus connection terminated while waiting for jobs", "Connection timed out").
 */
const UNANSWERED =
  /timed? ?out|no reply|not receive a reply|terminated|disconnected|remote peer|reset by peer|broken pipe|not connected/i;

/** A silent failure this close to the time-out of the program that waits for a unit was the unit's own time-out. */
const UNIT_MARGIN_MS = 3_000;

/** What came of trying something once. `unknown`: it may still happen. */
export interface Attempt {
  readonly said: "ok" | "no" | "unknown" | "missing";
  /** One printable line for record, journal and sentences. */
  readonly text: string;
}

/**
 * With these `systemctl reboot` goes through the firmware. Without, systemd (254 on) makes a soft-reboot of it where a
 * tree is mounted at /run/nextroot, and a kexec where a kernel is loaded: the first proves nothing, since the kernel and
 * its boot id stay; the second leaves devices and firmware as they are, which is what many reboots are for.
 */
export const FULL_REBOOT: Readonly<Record<string, string>> = {
  SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT: "1",
  SYSTEMCTL_SKIP_AUTO_KEXEC: "1",
};

/** Whether systemd is this host's PID 1, as sd_booted(3) tells. */
export function hasSystemd(files: Files): boolean {
  return files.info("/run/systemd/system")?.isDirectory === true;
}

/** Says what to do on a host that systemd does not run. */
export function noSystemd(what: string): AgentError {
  return new AgentError(
    "no_systemd",
    `this system was not started by systemd, so ${what}`,
    "where this is a container, ask the host that it runs on",
  );
}

/**
 * The argv that has PID 1 run a program and waits for its end. `oneshot`, because its start job is over when the program
 * is, with its exit code, and needs no message bus (`--wait` does). No default dependencies: they conflict with a
 * shutdown, and what has to end a shutdown that hangs must still start. systemd-run(1), systemd.service(5).
 * @param limitMs until PID 1 kills it, counted from its start
 */
export function transientUnit(
  what: string,
  limitMs: number,
  program: readonly [string, ...string[]],
  properties: readonly string[] = [],
): readonly [string, ...string[]] {
  const seconds = Math.max(1, Math.floor(limitMs / 1_000));
  const own = ["DefaultDependencies=no", `TimeoutStartSec=${seconds}s`, "TimeoutStopSec=1s", ...properties];
  return [
    ...(["systemd-run", "--quiet", "--collect"] as const),
    `--unit=foundry-agent-${what}-${randomBytes(4).toString("hex")}`,
    "--service-type=oneshot",
    ...own.flatMap((property) => ["-p", property]),
    "--",
    ...program,
  ];
}

/**
 * Run one program to its end, or to `ownMs`, the deadline, or the signal, whichever is first.
 * @param heedSignal false: what was asked for in time is listened to until it answers or its time is over. A reboot that
 * was taken ends this helper at once, often before systemctl has said so: killed then, a yes would become a doubt.
 * @throws what RunProgram throws but `program_missing` and `program_not_allowed`
 */
export async function attempt(
  context: OperationContext,
  argv: readonly [string, ...string[]],
  ownMs: number,
  heedSignal = true,
): Promise<Attempt> {
  const timeoutMs = Math.min(ownMs, context.leftMs());
  if (timeoutMs <= 0) return { said: "no", text: "not tried: its time was over" };
  let result: ProgramResult;
  try {
    result = await context.run(argv, {
      timeoutMs,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      ...(heedSignal ? { signal: context.signal } : {}),
      // systemctl takes a sandbox for a chroot, in which it does nothing and says that it is fine.
      env: { ...FULL_REBOOT, SYSTEMD_IGNORE_CHROOT: "1" },
    });
  } catch (error) {
    const code = errorCode(error);
    if (code === "program_missing") return { said: "missing", text: `${argv[0]} is not installed` };
    if (code === "program_not_allowed") return { said: "no", text: `${argv[0]} may not be run` };
    throw error;
  }
  return judged(result, timeoutMs);
}

function judged(result: ProgramResult, timeoutMs: number): Attempt {
  const { ended, status, stdout, stderr, durationMs } = result;
  const said = firstLine(`${stderr}\n${stdout}`);
  if (ended === "exited") {
    // "Running in chroot, ignoring command" comes with exit code 0.
    const isIgnored = /ignoring (?:command|request)/i.test(stderr);
    if (status === 0 && !isIgnored) return { said: "ok", text: "it said yes" };
    // systemd-run is silent about a unit that PID 1 ended for its time; a reboot(2) that hangs in the kernel is one.
    const isEndedByUnit = said === "" && durationMs >= timeoutMs - UNIT_MARGIN_MS;
    if (isEndedByUnit) return { said: "unknown", text: "it was not done in its time and was ended" };
    const text = said === "" ? `it ended with ${status} and said nothing` : said;
    return { said: UNANSWERED.test(said) ? "unknown" : "no", text };
  }
  if (ended === "timed_out")
    return { said: "unknown", text: `it gave no answer in ${Math.round(timeoutMs / 1_000)} s and was ended` };
  if (ended === "aborted")
    return {
      said: "unknown",
      text: "it was ended before it answered: its time was over, or the caller was gone",
    };
  return { said: "unknown", text: "it was ended before it answered" };
}

/** The first line that says why; a warning that names itself ignored comes before it at times. */
function firstLine(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const line = lines.find((one) => !/, ignoring/i.test(one)) ?? lines[0] ?? "";
  return scrubSecrets(printable(line)).slice(0, MAX_SAID_CHARS);
}
