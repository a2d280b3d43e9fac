/**
 * HTTP on the two sockets: who may ask at all, which route, its answer in the envelope. Everything that
 * goes wrong is `{error: {code, message, next_step}}`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { AgentError, errorText } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { type JsonBounds, parseBounded } from "../model/text/bounded-json.ts";
import { scrubSecrets } from "../model/text/scrub.ts";
import { streamEvents } from "./event-stream.ts";
import type { Answer, Call, Route, RouteContext } from "./routes/route.ts";
import { routesAt } from "./routes/table.ts";
import { statusOf } from "./status-codes.ts";

const BODY_MAX = 64 * 1024;
/** Of a body: a signed command with its params is the most that anybody has to say. */
const BODY: JsonBounds = { bytes: BODY_MAX, depth: 32, values: 4_096, text: BODY_MAX };
/** A web page's script can be made to talk to a socket through a local proxy: only these names are ours. */
const HOST = /^(?:(?:localhost|foundry-agent)(?::\d*)?)?$/i;
const STREAMS_MAX = 8;
const IDLE_MS = 30_000;

/** The envelope of an error, without secrets. */
export function errorBody(error: AgentError): string {
  return JSON.stringify({
    error: {
      code: error.code,
      message: scrubSecrets(error.message),
      next_step: error.nextStep === null ? null : scrubSecrets(error.nextStep),
    },
  });
}

/** Handler of one socket's requests; throws only what is a bug. */
export function requestHandler(
  socket: "status" | "control",
  context: RouteContext,
  log: Logger,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let streams = 0;

  async function send(call: Call, answer: Answer, response: ServerResponse): Promise<void> {
    if (!("events" in answer)) return write(response, answer);
    if (streams >= STREAMS_MAX)
      throw new AgentError(
        "too_many_streams",
        `${STREAMS_MAX} readers of events are connected already`,
        "ss -xp | grep foundry-agent  # shows who reads; end one of them",
      );
    streams++;
    try {
      await streamEvents(context.view, context.texts, response, {
        ...answer.events,
        audience: call.audience,
      });
    } finally {
      streams--;
    }
  }

  return async (request, response) => {
    const connection = request.socket; // gone from the request when the other side hangs up meanwhile
    try {
      gate(request);
      const url = new URL(request.url ?? "/", "http://localhost");
      const { route, params } = choose(socket, request.method ?? "", url.pathname, response);
      checkQuery(route, url.searchParams);
      const body = await readJson(request);
      const call: Call = {
        socket,
        audience: socket === "control" ? "control" : "public",
        params,
        query: url.searchParams,
        body,
        ifNoneMatch: request.headers["if-none-match"] ?? null,
        caller:
          socket === "control" && route.method === "POST"
            ? context.callerOf(connection)
            : { uid: -1, name: "unknown" },
      };
      connection.setTimeout(0); // a round with a control API may take longer than an idle client may
      await send(call, await route.run(context, call), response);
    } catch (error) {
      fail(request, response, error, socket, log, context);
    } finally {
      if (!connection.destroyed) connection.setTimeout(IDLE_MS);
    }
  };
}

function gate(request: IncomingMessage): void {
  const { host, origin, referer } = request.headers;
  if (origin !== undefined || referer !== undefined)
    throw new AgentError(
      "refused",
      "requests of web pages (Origin, Referer) are not answered",
      "curl --unix-socket /run/foundry-agent/status.sock http://localhost/v1/status",
    );
  if (!HOST.test(host ?? ""))
    throw new AgentError(
      "refused",
      "the host of the URL must be localhost",
      "curl --unix-socket /run/foundry-agent/status.sock http://localhost/v1/status",
    );
}

function choose(
  socket: "status" | "control",
  method: string,
  path: string,
  response: ServerResponse,
): { route: Route; params: Record<string, string> } {
  const asked = method === "HEAD" ? "GET" : method;
  const here = routesAt(path);
  if (here.length === 0)
    throw new AgentError(
      "not_found",
      `there is nothing at ${path.slice(0, 120)}`,
      "foundry-agent --help  # or docs/status-socket.openapi.json, which lists every route",
    );
  const found = here.find(({ route }) => route.method === asked);
  if (socket === "status" && (asked !== "GET" || found?.route.socket === "control"))
    throw new AgentError(
      "refused",
      "status.sock only shows; this is answered on control.sock",
      "sudo curl --unix-socket /run/foundry-agent/control.sock …  # the same request",
    );
  if (found) return found;
  const methods = here.map(({ route }) => route.method).join(", ");
  response.setHeader("allow", methods);
  throw new AgentError("method_not_allowed", `${path} answers ${methods} only`, null);
}

/** A mistyped parameter must not be taken for "all of them". */
function checkQuery(route: Route, query: URLSearchParams): void {
  if (!route.path.startsWith("/v1/")) return; // scrapers add parameters of their own
  const known = Object.keys(route.query);
  for (const name of query.keys()) {
    if (known.includes(name)) continue;
    const others = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
    throw new AgentError(
      "bad_request",
      `${route.path} has no parameter "${name.slice(0, 40)}"; ${others}`,
      null,
    );
  }
}

/** The body's JSON, null without a body. Read whole on every request: a GET may have one too. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return null;
  const tooLarge = new AgentError("too_large", `a body may have ${BODY_MAX} bytes`, null);
  if (Number(length) > BODY_MAX) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_MAX) throw tooLarge;
    chunks.push(chunk);
  }
  if (size === 0) return null;
  const parsed = parseBounded(Buffer.concat(chunks), BODY);
  if ("value" in parsed) return parsed.value;
  const wrong = parsed.wrong === "broken JSON" ? "not JSON" : parsed.wrong;
  throw new AgentError("bad_request", `the body is ${wrong}`, null);
}

function write(response: ServerResponse, answer: Exclude<Answer, { events: unknown }>): void {
  if ("notModified" in answer) {
    response.writeHead(304, { etag: answer.notModified });
    response.end();
    return;
  }
  if ("text" in answer) end(response, 200, answer.type, answer.text, null);
  else if ("bytes" in answer) {
    response.setHeader("content-disposition", `attachment; filename="${answer.fileName}"`);
    end(response, 200, answer.type, answer.bytes, null);
  } else {
    const text = "dataText" in answer ? answer.dataText : (JSON.stringify(answer.data) ?? "null");
    end(response, 200, "application/json", `{"data":${text}}\n`, "dataText" in answer ? answer.etag : null);
  }
}

function end(
  response: ServerResponse,
  status: number,
  type: string,
  content: string | Uint8Array,
  etag: string | null,
): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  response.writeHead(status, {
    "content-type": type,
    "content-length": bytes.length,
    "cache-control": etag === null ? "no-store" : "no-cache",
    ...(etag === null ? {} : { etag }),
  });
  response.end(bytes);
}

function fail(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  socket: "status" | "control",
  log: Logger,
  context: RouteContext,
): void {
  let known: AgentError;
  if (error instanceof AgentError) known = error;
  else {
    log.error({ err: error, path: request.url?.split("?", 1)[0] }, `a request failed: ${errorText(error)}`);
    known = new AgentError(
      "unexpected",
      "the agent failed to answer; its log says more",
      "journalctl -u foundry-agent",
    );
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const shown = socket === "control" || known !== error ? known : hidden(known, context);
  const status = statusOf(known.code);
  // What is left of a body is not waited for.
  if (!request.complete) response.setHeader("connection", "close");
  end(response, status, "application/json", `${errorBody(shown)}\n`, null);
}

/** As everybody may read it: a sentence may name a serial number. */
function hidden({ code, message, nextStep }: AgentError, { texts }: RouteContext): AgentError {
  const shown = texts.hide({ message, nextStep });
  return new AgentError(code, shown.message, shown.nextStep);
}
