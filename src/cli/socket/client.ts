/**
 * The daemon's sockets as sub-commands use them: requests, the envelope taken off, errors as AgentError. What may be
 * asked and what is answered is typed by the daemon's own tables (asked.ts): both ends are one program.
 */
import { type IncomingMessage, request } from "node:http";
import { AgentError, errorCode } from "../../model/errors.ts";
import { type JsonBounds, parseBounded } from "../../model/text/bounded-json.ts";
import type { Io } from "../output.ts";
import type { OptionDeclaration } from "../usage.ts";
import type { AnswerAt, Asked, AskedOf, PathOf } from "./asked.ts";
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
  get<P extends PathOf<"GET", "data">>(path: P, ...asked: AskedOf<"GET", P>): Promise<AnswerAt<"GET", P>>;
  post<P extends PathOf<"POST", "data">>(path: P, ...asked: AskedOf<"POST", P>): Promise<AnswerAt<"POST", P>>;
  /** The answer as it is, for what has no envelope. */
  text<P extends PathOf<"GET", "text">>(path: P, ...asked: AskedOf<"GET", P>): Promise<string>;
  /** A file: its bytes, and the name that the daemon proposes for it. */
  bytes(path: PathOf<"GET", "bytes">): Promise<{ bytes: Uint8Array; fileName: string | null }>;
  /** Every line of a stream, as it came and parsed; ends when the stream ends or Io.signal fires. */
  lines<P extends PathOf<"GET", "lines">>(
    path: P,
    asked: Asked<"GET", P>,
    onLine: (line: string, parsed: AnswerAt<"GET", P>) => void,
  ): Promise<void>;
}

type Query = Readonly<Record<string, string | undefined>>;

/** What is asked, without the tables. */
interface Request {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Query;
  readonly body?: unknown;
}

const MAX_ANSWER = 64 * 1024 * 1024;
/** `--socket` names anybody's: what answers there is bounded as everybody else is. */
const ANSWER: JsonBounds = { bytes: 16 * 1024 * 1024, depth: 64, values: 1_000_000, text: 16 * 1024 * 1024 };
/** One event has 16 KiB of data at most. */
const MAX_LINE = 256 * 1024;
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
    pattern: string,
    timeoutMs: number,
    { params = {}, query = {}, body }: Request = {},
  ): Promise<IncomingMessage> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const path = pattern.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name] ?? ""));
    return await new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: socket.path,
          method,
          path: path + queryText(query),
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

  async function data(method: string, path: string, timeoutMs: number, asked?: Request): Promise<unknown> {
    const answer = await ask(method, path, timeoutMs, asked);
    return unwrap(await whole(answer), answer.statusCode ?? 0, socket.path);
  }

  const untyped = {
    socket,
    get: (path: string, asked?: Request) =>
      data("GET", path, isSlow(path, asked) ? ACTION_MS : READ_MS, asked),
    post: (path: string, asked?: Request) => data("POST", path, ACTION_MS, asked),
    async text(path: string, asked?: Request) {
      const answer = await ask("GET", path, READ_MS, asked);
      const text = await whole(answer);
      if (answer.statusCode !== 200) unwrap(text, answer.statusCode ?? 0, socket.path);
      return text;
    },
    async bytes(path: string) {
      const answer = await ask("GET", path, ACTION_MS);
      const bytes = await wholeBytes(answer);
      if (answer.statusCode !== 200) unwrap(bytes.toString("utf8"), answer.statusCode ?? 0, socket.path);
      const proposed = answer.headers["content-disposition"] ?? "";
      return { bytes, fileName: /filename="([^"]*)"/.exec(proposed)?.[1] ?? null };
    },
    async lines(path: string, asked: Request, onLine: (line: string, parsed: unknown) => void) {
      const answer = await ask("GET", path, READ_MS, asked);
      if (answer.statusCode !== 200) unwrap(await whole(answer), answer.statusCode ?? 0, socket.path);
      answer.socket.setTimeout(0); // a quiet node has nothing to say for days
      let rest = "";
      answer.setEncoding("utf8");
      try {
        for await (const chunk of answer as AsyncIterable<string>) {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          if (rest.length > MAX_LINE)
            throw new AgentError("bad_answer", "the agent sent an endless line", null);
          for (const line of lines) if (line !== "") onLine(line, parsedLine(line));
        }
      } catch (error) {
        if (!io.signal.aborted) throw wireError(error, socket.path, io);
      }
    },
  };
  // The one place where answers are taken at their word.
  return untyped as unknown as Client;
}

/** What asks others first: control APIs, or a drive. */
function isSlow(path: string, { query }: Request = {}): boolean {
  return path === "/v1/check" || (path === "/v1/drives/{drive}" && query?.raw !== undefined);
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

function parsedLine(line: string): unknown {
  const parsed = parseBounded(line, { ...ANSWER, bytes: MAX_LINE });
  if ("value" in parsed) return parsed.value;
  throw new AgentError("bad_answer", "the agent sent a line that is no event", "foundry-agent version");
}

function unwrap(text: string, status: number, path: string): unknown {
  const parsed = parseBounded(text, ANSWER);
  const answer = "value" in parsed ? parsed.value : null; // judged below
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
