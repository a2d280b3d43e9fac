/** Requests over a unix socket, as raw as a test wants them, and a status server that is gone after the test. */
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  type StatusServer,
  type StatusServerOptions,
  startStatusServer,
} from "../../../src/sockets/server.ts";
import { temporaryFolder } from "../machine/tree.ts";
import { NOW } from "../now.ts";
import { recordedLog } from "../text/log.ts";

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export function ask(socketPath: string, path: string, asked: Asked = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, path, method: asked.method ?? "GET", headers: asked.headers ?? {}, agent: false },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: jsonOf(text) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(asked.body);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Send bytes as they are; everything that comes back until the other side closes. */
export function askRaw(to: string | { port: number }, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = typeof to === "string" ? connect(to) : connect({ ...to, host: "127.0.0.1" });
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => undefined); // the other side may close first; "close" follows
    socket.on("close", () => resolve(text));
    socket.end(bytes);
  });
}

export async function startServer(
  options: Pick<StatusServerOptions, "view"> & Partial<StatusServerOptions>,
): Promise<StatusServer & { lines: ReturnType<typeof recordedLog>["lines"] }> {
  const { log, lines } = recordedLog();
  const server = await startStatusServer({
    runDir: join(temporaryFolder(), "run"),
    log,
    now: () => NOW,
    adminGid: null,
    ...options,
  });
  onTestFinished(() => server.close());
  return { ...server, lines };
}

/** A reader of the event stream that keeps its lines; `pause` stops reading. */
export function follow(
  socketPath: string,
  path: string,
): { lines: string[]; socket: Socket; until: (count: number) => Promise<void>; closed: Promise<void> } {
  const socket = connect(socketPath);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const lines: string[] = [];
  let wake = (): void => undefined;
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.filter((part) => part.startsWith("{")));
    wake();
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => undefined); // a reader that was cut off sees a reset
  onTestFinished(() => void socket.destroy());
  return {
    lines,
    socket,
    closed,
    async until(count) {
      while (lines.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}
