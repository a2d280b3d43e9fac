/** A helper in this process behind a real socket, operations that count what they did, and raw clients. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { journalLine } from "../../../src/helper/carry-out/audit.ts";
import { encodeFrame } from "../../../src/helper/link/frame.ts";
import {
  type HelperServer,
  type HelperServerOptions,
  openHelperServer,
} from "../../../src/helper/link/server.ts";
import type { Operation } from "../../../src/helper/operation.ts";
import { temporaryFolder } from "../machine/tree.ts";

/** Lets everything be done that is not limited, by local and by nodefoundry. */
export const OPEN_POLICY = `
[commands]
remote = "on"
[allow]
local = ["reboot", "smart_test", "locate"]
nodefoundry = ["reboot"]
[limits.reboot]
minutes_apart = 0
a_day = 3
`;

export interface HelperHouse {
  readonly folder: string;
  readonly socket: string;
  readonly policyPath: string;
  readonly stateFolder: string;
  policy(text: string): void;
  /** What the record of done ids holds. */
  record(): { id: string; word: string; outcome: { state: string } }[];
}

export function helperHouse(policy: string | null = OPEN_POLICY): HelperHouse {
  const folder = temporaryFolder();
  const stateFolder = join(folder, "state");
  mkdirSync(stateFolder, { mode: 0o700 });
  const policyPath = join(folder, "policy.toml");
  const house: HelperHouse = {
    folder,
    socket: join(folder, "helper.sock"),
    policyPath,
    stateFolder,
    policy: (text) => writeFileSync(policyPath, text, { mode: 0o644 }),
    record: () => JSON.parse(readFileSync(join(stateFolder, "done.json"), "utf8")).entries,
  };
  if (policy !== null) house.policy(policy);
  return house;
}

export interface Tested {
  readonly server: HelperServer;
  /** Audit lines without their priority, parsed; others as text. */
  audits(): Record<string, unknown>[];
  lines(): string[];
}

export async function testHelper(
  house: HelperHouse,
  options: Partial<HelperServerOptions> = {},
): Promise<Tested> {
  const lines: string[] = [];
  const server = await openHelperServer({
    listen: { path: house.socket },
    policyPath: house.policyPath,
    stateFolder: house.stateFolder,
    idleExitMs: 60_000,
    audit: (...line) => lines.push(journalLine(...line)),
    ...options,
  });
  onTestFinished(() => server.close());
  const audits = (): Record<string, unknown>[] =>
    lines.filter((line) => line.startsWith("<6>{")).map((line) => JSON.parse(line.slice(3)));
  return { server, audits, lines: () => lines };
}

/** An operation that changes something: `word` of the policy, each act one entry of `acts`. */
export function actingOperation(
  name: string,
  word: string,
  acts: string[],
  act: (signal: AbortSignal) => Promise<unknown> = async () => ({ done: true }),
): Operation {
  return {
    name,
    args: v.strictObject({ what: v.optional(v.string()) }),
    timeoutMs: 10_000,
    policy: word,
    lanes: () => [{ name: `act ${name}`, limit: 1 }],
    async perform(args, { signal }) {
      acts.push((args as { what?: string }).what ?? name);
      return await act(signal);
    },
  } satisfies Operation;
}

export interface RawAnswer {
  /** What came before the connection ended. */
  readonly bytes: Buffer;
  /** The one frame in it, parsed; null when there is none. */
  readonly answer: { ok: boolean; result?: unknown; error?: { code: string; message: string } } | null;
}

/** Send bytes as they are and read until the other side closes. With `end` half-close after them. */
export function sendRaw(
  path: string,
  bytes: Uint8Array,
  options: { end?: boolean } = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined); // "close" follows; what came until then counts
    socket.on("close", () => {
      const all = Buffer.concat(chunks);
      const whole = all.length >= 4 && all.readUInt32BE() === all.length - 4;
      resolve({ bytes: all, answer: whole ? JSON.parse(all.subarray(4).toString("utf8")) : null });
    });
    socket.once("connect", () => (options.end === true ? socket.end(bytes) : socket.write(bytes)));
  });
}

export function requestFrame(over: Record<string, unknown> = {}): Buffer {
  const request = { v: 1, id: "r1", operation: "noop", args: {}, deadline_ms: 5_000, ...over };
  return encodeFrame(request, 1_000_000);
}

/** One request, and the code of what came back: "ok", an error's code, or "closed". */
export async function ask(path: string, over: Record<string, unknown> = {}): Promise<string> {
  const { answer } = await sendRaw(path, requestFrame(over));
  if (answer === null) return "closed";
  return answer.ok ? "ok" : (answer.error?.code ?? "no code");
}
