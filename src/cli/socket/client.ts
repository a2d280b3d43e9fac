/** The daemon's sockets as sub-commands use them: requests, the envelope taken off, errors as AgentError. */
import { type IncomingMessage, request } from "node:http";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Io } from "../output.ts";
import type { OptionDeclaration } from "../usage.ts";
import { type FoundSocket, findSocket } from "./find.ts";

/** Options of every sub-command that asks the daemon. */
export const CLIENT_OPTIONS: Record<string, OptionDeclaration> = {
  socket: { type: "string", value: "PATH", help: "the agent's socket, or the folder it is in" },
  json: { type: "boolean", help: "as JSON" },
};

export interface Client {
  /** Path and kind of the socket in use. */
  readonly socket: FoundSocket;
  /** `data` of the answer. @throws AgentError with the daemon's code, sentence and next step */
  get(path: string, query?: Query): Promise<unknown>;
  post(path: string, options?: { query?: Query; body?: unknown }): Promise<unknown>;
  /** The answer as it is, for what has no envelope. */
  text(path: string): Promise<string>;
  /** A file: its bytes, and the name that the daemon proposes for it. */
  bytes(path: string): Promise<{ bytes: Uint8Array; fileName: string | null }>;
  /** Every line of a stream; ends when the stream ends or Io.signal fires. */
  lines(path: string, query: Query, onLine: (line: string) => void): Promise<void>;
}

export type Query = Readonly<Record<string, string | undefined>>;

const MAX_ANSWER = 64 * 1024 * 1024;
const READ_MS = 15_000;
const ACTION_MS = 300_000;

/**
 * @param values of the command line: `socket`
 * @throws AgentError `daemon_unreachable` (exit 3), `refused_permission` (exit 4)
 */
export async function openClient(
  io: Io,
  values: Readonly<Record<string, unknown>>,
  needs: "any" | "control" = "any",
): Promise<Client> {
  const socket = await findSocket({
    ...(typeof values.socket === "string" ? { socket: values.socket } : {}),
    needs,
    env: io.env,
    uid: process.geteuid?.() ?? 0,
  });

  async function ask(
    method: string,
    path: string,
    timeoutMs: number,
    body?: unknown,
  ): Promise<IncomingMessage> {
    const text = body === undefined ? "" : JSON.stringify(body);
    return await new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: socket.path,
          method,
          path,
          agent: false,
          signal: io.signal,
          headers: {
            host: "localhost",
            ...(text === ""
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          },
        },
        resolve,
      );
      sent.setTimeout(timeoutMs, () =>
        sent.destroy(
          new AgentError(
            "daemon_unreachable",
            `the agent at ${socket.path} did not answer within ${timeoutMs / 1000} s`,
            "journalctl -u foundry-agent  # says what it is at",
          ),
        ),
      );
      sent.on("error", (error) => reject(wireError(error, socket.path, io)));
      sent.end(text);
    });
  }

  async function whole(answer: IncomingMessage): Promise<string> {
    return (await wholeBytes(answer)).toString("utf8");
  }

  async function wholeBytes(answer: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_ANSWER) throw new AgentError("bad_answer", "the agent's answer is too long", null);
        chunks.push(chunk);
      }
    } catch (error) {
      throw wireError(error, socket.path, io);
    }
    return Buffer.concat(chunks);
  }

  async function data(method: string, path: string, timeoutMs: number, body?: unknown): Promise<unknown> {
    const answer = await ask(method, path, timeoutMs, body);
    return unwrap(await whole(answer), answer.statusCode ?? 0, socket.path);
  }

  return {
    socket,
    get: (path, query = {}) =>
      data("GET", path + queryText(query), isSlow(path, query) ? ACTION_MS : READ_MS),
    post: (path, { query = {}, body } = {}) => data("POST", path + queryText(query), ACTION_MS, body),
    async text(path) {
      const answer = await ask("GET", path, READ_MS);
      const text = await whole(answer);
      if (answer.statusCode !== 200) unwrap(text, answer.statusCode ?? 0, socket.path);
      return text;
    },
    async bytes(path) {
      const answer = await ask("GET", path, ACTION_MS);
      const bytes = await wholeBytes(answer);
      if (answer.statusCode !== 200) unwrap(bytes.toString("utf8"), answer.statusCode ?? 0, socket.path);
      const proposed = answer.headers["content-disposition"] ?? "";
      return { bytes, fileName: /filename="([^"]*)"/.exec(proposed)?.[1] ?? null };
    },
    async lines(path, query, onLine) {
      const answer = await ask("GET", path + queryText(query), READ_MS);
      if (answer.statusCode !== 200) unwrap(await whole(answer), answer.statusCode ?? 0, socket.path);
      answer.socket.setTimeout(0); // a quiet node has nothing to say for days
      let rest = "";
      answer.setEncoding("utf8");
      try {
        for await (const chunk of answer as AsyncIterable<string>) {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) if (line !== "") onLine(line);
        }
      } catch (error) {
        if (!io.signal.aborted) throw wireError(error, socket.path, io);
      }
    },
  };
}

/** What asks others first: control APIs, or a drive. */
function isSlow(path: string, { raw }: Query): boolean {
  return path === "/v1/check" || (raw !== undefined && path.startsWith("/v1/drives/"));
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

function unwrap(text: string, status: number, path: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = null; // judged below
  }
  const { data, error } = (answer ?? {}) as { data?: unknown; error?: Record<string, unknown> };
  if (status === 200 && data !== undefined) return data;
  if (typeof error?.code === "string" && typeof error.message === "string")
    throw new AgentError(
      error.code,
      error.message,
      typeof error.next_step === "string" ? error.next_step : null,
    );
  throw new AgentError(
    "bad_answer",
    `what answers at ${path} is no foundry-agent of this kind`,
    "foundry-agent version",
  );
}

function wireError(error: unknown, path: string, io: Io): AgentError {
  if (error instanceof AgentError) return error;
  if (io.signal.aborted) return new AgentError("interrupted", "interrupted", null);
  return new AgentError(
    "daemon_unreachable",
    `the agent at ${path} went away while it answered (${errorCode(error)})`,
    "journalctl -u foundry-agent  # says why",
    { cause: error },
  );
}
