/** A server between a client and its API that writes down every request, and holds bodies against a document. */
import { request as forward, type IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished } from "vitest";
import { startPlainServer } from "../net/tls.ts";
import { checkAgainst, type loadOpenApi } from "../text/json-schema.ts";

interface Document {
  readonly openApi: ReturnType<typeof loadOpenApi>;
  /** Paths of the POSTs that it documents. */
  readonly calls: RegExp;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many shapes
  readonly body: any;
  status: number;
}

export interface Tap {
  readonly url: string;
  readonly seen: Seen[];
  readonly problems: string[];
}

/**
 * A server that passes everything on to `target`.
 * @param document what bodies are held against; null: nothing is
 */
export async function startTap(target: () => string, document: Document | null): Promise<Tap> {
  const seen: Seen[] = [];
  const problems: string[] = [];
  const { url } = await startPlainServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const raw = Buffer.concat(chunks);
      const plain = incoming.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      const isJson = plain.length > 0 && incoming.headers["content-type"] === "application/json";
      const body = isJson ? JSON.parse(plain.toString()) : plain.length === 0 ? undefined : plain;
      const { method = "", url: path = "", headers } = incoming;
      const one: Seen = { method, path, headers, body, status: 0 };
      seen.push(one);
      if (document !== null && method === "POST" && document.calls.test(path))
        problems.push(...checkAgainst(document.openApi, path, method, "request", body));
      const onward = forward(target() + path, { method, headers }, (answer) => {
        one.status = answer.statusCode ?? 0;
        response.writeHead(one.status, answer.headers);
        answer.pipe(response);
        answer.on("error", () => response.destroy());
      });
      onward.on("error", () => response.destroy());
      response.on("close", () => onward.destroy());
      onward.end(raw);
    });
  });
  onTestFinished(() => expect(problems).toEqual([]));
  return { url, seen, problems };
}
