/**
 * Running another program: an argv array, never a shell; its own process group, so that children of a
 * child die with it; a time limit, a kill and an output cap on each. A non-zero exit is a result, not an
 * error: many tools of the trade (smartctl, ipmitool) say something useful and exit with 4.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { AgentError, errorCode } from "../model/errors.ts";
import { monotonic } from "./clock.ts";

export interface ProgramOptions {
  /** Milliseconds until the whole process group gets SIGKILL. */
  readonly timeoutMs: number;
  /** More standard output than this ends the program; this much of it is kept. Default 1 MiB. */
  readonly maxOutputBytes?: number;
  /** Ends the program at once; one that has fired already lets nothing start. */
  readonly signal?: AbortSignal;
  /** Given on standard input, which is closed afterwards; secrets belong here and never into `argv`. */
  readonly input?: string;
  /** Besides PATH and LC_ALL=C, which are always there; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ProgramResult {
  /** Exit code, or null when a signal ended it or it never ended. */
  readonly status: number | null;
  /** `exited`: by itself. The others say why it was killed. */
  readonly ended: "exited" | "killed" | "timed_out" | "too_much_output" | "aborted";
  readonly stdout: string;
  /** The first 8 KiB. */
  readonly stderr: string;
  readonly durationMs: number;
  /**
   * Null when it is gone. A process in uninterruptible sleep (a sick drive) outlives SIGKILL: then this
   * resolves when the kernel lets go of it, which may be never.
   */
  readonly lingering: Promise<void> | null;
}

export type RunProgram = (
  argv: readonly [string, ...string[]],
  options: ProgramOptions,
) => Promise<ProgramResult>;

const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_STDERR_BYTES = 8 * 1024;
/** What SIGKILL takes on a process that can be killed, with room to spare. */
const KILL_GRACE_MS = 1_000;
/** An unprivileged user's PATH has no sbin, where smartctl and ipmitool live. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Run `argv` to its end.
 * @throws AgentError `program_missing` (not installed), `program_not_allowed` (not executable for this user),
 * `program_failed` (the system could not start it).
 */
export const runProgram: RunProgram = (argv, options) => {
  const [program, ...args] = argv;
  const started = monotonic();
  if (options.signal?.aborted)
    return Promise.resolve({
      status: null,
      ended: "aborted",
      stdout: "",
      stderr: "",
      durationMs: 0,
      lingering: null,
    });
  return new Promise((resolve, reject) => {
    const child = start(program, args, options);
    const stdout = collector(options.maxOutputBytes ?? MAX_OUTPUT_BYTES, () => kill("too_much_output"));
    const stderr = collector(MAX_STDERR_BYTES, () => undefined);
    let why: ProgramResult["ended"] | null = null;
    let grace: NodeJS.Timeout | undefined;
    const gone = Promise.withResolvers<void>();
    const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;

    /** @param closed whether its pipes are read to their end */
    function finish(closed: boolean): void {
      clearTimeout(limit);
      clearTimeout(grace);
      options.signal?.removeEventListener("abort", onAbort);
      if (!closed) letGoOf(child);
      resolve({
        status: child.exitCode,
        ended: why ?? (child.exitCode === null ? "killed" : "exited"),
        stdout: stdout.text(),
        stderr: stderr.text(),
        durationMs: monotonic() - started,
        lingering: isGone() ? null : gone.promise,
      });
    }
    function kill(reason: ProgramResult["ended"]): void {
      if (why !== null || child.pid === undefined) return;
      // Once it has ended by itself only its pipes are waited for; that output was cut must be told all the same.
      if (isGone() && reason !== "too_much_output") return;
      why = reason;
      if (isGone()) return;
      killGroup(child.pid);
      grace = setTimeout(finish, KILL_GRACE_MS, false);
    }
    const onAbort = (): void => kill("aborted");
    const limit = setTimeout(() => kill("timed_out"), options.timeoutMs);

    child.stdout?.on("data", stdout.take);
    child.stderr?.on("data", stderr.take);
    // A child that does not read its input breaks the pipe; its exit says what it thought of it.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input);
    child.once("error", (error) => {
      clearTimeout(limit);
      options.signal?.removeEventListener("abort", onAbort);
      reject(notStarted(program, error));
    });
    child.once("exit", () => {
      // Whatever it left behind in its group, also when it ended by itself; it may hold our pipes open.
      if (child.pid !== undefined) killGroup(child.pid);
      gone.resolve();
      // What left the group too (a daemon) can hold them for ever: it is not waited for.
      grace ??= setTimeout(finish, KILL_GRACE_MS, false);
    });
    child.once("close", () => finish(true));
    options.signal?.addEventListener("abort", onAbort, { once: true });
  });
};

/** @throws AgentError `program_failed` for what can't even be tried (a NUL in an argument, too long a list) */
function start(program: string, args: readonly string[], options: ProgramOptions): ChildProcess {
  try {
    return spawn(program, args, {
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true,
      env: { ...options.env, PATH: pathOf(process.env.PATH), LC_ALL: "C" },
    });
  } catch (error) {
    throw notStarted(program, error);
  }
}

function collector(cap: number, onFull: () => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    take(chunk: Buffer): void {
      if (size > cap) return;
      chunks.push(chunk.subarray(0, cap - size));
      size += chunk.length;
      if (size > cap) onFull();
    },
    text: (): string => Buffer.concat(chunks).toString("utf8"),
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Gone already, or (a set-uid program run without rights) not ours to kill.
    if (!["ESRCH", "EPERM"].includes(errorCode(error))) throw error;
  }
}

/** What can't be killed, or holds our pipes, must not keep this process alive. */
function letGoOf(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}

function pathOf(path: string | undefined): string {
  return path === undefined || path === "" ? SYSTEM_PATH : `${path}:${SYSTEM_PATH}`;
}

function notStarted(program: string, error: unknown): AgentError {
  const code = errorCode(error);
  if (code === "ENOENT" || (code === "EACCES" && isNowhere(program)))
    return new AgentError("program_missing", `${program} is not installed`, null, { cause: error });
  if (code === "EACCES" || code === "EPERM")
    return new AgentError("program_not_allowed", `${program} may not be run by this user`, null, {
      cause: error,
    });
  return new AgentError("program_failed", `${program} could not be started (${code})`, null, {
    cause: error,
  });
}

/** A folder of PATH that this user may not search makes "not found" look like "not allowed" (execvp(3)). */
function isNowhere(program: string): boolean {
  if (program.includes("/")) return false;
  return !pathOf(process.env.PATH)
    .split(":")
    .some((folder) => existsSync(`${folder}/${program}`));
}
