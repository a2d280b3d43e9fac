/** The one HTTP client, opened for a test with a token that must turn up nowhere. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, onTestFinished } from "vitest";
import { type Http, type HttpOptions, openHttp } from "../../../src/control/http/http.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { recordedLog } from "../text/log.ts";
import { certificatePath } from "./tls.ts";

export const CANARY = "nf_nt_canary0123456789abcdef";

export interface Opened extends Http {
  logged: () => string;
  traffic: { sent: number; received: number };
}

/** Trusts the test CA; closed when the test is over. */
export function open(baseUrl: string, options: Partial<HttpOptions> = {}): Opened {
  const { log, lines } = recordedLog();
  const traffic = { sent: 0, received: 0 };
  const http = openHttp({
    baseUrl,
    caFile: certificatePath("ca"),
    certFile: null,
    keyFile: null,
    proxy: null,
    userAgent: "foundry-agent/test",
    log,
    traffic: (sent, received) => {
      traffic.sent += sent;
      traffic.received += received;
    },
    ...options,
  });
  onTestFinished(http.close);
  return { ...http, logged: () => JSON.stringify(lines), traffic };
}

const signal = new AbortController().signal;
export const get = { method: "GET", path: "/x", bearer: CANARY, signal } as const;
export const post = { method: "POST", path: "/x", bearer: CANARY, body: "{}", signal } as const;

/** Its code; whatever is wrong, it is an AgentError with a whole sentence and without the token. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AgentError);
  const { code, message, stack } = error as AgentError;
  expect(message).toMatch(/\.$/);
  expect(`${message} ${stack}`).not.toContain(CANARY);
  return code;
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
  });
}
