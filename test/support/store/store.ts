/** Stores for tests: a clock that is set by hand, drafts, and a store in a child process of another user. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { EventDraft } from "../../../src/model/event.ts";
import { openStore, type StoreOptions } from "../../../src/store/store.ts";
import type { Store, StoredCommand } from "../../../src/store/types.ts";
import type { Clock } from "../../../src/system/clock.ts";

export const START = 1_790_000_000_000;

export interface HandClock extends Clock {
  forward(ms: number): number;
  /** The wall clock alone. */
  set(now: number): void;
}

export function handClock(start = START): HandClock {
  let now = start;
  let monotonic = 1_000;
  return {
    now: () => now,
    monotonic: () => monotonic,
    forward(ms) {
      now += ms;
      monotonic += ms;
      return now;
    },
    set(to) {
      now = to;
    },
  };
}

/** Closed when the test is over. */
export function testStore(folder: string, options: Partial<StoreOptions> = {}): Store {
  const store = openStore(folder, { clock: handClock(), ...options });
  onTestFinished(() => store.close());
  return store;
}

export function info(n: number | string = 0, data: Record<string, unknown> = {}): EventDraft {
  return { type: "test.info", severity: "info", data: { n, ...data } };
}

export function warning(n: number | string = 0, data: Record<string, unknown> = {}): EventDraft {
  return { type: "test.warning", severity: "warning", data: { n, ...data } };
}

export function error(n: number | string = 0, data: Record<string, unknown> = {}): EventDraft {
  return { type: "test.error", severity: "error", data: { n, ...data } };
}

export function commandState(id: string, state: string): EventDraft {
  return { type: "command.state", severity: "info", data: { command_id: id, state } };
}

export function storedCommand(id: string, more: Partial<StoredCommand> = {}): StoredCommand {
  return {
    id,
    source: "nodefoundry",
    epoch: "e1",
    type: "reboot",
    state: "received",
    receivedAt: START,
    command: JSON.stringify({ id, type: "reboot", params: {} }),
    error: null,
    seq: null,
    progress: null,
    ...more,
  };
}

/** The `n` of each event. */
export function numbers(events: readonly { data: Readonly<Record<string, unknown>> }[]): unknown[] {
  return events.map((event) => event.data.n);
}

export interface StoreChild {
  readonly process: ChildProcessWithoutNullStreams;
  /** Evaluates one call on the child's store: `["values.set", "ns", "key", "value"]` or a method of Store. */
  call(method: string, ...args: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** A store in a process of its own: as `nobody` when we are root, for whom no mode of a folder counts. */
export function storeChild(folder: string): StoreChild {
  const program = fileURLToPath(new URL("./child.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: ["pipe", "pipe", "pipe"], cwd: "/" });
  onTestFinished(() => void child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as { ok?: unknown; error?: { code: string; message: string } };
    const next = waiting.shift();
    if (answer.error !== undefined)
      next?.reject(Object.assign(new Error(answer.error.message), answer.error));
    else next?.resolve(answer.ok);
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.once("exit", (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`the child ended with ${code}: ${errors}`));
  });
  return {
    process: child,
    call: (...call) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(call)}\n`);
      }),
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}

/** A state with something in it, closed. */
export function filledState(folder: string): string {
  const store = openStore(folder, { clock: handClock() });
  store.values("identity").set("self", "me");
  store.insertCommand(storedCommand("c1"));
  store.appendEvents(
    Array.from({ length: 300 }, (_, n) => warning(n, { text: "x".repeat(500) })),
    START,
  );
  store.close();
  return folder;
}
