/** What a route of the two sockets is: a literal row of table.ts, read by the server and by openapi.ts. */
import type { Socket } from "node:net";
import type { GenericSchema } from "valibot";
import type { AgentView } from "../agent-view.ts";
import type { SocketCaller } from "../caller.ts";
import type { StreamOptions } from "../event-stream.ts";
import type { MetricsOptions } from "../metrics/prometheus-text.ts";
import type { Audience, SocketTexts } from "../redacted-texts.ts";

/** What every handler gets. */
export interface RouteContext {
  readonly view: AgentView;
  readonly texts: SocketTexts;
  readonly metrics: MetricsOptions;
  /** Who is connected; uid -1 where it can't be known. */
  callerOf(socket: Socket): SocketCaller;
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
}

/** One request, as far as handlers need it. */
export interface Call {
  /** Which socket it came in by. */
  readonly socket: "status" | "control";
  readonly audience: Audience;
  /** From the pattern, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON of a body, null without one. */
  readonly body: unknown;
  readonly ifNoneMatch: string | null;
  /** Of a POST on control.sock, as the kernel says; else "unknown". */
  readonly caller: SocketCaller;
}

/** `{data}` around this value; its shape is in wire/answers.ts. */
export interface Data<T> {
  readonly data: T;
}

/** `{data}` around a JSON text that is there already. */
export type Tagged =
  | { readonly dataText: string; readonly etag: string | null }
  | { readonly notModified: string };

export type Answer =
  | Data<unknown>
  | Tagged
  /** No envelope. */
  | { readonly text: string; readonly type: string }
  | { readonly bytes: Uint8Array; readonly type: string; readonly fileName: string }
  | { readonly events: Omit<StreamOptions, "audience"> };

export interface Route {
  readonly method: "GET" | "POST";
  /** `{name}` stands for one part of the path. */
  readonly path: string;
  /** status: answered on both sockets; control: on control.sock only. */
  readonly socket: "status" | "control";
  readonly summary: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: GenericSchema | null;
  /** @throws AgentError: its code decides the status (http.ts) */
  run(context: RouteContext, call: Call): Answer | Promise<Answer>;
}
