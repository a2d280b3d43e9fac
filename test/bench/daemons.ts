/** Starts what is measured: the agent as it ships, its sandbox and node_exporter; ends them by their own pids. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "undici";
import { datagramReceiver } from "../support/net/datagram-receiver.ts";
import type { Bench } from "./bench-types.ts";
import { wait } from "./figures.ts";

export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** Milliseconds from the start of the process until it was ready. */
  readonly readyMs: number;
}

export interface RunningAgent extends Running {
  readonly statusSocket: string;
  readonly folder: string;
  /** A call of control.sock; the `data` of the answer. */
  control(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown>;
}

export interface RunningExporter extends Running {
  /** Scrape once. @returns bytes of the answer. */
  scrape(): Promise<number>;
}

export interface RunningSandbox extends Running {
  readonly url: string;
  readonly testKey: string;
}

const READY_WITHIN_MS = 20_000;
const POLL_MS = 1;

/** @param pid the process to ask, where it is not the child itself but the one that the child wraps. */
async function end(child: ChildProcess, pid = child.pid ?? 0): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  process.kill(pid, "SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await once(child, "exit");
  clearTimeout(killer);
}

/** Ask again and again until it is so. @throws Error when the process ends or takes too long. */
async function until(
  child: ChildProcess,
  what: string,
  ready: () => boolean | Promise<boolean>,
): Promise<number> {
  const from = performance.now();
  while (!(await ready())) {
    if (child.exitCode !== null) throw new Error(`${what} ended with ${child.exitCode} before it was ready`);
    if (performance.now() - from > READY_WITHIN_MS) throw new Error(`${what} does not get ready`);
    await wait(POLL_MS);
  }
  return performance.now() - from;
}

/**
 * The agent with a state folder of its own.
 * @param toml more lines for its configuration
 * @param wrapper a program in front of it (strace), with its arguments
 * @param kept the folder of an earlier one, which stays afterwards; else a fresh one that goes
 */
export async function startAgent(
  bench: Bench,
  toml = "",
  wrapper: readonly string[] = [],
  kept: string | null = null,
): Promise<RunningAgent> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), "foundry-bench-"));
  const config = join(folder, "config.toml");
  const head = `[agent]\nstate_dir = "${folder}/state"\nrun_dir = "${folder}"\nlog_level = "warn"\n`;
  writeFileSync(config, `${head}${toml}`, { mode: 0o600 });
  // "Ready" is what systemd would be told.
  rmSync(join(folder, "notify"), { force: true });
  const receiver = datagramReceiver(join(folder, "notify"));
  const env = { PATH: process.env.PATH, NOTIFY_SOCKET: join(folder, "notify") };
  const command = [...wrapper, ...bench.agent, "run", "--config", config];
  const child = start(bench, command, { env, stdio: ["ignore", "ignore", "inherit"] });
  try {
    const readyMs = await until(child, "the agent", () => receiver.next() === "READY=1");
    const client = new Client("http://localhost", { socketPath: join(folder, "control.sock") });
    // Whoever wraps it has it as the one child, which outlives it.
    const pid = wrapper.length === 0 ? (child.pid ?? 0) : onlyChild(child.pid ?? 0);
    bench.started.add(pid);
    const drain = setInterval(() => {
      while (receiver.next() !== null);
    }, 500);
    return {
      pid,
      readyMs,
      folder,
      statusSocket: join(folder, "status.sock"),
      async control(method, path, body) {
        const headers = body === undefined ? {} : { "content-type": "application/json" };
        const answer = await client.request({
          method,
          path,
          headers,
          body: body === undefined ? null : JSON.stringify(body),
        });
        const parsed = (await answer.body.json()) as { data?: unknown; error?: { message: string } };
        if (parsed.error !== undefined) throw new Error(`${method} ${path}: ${parsed.error.message}`);
        return parsed.data;
      },
      async [Symbol.asyncDispose]() {
        clearInterval(drain);
        await client.close();
        await end(child, pid);
        bench.started.delete(pid);
        receiver.close();
        if (kept === null) rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await end(child);
    receiver.close();
    throw error;
  }
}

function onlyChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ")[0]);
}

/** A process that ends with the bench. */
function start(bench: Bench, command: readonly string[], options: SpawnOptions): ChildProcess {
  const [program = "", ...args] = command;
  const child = spawn(program, args, options);
  const { pid } = child;
  if (pid !== undefined) {
    bench.started.add(pid);
    child.on("exit", () => bench.started.delete(pid));
  }
  return child;
}

export async function startSandbox(bench: Bench): Promise<RunningSandbox> {
  const from = performance.now();
  const child = start(bench, [...bench.agent, "sandbox", "--json"], { stdio: ["ignore", "pipe", "ignore"] });
  if (child.stdout === null) throw new Error("the sandbox has no output");
  const [line] = await once(createInterface(child.stdout), "line");
  const { url, keys } = JSON.parse(String(line)) as { url: string; keys: { test: string } };
  const readyMs = performance.now() - from;
  return { pid: child.pid ?? 0, readyMs, url, testKey: keys.test, [Symbol.asyncDispose]: () => end(child) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

/** node_exporter with its default collectors, on loopback. */
export async function startExporter(bench: Bench, program: string): Promise<RunningExporter> {
  const port = await freePort();
  const child = start(bench, [program, `--web.listen-address=127.0.0.1:${port}`], { stdio: "ignore" });
  const client = new Client(`http://127.0.0.1:${port}`);
  const answers = async (path: string): Promise<number> => {
    const answer = await client.request({ method: "GET", path });
    return (await answer.body.arrayBuffer()).byteLength;
  };
  const readyMs = await until(child, "node_exporter", () =>
    answers("/").then(
      () => true,
      () => false,
    ),
  );
  return {
    pid: child.pid ?? 0,
    readyMs,
    scrape: () => answers("/metrics"),
    async [Symbol.asyncDispose]() {
      await client.close();
      await end(child);
    },
  };
}
