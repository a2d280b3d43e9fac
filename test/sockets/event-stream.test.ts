import { createServer as createHttpServer } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { nextUlid } from "../../src/model/ulid.ts";
import { streamEvents } from "../../src/sockets/event-stream.ts";
import { openSocketTexts } from "../../src/sockets/redacted-texts.ts";
import { bareView } from "../support/agent/bare-view.ts";
import { pretendEvents } from "../support/agent/pretend.ts";
import { ask, follow, startServer } from "../support/agent/unix-http.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { NOW } from "../support/now.ts";

/** More events, and faster, than an agent has. */
function eventful() {
  const view = bareView();
  return { view, ...pretendEvents(view) };
}

describe("the event stream", () => {
  test("gives what is kept, since an event, up to a limit", async () => {
    const { view, events, happen } = eventful();
    for (let i = 0; i < 250; i++) happen({ type: `t.${i}` });
    const server = await startServer({ view });
    const types = async (query: string) =>
      (await ask(server.statusSocket, `/v1/events${query}`)).text
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line).type);
    expect(await types("")).toEqual(Array.from({ length: 250 }, (_, i) => `t.${i}`));
    expect(await types(`?since=${events[247]?.id}`)).toEqual(["t.248", "t.249"]);
    expect(await types("?limit=2")).toEqual(["t.0", "t.1"]);
    expect(await types(`?since=${nextUlid("", NOW + 1e9, new Uint8Array(10))}`)).toEqual([]);
  });

  test("goes on with what comes, nothing twice and nothing left out, to several readers", async () => {
    const { view, happen, listeners } = eventful();
    happen({ type: "before" });
    const server = await startServer({ view });
    const readers = [server.statusSocket, server.controlSocket].map((path) =>
      follow(path, "/v1/events?follow=1"),
    );
    await Promise.all(readers.map((reader) => reader.until(1)));
    await eventually(() => listeners.size === 2);
    for (let i = 0; i < 300; i++) happen({ type: `t.${i}` });
    for (const reader of readers) {
      await reader.until(301);
      expect(reader.lines.map((line) => JSON.parse(line).type)).toEqual([
        "before",
        ...Array.from({ length: 300 }, (_, i) => `t.${i}`),
      ]);
      reader.socket.destroy();
    }
    await eventually(() => listeners.size === 0);
  });

  test("holds nothing for a reader that takes nothing, while others go on", async () => {
    const { view, happen, listeners } = eventful();
    const server = await startServer({ view });
    const slow = follow(server.controlSocket, "/v1/events?follow=1");
    slow.socket.pause();
    await eventually(() => listeners.size === 1);
    const asked: string[] = [];
    const { eventsSince } = view;
    view.eventsSince = (id, limit) => {
      asked.push(id);
      return eventsSince(id, limit);
    };
    for (let i = 0; i < 3000; i++) happen({ type: "large", data: { text: "x".repeat(1000) } });
    const quick = follow(server.controlSocket, "/v1/events");
    await quick.until(3000);
    // The slow one was given what the socket takes and is not read for any further.
    // (30 times for the quick one; were the slow one's events piled up, as often again.)
    expect(asked.length).toBeLessThan(45);
    slow.socket.resume();
    await slow.until(3000);
    expect(new Set(slow.lines.map((line) => JSON.parse(line).id)).size).toBe(3000);
  });

  test("cuts off a reader that takes nothing for too long", async () => {
    const { view, happen, listeners } = eventful();
    for (let i = 0; i < 3000; i++) happen({ type: "large", data: { text: "x".repeat(1000) } });
    const path = join(temporaryFolder(), "s");
    const over: string[] = [];
    const server = createHttpServer((_request, response) => {
      const options = { since: "", follow: true, limit: 1e9, audience: "control", stallMs: 20 } as const;
      void streamEvents(view, openSocketTexts(view), response, options).then(() => over.push("over"));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    const slow = follow(path, "/v1/events");
    slow.socket.pause();
    await eventually(() => over.length === 1);
    expect(listeners.size).toBe(0);
    slow.socket.resume();
    await slow.closed;
    expect(slow.lines.length).toBeLessThan(3000);
  });

  test("has room for eight readers a socket, and a stop ends them all", async () => {
    const { view, listeners } = eventful();
    const server = await startServer({ view });
    const readers = Array.from({ length: 8 }, () => follow(server.statusSocket, "/v1/events?follow=1"));
    await eventually(() => listeners.size === 8);
    const ninth = await ask(server.statusSocket, "/v1/events");
    expect([ninth.status, ninth.json.error.code]).toEqual([429, "too_many_streams"]);
    expect((await ask(server.controlSocket, "/v1/events")).status).toBe(200);
    await server.close();
    await Promise.all(readers.map((reader) => reader.closed));
    expect(listeners.size).toBe(0);
  });
});
