/**
 * What a request may look like before any route sees it: its head, its target, its body. Whoever may open a socket can
 * send anything, so what is wrong here is an answer with 400 to him and nothing to anybody else: no log line.
 */
import type { IncomingMessage } from "node:http";
import { AgentError } from "../model/errors.ts";

const BODY_MAX = 64 * 1024;
/** Levels of objects and arrays in a body: what is read later is read by functions that call themselves. */
const MAX_DEPTH = 32;
/** Of which two readers could each take another one (RFC 9110 section 5.3, RFC 9112 section 6.3). */
const ONCE = new Set([
  "authorization",
  "content-length",
  "content-type",
  "expect",
  "host",
  "origin",
  "referer",
  "transfer-encoding",
]);

/** What is wrong with a head that Node has read, as a sentence; null: nothing. Pure. */
export function headProblem({
  rawHeaders,
  httpVersion,
}: Pick<IncomingMessage, "rawHeaders" | "httpVersion">): string | null {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return "this is not HTTP/1.1";
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? "";
    if (!ONCE.has(name)) continue;
    if (seen.has(name)) return `the header "${name}" stands in the request twice`;
    seen.add(name);
    if (name === "transfer-encoding" && rawHeaders[at + 1]?.trim().toLowerCase() !== "chunked")
      return "the only transfer encoding is chunked";
  }
  const both = seen.has("transfer-encoding") && seen.has("content-length");
  return both ? "a request has a content length or a transfer encoding, not both" : null;
}

/**
 * Path and query. The host in it is always our own: who is asked was decided by the socket.
 * @throws AgentError `bad_request`
 */
export function targetOf({ url = "/" }: Pick<IncomingMessage, "url">): URL {
  // A proxy's way to write it (RFC 9112 section 3.2.2) is for proxies; "*" and "host:port" name nothing here.
  if (!url.startsWith("/"))
    throw new AgentError("bad_request", "what is asked for is a path, such as /v1/status");
  try {
    decodeURIComponent(url);
    return new URL(`http://localhost${url}`);
  } catch {
    throw new AgentError("bad_request", "the path or the query is not encoded as it should be");
  }
}

/**
 * The body's JSON, null without a body. Read whole on every request: a GET may have one too.
 * @throws AgentError `too_large`, `bad_request`
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return null;
  const tooLarge = new AgentError("too_large", `a body may have ${BODY_MAX} bytes`, null);
  if (Number(length) > BODY_MAX) throw tooLarge;
  const text = await readText(request, tooLarge);
  if (text === "") return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the body, and that may be a key.
    throw new AgentError("bad_request", "the body is not JSON", null);
  }
  if (isDeeperThan(value, MAX_DEPTH))
    throw new AgentError("bad_request", `the body is nested deeper than ${MAX_DEPTH} levels`, null);
  return value;
}

async function readText(request: IncomingMessage, tooLarge: AgentError): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > BODY_MAX) throw tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error === tooLarge) throw error;
    // The other side hung up in the middle, or was not HTTP any more: nothing else ends this stream early.
    throw new AgentError("bad_request", "the body was not sent whole", null);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** With a list of what is still to be looked at, because depth is what a function that calls itself can't take. */
function isDeeperThan(value: unknown, levels: number): boolean {
  const open = [{ value, level: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.value === null || typeof next.value !== "object") continue;
    if (next.level >= levels) return true;
    for (const inner of Object.values(next.value)) open.push({ value: inner, level: next.level + 1 });
  }
  return false;
}
