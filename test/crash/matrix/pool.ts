/** Processes for lives: bundled once, kept warm, given back by whoever lives to his end, replaced when killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Job } from "./types.ts";

/** What a process said, or that it is gone; `killed`: by SIGKILL. */
export type Said =
  | { readonly done: { readonly pending: number } }
  | { readonly listening: true }
  | { readonly stopped: true }
  | { readonly error: string }
  | { readonly killed: true };

export interface Life {
  /** The next thing it says. */
  next(): Promise<Said>;
  kill(): void;
  stop(): void;
  /** Of no use to this world any more; it may have another. */
  release(): void;
}

export interface Pool {
  live(job: Job): Life;
  /** So many were started so far. */
  started(): number;
  close(): void;
}

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

/** @param folder for the bundle and its compiled form */
export async function openPool(folder: string): Promise<Pool> {
  const program = `${folder}/matrix-child.cjs`;
  await build({
    entryPoints: [CHILD],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    logLevel: "warning",
  });
  const idle: Worker[] = [];
  const all = new Set<ChildProcess>();
  let started = 0;

  function start(): Worker {
    started++;
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { NODE_COMPILE_CACHE: `${folder}/compiled`, TMPDIR: process.env.TMPDIR },
      cwd: "/",
    });
    all.add(child);
    const worker: Worker = { child, heard: [], waiting: null, gone: false };
    const hear = (said: Said): void => {
      const { waiting } = worker;
      worker.waiting = null;
      if (waiting === null) worker.heard.push(said);
      else waiting(said);
    };
    child.stdin.on("error", () => undefined); // it was killed; its end says so
    createInterface({ input: child.stdout }).on("line", (line) => hear(JSON.parse(line) as Said));
    child.once("close", (code, signal) => {
      worker.gone = true;
      all.delete(child);
      hear(signal === "SIGKILL" ? { killed: true } : { error: `ended with ${code} ${signal}` });
    });
    return worker;
  }

  return {
    live(job) {
      let worker = idle.pop() ?? start();
      while (worker.gone) worker = idle.pop() ?? start();
      const { child } = worker;
      child.stdin?.write(`${JSON.stringify(job)}\n`);
      return {
        next: () =>
          new Promise((resolve) => {
            const said = worker.heard.shift();
            if (said === undefined) worker.waiting = resolve;
            else resolve(said);
          }),
        kill: () => void child.kill("SIGKILL"),
        stop: () => void child.stdin?.write('{"stop":true}\n'),
        release() {
          if (!worker.gone) idle.push(worker);
        },
      };
    },
    started: () => started,
    close() {
      for (const child of all) child.kill("SIGKILL");
    },
  };
}

interface Worker {
  readonly child: ChildProcess;
  readonly heard: Said[];
  waiting: ((said: Said) => void) | null;
  gone: boolean;
}
