/**
 * The little HTTP that a sandbox API needs: a table of method + path patterns, bodies with a cap, gzip
 * accepted, JSON answers with a request id. No framework, so that faults can be put in anywhere.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const gunzipAsync = promisify(gunzip);

/** The largest body, before and after decompression: that of a diagnostics bundle. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** An answer with an error envelope; thrown by handlers. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** A request, read whole. */
export interface Request {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** Decompressed. */
  readonly body: Buffer;
  readonly requestId: string;
  /** Fires when the client has gone or the sandbox stops. */
  readonly gone: AbortSignal;
}

/** Body: null is none, text goes out as text/plain, a Buffer as octets, all else as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RoutePath {
  readonly method: string;
  /** `/v1/nodes/{id}/sync`: a brace matches one segment. */
  readonly path: string;
}

/**
 * The first route of the table that fits, with its path parameters decoded.
 * @returns null when none fits
 */
export function findRoute<R extends RoutePath>(
  routes: readonly R[],
  method: string,
  path: string,
): { route: R; params: Record<string, string> } | null {
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = matchPath(route.path, path);
    if (params) return { route, params };
  }
  return null;
}

/** Parameters of `path` under `pattern`, or null when it does not fit. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? "";
    if (segment.startsWith("{")) {
      const decoded = decodeSegment(value);
      if (decoded === null || decoded === "") return null;
      params[segment.slice(1, -1)] = decoded;
    } else if (segment !== value) return null;
  }
  return params;
}

function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/**
 * Read the body whole, decompressing `Content-Encoding: gzip`.
 * @throws ApiError 413 `payload_too_large`, 415 `unsupported_encoding`, 400 `invalid_body`
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Read on but keep nothing, so that the client gets the answer instead of a reset connection.
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (size > 4 * MAX_BODY_BYTES) break;
  }
  if (size > MAX_BODY_BYTES) throw tooLarge();
  const raw = Buffer.concat(chunks);
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity" || raw.length === 0) return raw;
  if (encoding !== "gzip") {
    throw new ApiError(
      415,
      "unsupported_encoding",
      `Content-Encoding ${encoding} is not understood; send gzip or none.`,
    );
  }
  try {
    return await gunzipAsync(raw, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw new ApiError(400, "invalid_body", "The body says it is gzip, but it cannot be decompressed.");
  }
}

function tooLarge(): ApiError {
  return new ApiError(413, "payload_too_large", `A body may have at most ${MAX_BODY_BYTES} bytes.`);
}

/**
 * The body as JSON.
 * @throws ApiError 400 `invalid_json`
 */
export function jsonBody(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new ApiError(400, "invalid_json", "The body is not JSON.");
  }
}

/** The error envelope of every API here. */
export function errorAnswer(error: ApiError, requestId: string): Answer {
  return {
    status: error.status,
    body: { error: { code: error.code, message: error.message, request_id: requestId } },
    headers: error.headers,
  };
}

/** Bytes and headers of an answer. */
export function renderAnswer(
  answer: Answer,
  requestId: string,
): { headers: Record<string, string>; bytes: Buffer } {
  const { type, bytes } = renderBody(answer.body);
  const headers: Record<string, string> = {
    "x-request-id": requestId,
    "content-length": String(bytes.length),
  };
  if (type) headers["content-type"] = type;
  return { headers: { ...headers, ...answer.headers }, bytes };
}

function renderBody(body: unknown): { type: string | null; bytes: Buffer } {
  if (body === null || body === undefined) return { type: null, bytes: Buffer.alloc(0) };
  if (typeof body === "string") return { type: "text/plain; charset=utf-8", bytes: Buffer.from(body) };
  if (Buffer.isBuffer(body)) return { type: "application/octet-stream", bytes: body };
  return { type: "application/json", bytes: Buffer.from(JSON.stringify(body)) };
}

/** Send an answer whole. */
export function writeAnswer(response: ServerResponse, answer: Answer, requestId: string): void {
  const { headers, bytes } = renderAnswer(answer, requestId);
  response.writeHead(answer.status, headers);
  response.end(bytes);
}
