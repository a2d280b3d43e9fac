/**
 * Running smartctl: what its ways to end mean. A drive that never answers keeps its process in the kernel
 * where SIGKILL can't reach it; whoever carries the operation out keeps the lane of that drive taken then.
 */
import { AgentError } from "../../model/errors.ts";
import type { ProgramResult } from "../../system/program.ts";
import type { OperationContext } from "../operation.ts";

/** smartctl -x of a large drive is some 100 KiB. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * @param subject what it asks, for sentences: `/dev/sda`, `a drive`
 * @returns stdout and the exit status of a smartctl that ended by itself
 * @throws AgentError `drive_hangs`, `smartctl_endless`, `smartctl_killed`, `smartctl_missing`, `smartctl_not_allowed`,
 * `aborted`, or what RunProgram throws
 */
export async function runSmartctl(
  context: OperationContext,
  subject: string,
  args: readonly string[],
  timeoutMs: number,
  onLingering?: (gone: Promise<void>) => void,
): Promise<{ stdout: string; status: number }> {
  let result: ProgramResult;
  try {
    result = await context.run(["smartctl", ...args], {
      timeoutMs,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal: context.signal,
    });
  } catch (error) {
    throw notStarted(error);
  }
  if (result.lingering !== null) onLingering?.(result.lingering);
  switch (result.ended) {
    case "exited":
      return { stdout: result.stdout, status: result.status ?? 0 };
    case "timed_out":
      throw hangs(subject, `smartctl was not done within ${Math.round(timeoutMs / 1000)} s`);
    case "too_much_output":
      throw failed("smartctl_endless", "printed more than 1 MiB and was ended");
    case "aborted":
      // The call's deadline and a hung drive are the same thing seen from two sides.
      throw result.lingering === null
        ? failed("aborted", "was ended before it was done")
        : hangs(subject, "smartctl can't be ended");
    default:
      throw failed("smartctl_killed", "was killed by the system", "journalctl -k | tail");
  }
}

function hangs(subject: string, why: string): AgentError {
  return new AgentError(
    "drive_hangs",
    `${subject} does not answer: ${why}`,
    `journalctl -k | grep ${/\/dev\/([a-z0-9]+)/.exec(subject)?.[1] ?? "ata"}  # its errors`,
  );
}

function notStarted(error: unknown): unknown {
  if (!(error instanceof AgentError)) return error;
  if (error.code === "program_missing")
    return failed("smartctl_missing", "is not installed", "apt install smartmontools", error);
  if (error.code === "program_not_allowed")
    return failed("smartctl_not_allowed", "may not be run", "ls -l /usr/sbin/smartctl", error);
  return error;
}

function failed(code: string, what: string, nextStep: string | null = null, cause?: unknown): AgentError {
  return new AgentError(code, `the program smartctl ${what}`, nextStep, { cause });
}
