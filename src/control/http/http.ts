/**
 * The one HTTP client of the agent (node:http and node:https only: undici needs WebAssembly, which the
 * shipped executable runs without). It trusts nothing it reads: time-outs for connect, first byte and the
 * whole, sizes and depth capped, TLS 1.2 at least, no redirect on a write, none to another origin, and no
 * switch that turns verification off: a private CA is a file.
 */
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { AgentError } from "../../model/errors.ts";
import type { Logger } from "../../model/log.ts";
import { monotonic } from "../../system/clock.ts";
import { type Route, requestError } from "./errors.ts";
import { DeadConnection, type Exchange, exchange, type HttpAnswer } from "./exchange.ts";
import { type ProxyOptions, usesProxy } from "./proxy.ts";
import { openSockets, type Sockets, type TlsFiles } from "./sockets.ts";

export type { HttpAnswer } from "./exchange.ts";

export interface HttpOptions extends TlsFiles {
  /** `https://host[:port][/prefix]`, or http:// to a loopback host. */
  readonly baseUrl: string;
  readonly proxy: ProxyOptions | null;
  readonly userAgent: string;
  readonly log: Logger;
  /** Bytes on the wire, TLS and proxy included. */
  readonly traffic: (sentBytes: number, receivedBytes: number) => void;
  /** For DNS, TCP, proxy and TLS together, milliseconds; default 10 000. */
  readonly connectMs?: number;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the base URL, with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, or bytes of the content type that `headers` name. */
  readonly body?: string | Uint8Array;
  readonly bearer?: string;
  /** From connected (and idle) to the answer's head; a long poll needs its wait and 15 s more. Default 30 000. */
  readonly firstByteMs?: number;
  /** To the end of the answer, redirects and a second try included; default firstByteMs + 30 000. */
  readonly totalMs?: number;
  /** Doing it twice does no harm: sent again when a kept-alive connection turns out to be dead. Default: GET only. */
  readonly repeatable?: boolean;
  readonly signal: AbortSignal;
}

export interface Http {
  /** Any status is an answer. @throws AgentError with the codes of errors.ts and answer.ts, `redirect_refused`, `first_byte_timeout`, `total_timeout`, `aborted` */
  request(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

const GZIP_FROM_BYTES = 1024;
const MAX_REDIRECTS = 3;

/** @throws AgentError `https_required` */
export function openHttp(options: HttpOptions): Http {
  const base = new URL(options.baseUrl);
  const secure = base.protocol === "https:";
  if (!secure && !isLoopback(base.hostname)) {
    throw new AgentError(
      "https_required",
      `${base.host} is another host, and a token must not go there over plain HTTP.`,
      `url = "https://${base.host}"`,
    );
  }
  const connectMs = options.connectMs ?? 10_000;
  const proxy = usesProxy(options.proxy, base) ? options.proxy : null;
  const route: Route = {
    host: `${base.hostname}:${base.port || (secure ? 443 : 80)}`,
    proxy: proxy ? new URL(proxy.url).host : null,
  };
  let sockets: Sockets | null = null;

  async function request(asked: HttpRequest): Promise<HttpAnswer> {
    const id = randomUUID();
    const started = monotonic();
    const told = {
      request: id,
      method: asked.method,
      path: asked.path.replace(/\?.*/, ""),
      host: route.host,
    };
    try {
      sockets ??= openSockets(secure, options, proxy, connectMs, options.traffic);
      const answer = await follow(asked, id, sockets);
      options.log.debug(
        { ...told, status: answer.status, ms: Math.round(monotonic() - started) },
        "answered",
      );
      return answer;
    } catch (thrown) {
      const error = requestError(thrown, route);
      options.log.debug({ ...told, code: error.code, ms: Math.round(monotonic() - started) }, "no answer");
      // The next try reads CA, certificate and credentials anew: whoever mends a file need not restart.
      if (/^(tls_|proxy_)/.test(error.code)) close();
      throw error;
    } finally {
      sockets?.settle();
    }
  }

  async function follow(asked: HttpRequest, id: string, over: Sockets): Promise<HttpAnswer> {
    let target = new URL(base.pathname.replace(/\/$/, "") + asked.path, base);
    const until = monotonic() + totalOf(asked);
    for (let hops = 0; ; hops++) {
      const answer = await tryTwice(asked, target, id, over, until);
      const { status } = answer;
      const { location } = answer.headers;
      if (status < 300 || status > 399 || status === 304) return answer;
      const next =
        location !== undefined && URL.canParse(location, target) ? new URL(location, target) : null;
      if (asked.method !== "GET" || next === null || next.origin !== base.origin || hops >= MAX_REDIRECTS) {
        throw new AgentError(
          "redirect_refused",
          `${route.host} redirects ${asked.method} requests (${status}) to ${next?.origin ?? "nowhere"}, which is not followed.`,
          "foundry-agent config show  # is url the address where the API really is? A captive portal may be answering",
        );
      }
      target = next;
    }
  }

  /** @param until monotonic, milliseconds: when the whole has to be over */
  async function tryTwice(
    asked: HttpRequest,
    target: URL,
    id: string,
    over: Sockets,
    until: number,
  ): Promise<HttpAnswer> {
    const one = (): Exchange => ({
      target,
      method: asked.method,
      ...prepare(asked, id, options.userAgent),
      agent: over.agent,
      route,
      limits: {
        connectMs,
        firstByteMs: firstByteOf(asked),
        totalMs: totalOf(asked),
        leftMs: Math.max(1, Math.round(until - monotonic())),
      },
      signal: asked.signal,
    });
    try {
      return await exchange(one());
    } catch (error) {
      const repeatable = asked.repeatable ?? asked.method === "GET";
      if (!(error instanceof DeadConnection && repeatable)) throw error;
      return await exchange(one());
    }
  }

  function close(): void {
    sockets?.close();
    sockets?.settle();
    sockets = null;
  }

  return { request, close };
}

function firstByteOf(asked: HttpRequest): number {
  return asked.firstByteMs ?? 30_000;
}

function totalOf(asked: HttpRequest): number {
  return asked.totalMs ?? firstByteOf(asked) + 30_000;
}

function prepare(asked: HttpRequest, id: string, userAgent: string): Pick<Exchange, "headers" | "payload"> {
  const headers: Record<string, string> = {
    accept: "application/json",
    "accept-encoding": "gzip",
    "user-agent": userAgent,
    "x-request-id": id,
  };
  if (asked.bearer !== undefined) headers.authorization = `Bearer ${asked.bearer}`;
  if (asked.body === undefined) return { headers: { ...headers, ...asked.headers }, payload: null };
  let payload = Buffer.from(asked.body as string);
  if (typeof asked.body === "string") {
    headers["content-type"] = "application/json";
    if (payload.length > GZIP_FROM_BYTES) {
      payload = gzipSync(payload);
      headers["content-encoding"] = "gzip";
    }
  }
  headers["content-length"] = String(payload.length);
  return { headers: { ...headers, ...asked.headers }, payload };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
