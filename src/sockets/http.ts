/**
 * HTTP on the two sockets: who may ask at all, which route, its answer in the envelope. Everything that
 * goes wrong is `{error: {code, message, next_step}}`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { openSeats } from "../helper/link/seats.ts";
import { AgentError } from "../model/errors.ts";
import type { BugLog } from "./bug-log.ts";
import { type StreamOptions, streamEvents } from "./event-stream.ts";
import { type Guest, type Handler, isPrivileged } from "./http-on-demand.ts";
import { headProblem, readJson, targetOf } from "./request.ts";
import type { Answer, Call, Route, RouteContext } from "./routes/route.ts";
import { routesAt } from "./routes/table.ts";
import { statusOf } from "./status-codes.ts";
import { errorBody } from "./wire/error-body.ts";

/** A web page's script can be made to talk to a socket through a local proxy: only these names are ours. */
const HOST = /^(?:(?:localhost|foundry-agent)(?::\d*)?)?$/i;
/** Readers of events of one user, and of all but root and the agent's own user. */
const STREAMS = { each: 8, together: 24 };
const IDLE_MS = 30_000;

/** Handler of one socket's requests; throws only what is a bug. */
export function requestHandler(socket: "status" | "control", context: RouteContext, bugs: BugLog): Handler {
  const streams = openSeats<number>({ ...STREAMS, isPrivileged });

  async function stream(
    call: Call,
    options: Omit<StreamOptions, "audience">,
    response: ServerResponse,
    { uid, seat }: Guest,
  ): Promise<void> {
    const reading = streams.take(uid, () => void response.destroy());
    if (reading === null)
      throw new AgentError(
        "too_many_streams",
        `${STREAMS.each} readers of events are connected already`,
        "ss -xp | grep foundry-agent  # shows who reads; end one of them",
      );
    // One that takes what it is given may stay; one that does not is the first to go.
    const takes = (does: boolean): void => {
      for (const one of [reading, seat]) one.idle(does);
    };
    response.once("close", reading.leave);
    takes(true);
    const { view, texts } = context;
    await streamEvents(view, texts, response, { ...options, audience: call.audience, takes });
    takes(false);
  }

  return async (request, response, guest) => {
    const connection = request.socket; // gone from the request when the other side hangs up meanwhile
    try {
      gate(request);
      const url = targetOf(request);
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
      guest.seat.busy();
      const answer = await route.run(context, call);
      guest.seat.idle();
      if (!("events" in answer)) write(response, answer);
      else await stream(call, request.method === "HEAD" ? HEAD_ONLY : answer.events, response, guest);
    } catch (error) {
      guest.seat.idle();
      fail(request, response, error, socket, bugs, context);
    } finally {
      if (!connection.destroyed) connection.setTimeout(IDLE_MS);
    }
  };
}

/** There is nothing to wait for. */
const HEAD_ONLY = { since: "", follow: false, limit: 0 };

function gate(request: IncomingMessage): void {
  const problem = headProblem(request);
  if (problem !== null) throw new AgentError("bad_request", problem);
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
      "send the same request to control.sock beside it, as root or in the group foundry-admin",
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
    if (query.getAll(name).length > 1)
      throw new AgentError("bad_request", `the parameter "${name.slice(0, 40)}" is given twice`, null);
    if (known.includes(name)) continue;
    const others = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
    throw new AgentError(
      "bad_request",
      `${route.path} has no parameter "${name.slice(0, 40)}"; ${others}`,
      null,
    );
  }
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
  bugs: BugLog,
  context: RouteContext,
): void {
  let known: AgentError;
  if (error instanceof AgentError) known = error;
  else {
    bugs.log(error, "a request failed", { path: request.url?.split("?", 1)[0]?.slice(0, 200) });
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
