/**
 * GET /v1/events: what is kept since an event, one JSON object a line, and with `follow` what comes.
 *
 * A new event only wakes the stream, which then reads on in the store: so nothing is buffered for a
 * reader that is slow, and one that takes nothing for STALL_MS is cut off.
 */
import type { ServerResponse } from "node:http";
import type { AgentView } from "./agent-view.ts";
import type { Audience, SocketTexts } from "./redacted-texts.ts";

const BATCH = 100;
const STALL_MS = 30_000;

export interface StreamOptions {
  /** Exclusive; "" for everything that is kept. */
  readonly since: string;
  readonly follow: boolean;
  /** Stop after so many. */
  readonly limit: number;
  readonly audience: Audience;
  readonly stallMs?: number;
  /** Told whenever the reader begins or ends to take what is written. */
  readonly takes?: (does: boolean) => void;
}

/** Resolves when the stream is over, for whatever reason. The head must not have been sent. */
export async function streamEvents(
  view: AgentView,
  texts: SocketTexts,
  response: ServerResponse,
  options: StreamOptions,
): Promise<void> {
  let since = options.since;
  let left = options.limit;
  let wake: () => void = () => undefined;
  let news = false;
  const unsubscribe = options.follow
    ? view.onEvent(() => {
        news = true;
        wake();
      })
    : () => undefined;
  const woken = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  response.once("close", () => wake());
  try {
    response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
    response.flushHeaders(); // `follow` on a quiet node: the reader must see that it is connected
    while (left > 0 && !response.destroyed) {
      news = false;
      const events = view.eventsSince(since, Math.min(BATCH, left));
      if (events.length === 0) {
        if (!options.follow) break;
        if (!news) await woken();
        continue;
      }
      let text = "";
      for (const event of events) text += `${texts.event(event, options.audience)}\n`;
      since = events.at(-1)?.id ?? since;
      left -= events.length;
      if (response.write(text)) continue;
      options.takes?.(false);
      await drained(response, options.stallMs ?? STALL_MS);
      options.takes?.(true);
    }
  } finally {
    unsubscribe();
    response.end();
  }
}

/** When the reader has taken what was written; one that does not in time is cut off. */
async function drained(response: ServerResponse, stallMs: number): Promise<void> {
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    const timer = setTimeout(() => {
      response.destroy();
      done();
    }, stallMs);
    response.once("drain", done);
    response.once("close", done);
  });
}
