/** foundry-agent as a real child process, straight from its source. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
const AS_NOBODY = fileURLToPath(new URL("./nobody.ts", import.meta.url));

export interface AgentChild {
  readonly process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when `text` is in what it wrote to either; @throws Error with all it said when it ends before. */
  said(text: string | RegExp): Promise<string>;
  /** Resolves when it is gone and its pipes are read to the end. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Put before the program: `["prlimit", "--fsize=65536"]`. */
  readonly wrapper?: readonly string[];
  /** As user nobody; only root can start it so, and only `run`. */
  readonly nobody?: boolean;
  /** Another program than the source: a bundle. */
  readonly program?: string;
}

/** Killed when the test is over, if it still runs then. */
export function startChild(args: readonly string[], options: ChildOptions = {}): AgentChild {
  const main = options.program ?? (options.nobody === true ? AS_NOBODY : MAIN);
  const [program, ...rest] = [...(options.wrapper ?? []), process.execPath, main, ...args] as [string];
  // Not what the test's own process was given: a service manager's sockets, a proxy, a coverage tool.
  const { PATH, TMPDIR, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, TMPDIR, NODE_COMPILE_CACHE, ...options.env };
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], env, cwd: "/" });
  let [stdout, stderr] = ["", ""];
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal })),
  );
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  async function said(text: string | RegExp): Promise<string> {
    const found = (): boolean =>
      [stdout, stderr].some((all) => (typeof text === "string" ? all.includes(text) : text.test(all)));
    if (found()) return stdout + stderr;
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        if (found()) resolve(stdout + stderr);
      };
      child.stdout?.on("data", look);
      child.stderr?.on("data", look);
      void ended.then(() => reject(new Error(`ended without saying ${text}: ${stdout}${stderr}`)));
    });
  }
  return { process: child, stdout: () => stdout, stderr: () => stderr, said, ended };
}
