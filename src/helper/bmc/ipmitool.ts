/**
 * Runs ipmitool, one at a time and never for long: BMCs hang, and a pile of hung processes makes it worse.
 * All commands of one reading share one budget of 25 s; after the first hang nothing more is asked.
 *
 * In-band through /dev/ipmi0 this is the helper's work. Out of band it needs no root but the network, which
 * the helper does not have, so the main process does it itself, and only where the configuration says so.
 */
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";
import type { ProgramResult, RunProgram } from "../../system/program.ts";

export const BMC_BUDGET_MS = 25_000;
const MAX_OUTPUT_BYTES = 512 * 1024;
/** What ipmitool says for an absent host, a closed port and a wrong password alike. */
const NO_SESSION = /unable to establish|open session|get session|rakp|address lookup|password/i;
const DEVICES = ["/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"];

/** A BMC over the network. The password is in a file that ipmitool opens: never in argv, never in the environment. */
export interface LanTarget {
  readonly host: string;
  readonly port: number | null;
  readonly user: string;
  readonly passwordFile: string;
}

export interface IpmitoolAnswer {
  readonly stdout: string;
  /** For telling cases apart only; never handed on. */
  readonly stderr: string;
  readonly ok: boolean;
  readonly hung: boolean;
}

export type Ipmitool = (...command: readonly string[]) => Promise<IpmitoolAnswer>;

/** What `readBmc…` is given. */
export interface IpmitoolOptions {
  readonly run: RunProgram;
  readonly signal: AbortSignal;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** null: in-band. */
  readonly target: LanTarget | null;
  /** Milliseconds for all its commands together; `BMC_BUDGET_MS` if not given. */
  readonly budgetMs?: number;
}

/**
 * A runner with a budget of its own. It answers `hung` without running anything once one command hung.
 * @throws AgentError `bmc_ipmitool_missing`, `bmc_not_allowed`, `bmc_failed`
 */
export function openIpmitool(options: IpmitoolOptions): Ipmitool {
  const until = options.now() + (options.budgetMs ?? BMC_BUDGET_MS);
  let hung = false;
  // Cipher suite 17 (SHA-256) first; BMCs from before 2014 know 3 only.
  let cipher = "17";

  async function once(command: readonly string[]): Promise<IpmitoolAnswer> {
    const timeoutMs = until - options.now();
    if (hung || timeoutMs < 1_000 || options.signal.aborted)
      return { stdout: "", stderr: "", ok: false, hung: true };
    const argv = ["ipmitool", ...targetArguments(options.target, cipher), ...command] as [
      string,
      ...string[],
    ];
    const result = await start(options, argv, timeoutMs);
    hung = result.ended === "timed_out" || result.ended === "aborted";
    return {
      stdout: result.stdout,
      stderr: result.stderr,
      ok: result.ended === "exited" && result.status === 0,
      hung,
    };
  }

  return async (...command) => {
    const answer = await once(command);
    if (options.target === null || cipher === "3" || !isCipherRefused(answer)) return answer;
    cipher = "3";
    return await once(command);
  };
}

async function start(
  options: IpmitoolOptions,
  argv: [string, ...string[]],
  timeoutMs: number,
): Promise<ProgramResult> {
  try {
    return await options.run(argv, {
      timeoutMs,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal: options.signal,
      // Times of the log as the BMC has them, not shifted by this host's zone.
      env: { TZ: "UTC" },
    });
  } catch (error) {
    throw notStarted(error);
  }
}

function notStarted(error: unknown): unknown {
  const code = errorCode(error);
  if (code === "program_missing")
    return new AgentError(
      "bmc_ipmitool_missing",
      "The program ipmitool is not installed",
      "apt-get install ipmitool",
      {
        cause: error,
      },
    );
  if (code === "program_not_allowed")
    return new AgentError(
      "bmc_not_allowed",
      "The program ipmitool may not be run by this user",
      "ls -l /usr/bin/ipmitool",
      {
        cause: error,
      },
    );
  return error;
}

function isCipherRefused({ ok, stderr }: IpmitoolAnswer): boolean {
  return !ok && /invalid (?:authentication|integrity|confidentiality) algorithm|cipher suite/i.test(stderr);
}

function targetArguments(target: LanTarget | null, cipher: string): string[] {
  if (target === null) return [];
  const port = target.port === null ? [] : ["-p", String(target.port)];
  return [
    ...["-I", "lanplus", "-H", target.host],
    ...port,
    ...["-U", target.user, "-f", target.passwordFile, "-C", cipher],
  ];
}

/**
 * Before ipmitool is asked: without rights it says "No such file or directory" like without the device.
 * @throws AgentError `bmc_device_missing`, `bmc_not_allowed`
 */
export function checkDevice(files: Files): void {
  const seen = DEVICES.map((path) => deviceState(files, path));
  if (seen.includes("usable")) return;
  if (seen.includes("denied"))
    throw new AgentError(
      "bmc_not_allowed",
      "/dev/ipmi0 may not be opened by this process",
      "systemctl cat foundry-agent-helper.service; ls -l /dev/ipmi0",
    );
  throw new AgentError(
    "bmc_device_missing",
    "There is no /dev/ipmi0, though the kernel knows a BMC",
    "modprobe ipmi_devintf && echo ipmi_devintf > /etc/modules-load.d/ipmi.conf",
  );
}

function deviceState(files: Files, path: string): "usable" | "denied" | "missing" {
  try {
    files.read(path, 1);
    return "usable";
  } catch (error) {
    const code = errorCode(error);
    if (code === "EACCES" || code === "EPERM") return "denied";
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENXIO" || code === "ENODEV") return "missing";
    return "usable"; // opened: the driver has no read(), which is EINVAL
  }
}

/**
 * Why nothing of an answer could be used.
 * @returns AgentError `bmc_hang`, `bmc_device_missing`, `bmc_unreachable` (out of band), `bmc_no_answer`
 */
export function noAnswer(answer: IpmitoolAnswer, target: LanTarget | null): AgentError {
  if (answer.hung)
    return new AgentError(
      "bmc_hang",
      "The BMC did not answer within 25 s",
      "ipmitool mc reset cold  # restarts the BMC, not this host",
    );
  if (target !== null && NO_SESSION.test(answer.stderr))
    return new AgentError(
      "bmc_unreachable",
      `The BMC at ${target.host} can't be reached, or refuses the login`,
      `ipmitool -I lanplus -H ${target.host} -U ${target.user} -f ${target.passwordFile} mc info`,
    );
  if (/could not open device/i.test(answer.stderr))
    return new AgentError(
      "bmc_device_missing",
      "The program ipmitool can't open /dev/ipmi0",
      "modprobe ipmi_devintf && echo ipmi_devintf > /etc/modules-load.d/ipmi.conf",
    );
  return new AgentError("bmc_no_answer", "The BMC gave no usable answer", "ipmitool mc info");
}
