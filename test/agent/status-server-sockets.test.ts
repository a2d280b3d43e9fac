import { execFile, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { streamEvents } from "../../src/agent/event-stream.ts";
import { groupId } from "../../src/agent/socket-file.ts";
import { openSocketTexts } from "../../src/agent/socket-texts.ts";
import { startStatusServer } from "../../src/agent/status-server.ts";
import { nextUlid } from "../../src/model/ulid.ts";
import { recordedLog } from "../support/log.ts";
import { temporaryFolder } from "../support/tree.ts";
import { ask, startServer } from "../support/unix-http.ts";
import { NOW, type TestView, viewOfSections } from "../support/view.ts";

const emptyView = (): TestView => viewOfSections({}, []);
const mode = (path: string): number => lstatSync(path).mode & 0o777;
const AS_ROOT = process.geteuid?.() === 0;
const NOBODY = 65534;

/** Where an unprivileged child gets to: the temporary folder itself is closed to others. */
function openFolder(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return folder;
}

/** "answered STATUS" or the error's code, of a child that is another user when we are root. */
async function askAs(uid: number, gid: number, socket: string, method = "GET"): Promise<string> {
  const script = `const r = require("node:http").request({ socketPath: process.argv[1], path: "/v1/status", method: process.argv[2] }, (a) => { console.log("answered " + a.statusCode); a.resume(); });
    r.on("error", (e) => console.log(e.code)); r.end();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, socket, method], { uid, gid, cwd: "/" });
  return stdout.trim();
}

describe("the socket files", () => {
  test("status.sock is for everybody, control.sock for its owner alone without an admin group", async () => {
    const server = await startServer({ view: emptyView() });
    expect(mode(server.statusSocket)).toBe(0o666);
    expect(mode(server.controlSocket)).toBe(0o600);
    expect(readdirSync(join(server.statusSocket, ".."))).toEqual(["control.sock", "status.sock"]);
  });

  test("with an admin group control.sock is its", async () => {
    const gid = AS_ROOT ? 4242 : (process.getegid?.() ?? 0);
    const server = await startServer({ view: emptyView(), adminGid: gid });
    expect([mode(server.controlSocket), lstatSync(server.controlSocket).gid]).toEqual([0o660, gid]);
  });

  test("an unprivileged user gets to status.sock only, and may only look", async () => {
    if (!AS_ROOT) {
      // Nobody else can be played: what counts then is that others have no permission at all.
      const server = await startServer({ view: emptyView() });
      expect(mode(server.controlSocket) & 0o007).toBe(0);
      return;
    }
    const server = await startServer({ view: emptyView(), runDir: join(openFolder(), "run"), adminGid: 4242 });
    expect(await askAs(NOBODY, NOBODY, server.controlSocket)).toBe("EACCES");
    expect(await askAs(NOBODY, 4242, server.controlSocket)).toBe("answered 200");
    expect(await askAs(NOBODY, NOBODY, server.statusSocket)).toBe("answered 200");
    expect(await askAs(NOBODY, NOBODY, server.statusSocket, "POST")).toBe("answered 403");
  });

  test("a group we may not give files to leaves control.sock to its owner, with a warning", async () => {
    if (AS_ROOT) return expect(groupId("root")).toBe(0); // root may give to every group
    const server = await startServer({ view: emptyView(), adminGid: 4242 });
    expect(mode(server.controlSocket)).toBe(0o600);
    expect(server.lines.some((line) => line.level === 40)).toBe(true);
  });

  test("groups are found by name in /etc/group", () => {
    const groups = join(temporaryFolder(), "group");
    writeFileSync(groups, "root:x:0:\nbroken\nfoundry-admin:x:991:ann,bob\nodd:x:none:\n");
    expect([groupId("foundry-admin", groups), groupId("root", groups)]).toEqual([991, 0]);
    expect([groupId("odd", groups), groupId("foundry", groups), groupId("root", "/nonexistent")]).toEqual([null, null, null]);
  });
});

describe("what is there already", () => {
  test("a dead daemon's sockets are replaced", async () => {
    const runDir = join(temporaryFolder(), "run");
    mkdirSync(runDir);
    // A child that is killed leaves its socket files behind, as a crashed daemon does.
    const script = `const net = require("node:net"); let n = 0;
      for (const s of ["status", "control"]) net.createServer().listen(process.argv[1] + "/" + s + ".sock", () => ++n === 2 && console.log("up"));`;
    const child = spawn(process.execPath, ["-e", script, runDir]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await expect(startServer({ view: emptyView(), runDir })).rejects.toMatchObject({ code: "already_running" });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    expect(existsSync(join(runDir, "status.sock"))).toBe(true);
    const server = await startServer({ view: emptyView(), runDir });
    expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
  });

  test("a living daemon's never, not even one that does not answer", async () => {
    const server = await startServer({ view: emptyView() });
    const runDir = join(server.statusSocket, "..");
    await expect(startServer({ view: emptyView(), runDir })).rejects.toMatchObject({ code: "already_running", nextStep: "foundry-agent status" });
    expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
    const other = join(temporaryFolder(), "run");
    mkdirSync(other);
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(join(other, "status.sock"), resolve));
    onTestFinished(() => void silent.close());
    await expect(startServer({ view: emptyView(), runDir: other })).rejects.toMatchObject({ code: "already_running" });
    expect(readdirSync(other)).toEqual(["status.sock"]);
  });

  test("something that is no socket is left alone", async () => {
    const runDir = join(temporaryFolder(), "run");
    mkdirSync(runDir);
    writeFileSync(join(runDir, "control.sock"), "precious");
    await expect(startServer({ view: emptyView(), runDir })).rejects.toMatchObject({ code: "socket_path" });
    expect(lstatSync(join(runDir, "control.sock")).size).toBe(8);
  });

  test("a folder that others may change, and one with too long a name, are refused", async () => {
    const open = join(temporaryFolder(), "run");
    mkdirSync(open);
    chmodSync(open, 0o777);
    await expect(startServer({ view: emptyView(), runDir: open })).rejects.toMatchObject({ code: "run_folder" });
    const long = join(temporaryFolder(), "x".repeat(100));
    await expect(startServer({ view: emptyView(), runDir: long })).rejects.toMatchObject({ code: "socket_path" });
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    await expect(startServer({ view: emptyView(), runDir: join(file, "run") })).rejects.toMatchObject({ code: "run_folder" });
    if (!AS_ROOT) return;
    const foreign = join(temporaryFolder(), "run");
    execFileSync("install", ["-d", "-o", String(NOBODY), foreign]);
    await expect(startServer({ view: emptyView(), runDir: foreign })).rejects.toMatchObject({ code: "run_folder" });
    const link = join(temporaryFolder(), "run");
    symlinkSync(foreign, link);
    execFileSync("chown", ["-h", String(NOBODY), link]);
    await expect(startServer({ view: emptyView(), runDir: link })).rejects.toMatchObject({ code: "run_folder" });
  });

  test("after a stop the files are gone, but another daemon's stay", async () => {
    const runDir = join(temporaryFolder(), "run");
    const first = await startStatusServer({ view: emptyView(), runDir, log: recordedLog().log, adminGid: null });
    await first.close();
    expect(readdirSync(runDir)).toEqual([]);
    const second = await startServer({ view: emptyView(), runDir });
    await first.close();
    expect((await ask(second.statusSocket, "/healthz")).status).toBe(200);
  });
});

/** A reader of the event stream that keeps its lines; `pause` stops reading. */
function follow(socketPath: string, path: string): { lines: string[]; socket: Socket; until: (count: number) => Promise<void>; closed: Promise<void> } {
  const socket = connect(socketPath);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const lines: string[] = [];
  let wake = (): void => undefined;
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.filter((part) => part.startsWith("{")));
    wake();
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => undefined); // a reader that was cut off sees a reset
  onTestFinished(() => void socket.destroy());
  return {
    lines,
    socket,
    closed,
    async until(count) {
      while (lines.length < count) await new Promise<void>((resolve) => { wake = resolve; });
    },
  };
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("the event stream", () => {
  test("gives what is kept, since an event, up to a limit", async () => {
    const view = emptyView();
    for (let i = 0; i < 250; i++) view.happen({ type: `t.${i}` });
    const server = await startServer({ view });
    const types = async (query: string) =>
      (await ask(server.statusSocket, `/v1/events${query}`)).text.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).type);
    expect(await types("")).toEqual(Array.from({ length: 250 }, (_, i) => `t.${i}`));
    expect(await types(`?since=${view.events[247]?.id}`)).toEqual(["t.248", "t.249"]);
    expect(await types("?limit=2")).toEqual(["t.0", "t.1"]);
    expect(await types(`?since=${nextUlid("", NOW + 1e9, new Uint8Array(10))}`)).toEqual([]);
  });

  test("goes on with what comes, nothing twice and nothing left out, to several readers", async () => {
    const view = emptyView();
    view.happen({ type: "before" });
    const server = await startServer({ view });
    const readers = [server.statusSocket, server.controlSocket].map((path) => follow(path, "/v1/events?follow=1"));
    await Promise.all(readers.map((reader) => reader.until(1)));
    await eventually(() => view.listeners() === 2);
    for (let i = 0; i < 300; i++) view.happen({ type: `t.${i}` });
    for (const reader of readers) {
      await reader.until(301);
      expect(reader.lines.map((line) => JSON.parse(line).type)).toEqual(["before", ...Array.from({ length: 300 }, (_, i) => `t.${i}`)]);
      reader.socket.destroy();
    }
    await eventually(() => view.listeners() === 0);
  });

  test("holds nothing for a reader that takes nothing, while others go on", async () => {
    const view = emptyView();
    const server = await startServer({ view });
    const slow = follow(server.controlSocket, "/v1/events?follow=1");
    slow.socket.pause();
    await eventually(() => view.listeners() === 1);
    const asked: string[] = [];
    const { eventsSince } = view;
    view.eventsSince = (id, limit) => {
      asked.push(id);
      return eventsSince(id, limit);
    };
    for (let i = 0; i < 3000; i++) view.happen({ type: "large", data: { text: "x".repeat(1000) } });
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
    const view = emptyView();
    for (let i = 0; i < 3000; i++) view.happen({ type: "large", data: { text: "x".repeat(1000) } });
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
    expect(view.listeners()).toBe(0);
    slow.socket.resume();
    await slow.closed;
    expect(slow.lines.length).toBeLessThan(3000);
  });

  test("has room for eight readers a socket, and a stop ends them all", async () => {
    const view = emptyView();
    const server = await startServer({ view });
    const readers = Array.from({ length: 8 }, () => follow(server.statusSocket, "/v1/events?follow=1"));
    await eventually(() => view.listeners() === 8);
    const ninth = await ask(server.statusSocket, "/v1/events");
    expect([ninth.status, ninth.json.error.code]).toEqual([429, "too_many_streams"]);
    expect((await ask(server.controlSocket, "/v1/events")).status).toBe(200);
    await server.close();
    await Promise.all(readers.map((reader) => reader.closed));
    expect(view.listeners()).toBe(0);
  });
});

test("connections beyond 32 are turned away, and those before them go on", async () => {
  const server = await startServer({ view: emptyView() });
  const sockets = Array.from({ length: 40 }, () => connect(server.statusSocket));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  let closed = 0;
  for (const socket of sockets) {
    socket.on("error", () => undefined); // turned away, counted by "close"
    socket.on("close", () => closed++);
  }
  await eventually(() => closed === 8);
  const survivor = sockets.find((socket) => !socket.destroyed) as Socket;
  survivor.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const answer = await new Promise((resolve) => survivor.once("data", (chunk) => resolve(String(chunk))));
  expect(answer).toContain("200 OK");
  expect((await ask(server.controlSocket, "/healthz")).status).toBe(200);
});
