/**
 * What a request may look like before any route sees it: its head, its target, its body. Whoever may open a socket can
 * send anything, so what is wrong here is an answer with 400 to him and nothing to anybody else: no log line.
 */
import type { IncomingMessage } from "node:http";
import { AgentError } from "../model/errors.ts";
import { type JsonBounds, parseBounded } from "../model/text/bounded-json.ts";

const BODY_MAX = 64 * 1024;
/** Of a body: a signed command with its params is the most that anybody has to say. */
const BODY: JsonBounds = { bytes: BODY_MAX, depth: 32, values: 4_096, text: BODY_MAX };
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
  const bytes = await readBytes(request, tooLarge);
  if (bytes.length === 0) return null;
  const parsed = parseBounded(bytes, BODY);
  if ("value" in parsed) return parsed.value;
  // Never the parser's message: it would quote the body, and that may be a key.
  const wrong = parsed.wrong === "broken JSON" ? "not JSON" : parsed.wrong;
  throw new AgentError("bad_request", `the body is ${wrong}`, null);
}

async function readBytes(request: IncomingMessage, tooLarge: AgentError): Promise<Buffer> {
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
  return Buffer.concat(chunks);
}
