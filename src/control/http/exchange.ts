/** One request, one answer, over an agent's connection: the time-outs and the caps, and nothing left behind. */

import {
  type ClientRequest,
  type Agent as HttpAgent,
  type IncomingHttpHeaders,
  request as plainRequest,
} from "node:http";
import { request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { AgentError, errorCode } from "../../model/errors.ts";
import { span } from "../../model/text/span.ts";
import { monotonic } from "../../system/clock.ts";
import { parseAnswer } from "./answer.ts";
import { badAnswer, connectTimeout, proxyAuthRequired, type Route } from "./errors.ts";
import { boundWire, cutShort, MAX_HEAD_BYTES, readBody } from "./incoming.ts";

export interface Exchange {
  readonly target: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer | null;
  readonly agent: HttpAgent;
  readonly route: Route;
  /** Milliseconds; firstByte counts from connected, left from the start: what is left of total, redirects included. */
  readonly limits: {
    readonly connectMs: number;
    readonly firstByteMs: number;
    readonly totalMs: number;
    readonly leftMs: number;
  };
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** JSON; undefined without a body (and for an error answer that is not JSON). */
  readonly body: unknown;
}

/** A kept-alive connection that the server had closed just as it was used again: nobody's fault, worth one more try. */
export class DeadConnection extends AgentError {}

/** Broken later than this after the request went out, it was alive: a long poll that was cut must not be sent again. */
const DEAD_WITHIN_MS = 2_000;

/** @throws AgentError, or what node:http and the TLS layer throw (for `requestError`) */
export function exchange(given: Exchange): Promise<HttpAnswer> {
  const { route, limits, signal } = given;
  return new Promise((resolve, reject) => {
    let call: ClientRequest | null = null;
    let over = false;
    let answered = false;
    let unbound = (): void => undefined;
    const timers = new Map<string, NodeJS.Timeout>();
    const startedAt = monotonic();

    function end(settle: () => void): void {
      if (over) return;
      over = true;
      for (const timer of timers.values()) clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      unbound();
      settle();
    }
    /** Give up: the connection is of no further use. */
    function fail(error: unknown): void {
      end(() => {
        call?.destroy();
        reject(error);
      });
    }
    function abort(): void {
      fail(new AgentError("aborted", `The request to ${route.host} was given up.`));
    }
    function limit(name: string, ms: number, error: () => AgentError): void {
      timers.set(
        name,
        setTimeout(() => fail(error()), ms),
      );
    }
    function connected(): void {
      clearTimeout(timers.get("connect"));
      if (over || answered) return;
      limit("firstByte", limits.firstByteMs, () => tooSlow("first_byte_timeout", route, limits.firstByteMs));
    }

    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    limit("total", limits.leftMs, () => tooSlow("total_timeout", route, limits.totalMs));
    limit("connect", limits.connectMs, () => connectTimeout(route, limits.connectMs));

    call = (given.target.protocol === "https:" ? secureRequest : plainRequest)(given.target, {
      method: given.method,
      headers: given.headers,
      agent: given.agent,
      maxHeaderSize: MAX_HEAD_BYTES,
      // With a proxy this bounds the tunnel, which Node makes before the request has a socket.
      ...(route.proxy === null ? {} : { timeout: limits.connectMs }),
    });
    call.on("socket", (socket) => {
      whenConnected(socket, connected);
      if (!over && call !== null) unbound = boundWire(call, socket, route.host, fail);
    });
    call.on("error", (error) => {
      const reset = errorCode(error) === "ECONNRESET" || errorCode(error) === "EPIPE";
      const soon = monotonic() - startedAt < DEAD_WITHIN_MS;
      const dead = reset && soon && !answered && call?.reusedSocket === true;
      fail(
        dead
          ? new DeadConnection("connection_lost", `The kept connection to ${route.host} was closed.`)
          : error,
      );
    });
    call.on("upgrade", (response) =>
      fail(badAnswer(route.host, `status ${response.statusCode}, another protocol`)),
    );
    // Whatever else Node gives up on without a word.
    call.on("close", () => fail(cutShort(route.host)));
    call.on("response", (response) => {
      answered = true;
      clearTimeout(timers.get("firstByte"));
      readBody(response, route.host, fail, (bytes) => {
        end(() => {
          // Of an error answer the rest was not read: this connection is no more good for another request.
          if (!response.complete) call?.destroy();
          try {
            const status = response.statusCode ?? 0;
            if (status === 407 && route.proxy !== null) throw proxyAuthRequired(route);
            resolve({
              status,
              headers: response.headers,
              body: parseAnswer(response, bytes, route.host, given.method === "GET"),
            });
          } catch (error) {
            reject(error);
          }
        });
      });
    });
    if (given.payload) call.end(given.payload);
    else call.end();
  });
}

function whenConnected(socket: Socket, connected: () => void): void {
  // Not in the documentation, but the only thing that is right during a handshake of TLS 1.3.
  const { secureConnecting } = socket as { secureConnecting?: boolean };
  if (!socket.connecting && secureConnecting !== true) connected();
  else socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", connected);
}

function tooSlow(code: "first_byte_timeout" | "total_timeout", route: Route, ms: number): AgentError {
  const what =
    code === "first_byte_timeout" ? "does not begin to answer" : "does not come to the end of its answer";
  const way = route.proxy === null ? "" : ` (through the proxy ${route.proxy})`;
  return new AgentError(
    code,
    `${route.host}${way} ${what} within ${span(ms)}.`,
    "foundry-agent sync  # the next try comes by itself; this one comes now",
  );
}
