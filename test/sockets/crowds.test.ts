/** Slow, idle and never-reading connections of some users keep no other out of a socket. */
import { spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { addressKey } from "../../src/sockets/metrics/address-key.ts";
import { startMetricsListener } from "../../src/sockets/metrics/listener.ts";
import { openNative } from "../../src/system/native.ts";
import { bareView } from "../support/agent/bare-view.ts";
import { crowd } from "../support/agent/crowd.ts";
import { fullView } from "../support/agent/routes.ts";
import { ask, startServer } from "../support/agent/unix-http.ts";
import { NOBODY, runUnprivileged } from "../support/agent/unprivileged.ts";
import { eventually } from "../support/eventually.ts";
import { ask as askHelper, helperHouse, testHelper } from "../support/helper/helper.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { recordedLog } from "../support/text/log.ts";

/** Others can be played by root only, and told apart where the kernel can be asked. */
const canPlay = process.geteuid?.() === 0 && openNative() !== null;
const HEAD = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";

/** The answer's first line as another user sees it, or the error's code. */
async function askAs(uid: number, socket: string, path: string): Promise<string> {
  const { stdout } = await runUnprivileged({
    before: 'import { connect } from "node:net";',
    script: `const s = connect(process.argv[1]); s.write("GET " + process.argv[2] + " HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n");
      s.once("data", (d) => { console.log(String(d).split("\\r\\n")[0]); process.exit(); });
      s.on("error", (e) => console.log(e.code)); s.on("close", () => process.exit());`,
    args: [socket, path],
    uid,
    gid: uid,
  });
  return stdout.trim();
}

/** Where other users get to: the temporary folder itself is closed to them. */
async function openServer(view = bareView()) {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return await startServer({ view, runDir: join(folder, "run") });
}

describe.skipIf(!canPlay)("a hundred connections of one user that", () => {
  test.each([
    ["say nothing", ""],
    ["stop in the head", HEAD],
    ["stop in the body", `${HEAD}Content-Length: 10\r\n\r\nabc`],
    ["never read", `${HEAD.replace("/healthz", "/v1/report")}\r\n`.repeat(60)],
    ["follow events", `${HEAD.replace("/healthz", "/v1/events?follow=1")}\r\n`],
  ])("%s keep neither root, nor others, nor himself out", async (_what, bytes) => {
    const server = await openServer(await fullView());
    await crowd({ socket: server.statusSocket, count: 100, bytes });
    for (let i = 0; i < 3; i++) expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
    expect(await askAs(4_242, server.statusSocket, "/healthz")).toBe("HTTP/1.1 200 OK");
    expect(await askAs(NOBODY, server.statusSocket, "/healthz")).toBe("HTTP/1.1 200 OK");
    expect(await askAs(4_242, server.statusSocket, "/v1/events")).toBe("HTTP/1.1 200 OK");
    expect(server.lines).toEqual([]);
  });
});

describe.skipIf(!canPlay)("many users, each with all he may have,", () => {
  test("keep neither root nor a newcomer out", async () => {
    const server = await openServer();
    for (let uid = 5_000; uid < 5_006; uid++)
      await crowd({ socket: server.statusSocket, count: 16, bytes: HEAD, uid });
    expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
    expect(await askAs(4_242, server.statusSocket, "/healthz")).toBe("HTTP/1.1 200 OK");
  });

  test("leave a reader of events where he is: those that do nothing go first", async () => {
    const server = await openServer();
    const bytes = `${HEAD.replace("/healthz", "/v1/events?follow=1")}\r\n`;
    const reader = await crowd({ socket: server.statusSocket, count: 1, bytes, uid: 4_242 });
    for (let uid = 5_000; uid < 5_006; uid++)
      await crowd({ socket: server.statusSocket, count: 30, bytes: HEAD, uid });
    expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
    expect(reader.ended()).toBe(0);
  });
});

test("one user's own longest idle connections make room for his next ones", async () => {
  const server = await startServer({ view: bareView() });
  const sockets: Socket[] = [];
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  const gone = new Set<number>();
  for (let i = 0; i < 40; i++) {
    const socket = connect(server.statusSocket);
    sockets.push(socket);
    socket.on("error", () => undefined); // ended for another, seen by "close"
    socket.on("close", () => gone.add(i));
    await new Promise((resolve) => socket.once("connect", resolve));
  }
  await eventually(() => gone.size === 24);
  expect([...gone].sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i));
  const last = sockets[39] as Socket;
  last.write(`${HEAD}\r\n`);
  const answer = await new Promise((resolve) => last.once("data", (chunk) => resolve(String(chunk))));
  expect(answer).toContain("200 OK");
  expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
});

test.skipIf(!canPlay)("eight readers of events of one user leave room for others' and root's", async () => {
  const server = await openServer();
  const bytes = `${HEAD.replace("/healthz", "/v1/events?follow=1")}\r\n`;
  await crowd({ socket: server.statusSocket, count: 8, bytes });
  await eventually(async () => (await askAs(NOBODY, server.statusSocket, "/v1/events")).includes("429"));
  expect(await askAs(4_242, server.statusSocket, "/v1/events")).toBe("HTTP/1.1 200 OK");
  expect((await ask(server.statusSocket, "/v1/events")).status).toBe(200);
});

test.skipIf(!canPlay)(
  "the helper's socket: idle calls of the agent's user keep root out of nothing",
  async () => {
    const house = helperHouse();
    chmodSync(house.folder, 0o755);
    await testHelper(house, { servedUids: new Set([0, NOBODY]), transferMs: 60_000 });
    chmodSync(house.socket, 0o666);
    const bytes = "\0\0\0\x20{";
    const idle = await crowd({ socket: house.socket, count: 400, bytes });
    for (let i = 0; i < 3; i++) expect(await askHelper(house.socket)).toBe("ok");
    await eventually(() => idle.ended() >= 400 - 128);
    expect(await askHelper(house.socket)).toBe("ok");
  },
);

/** Another user's connection, kept from one scrape to the next: it asks once, and again when it is told to. */
function otherScraper(port: number): { answers(): string[]; ask(): void } {
  const script = `import { connect } from "node:net";
    process.setgroups([]); process.setgid(4242); process.setuid(4242);
    const s = connect({ port: ${port}, host: "127.0.0.1" });
    process.stdin.on("data", () => s.write("GET /metrics HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"));
    s.on("data", (d) => { for (const [line] of String(d).matchAll(/HTTP.1.1 \\d+/g)) console.log(line); });
    s.on("error", (e) => console.log(e.code)); s.on("close", () => console.log("closed"));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: "/", env: {} });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  const ask = (): void => void child.stdin.write("ask\n");
  ask();
  return { answers: () => text.split("\n").filter((line) => line !== ""), ask };
}

describe("the listener for metrics", () => {
  async function listener() {
    const off = { tlsCertFile: null, tlsKeyFile: null, bearerFile: null, clientCaFile: null };
    const options = { ...off, serials: false, textfile: null, exclude: [] };
    const listen = { host: "127.0.0.1", port: 0 };
    const { log, lines } = recordedLog();
    const started = await startMetricsListener({ ...options, listen }, bareView(), log);
    onTestFinished(() => started.close());
    return { port: started.address?.port ?? 0, lines };
  }

  test("is not kept from a scraper by connections that do nothing", async () => {
    const { port, lines } = await listener();
    const sockets: Socket[] = [];
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    for (let i = 0; i < 60; i++) {
      const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${(i % 200) + 1}` });
      sockets.push(socket);
      socket.on("error", () => undefined); // ended for another
      await new Promise((resolve) => socket.once("connect", resolve));
      if (i % 2 === 0) socket.write("GET /metrics HTTP/1.1\r\nHost: local");
    }
    for (let i = 0; i < 3; i++) expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
    expect(lines).toEqual([]);
  });

  test.skipIf(!canPlay)(
    "is not kept from a scraper, nor ended in a scrape, by another user's connections",
    async () => {
      const { port, lines } = await listener();
      const scraper = otherScraper(port);
      await eventually(() => scraper.answers().length === 1);
      const halves = "GET /metrics HTTP/1.1\r\nHost: local";
      for (const bytes of [halves, `${halves}host\r\n\r\n`.repeat(50)]) {
        await crowd({ socket: port, count: 40, bytes });
        // Accepted in order: those before it have been seen to.
        expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
      }
      scraper.ask();
      await eventually(() => scraper.answers().length > 1);
      expect(scraper.answers()).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
      expect(lines).toEqual([]);
    },
  );

  test("counts by address: this host as one, IPv6 by the 64 bits that a network gives out", () => {
    const keys = (...addresses: string[]): number => new Set(addresses.map(addressKey)).size;
    expect(keys("127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1")).toBe(1);
    expect(keys("192.0.2.1", "::ffff:192.0.2.1")).toBe(1);
    expect(keys("192.0.2.1", "192.0.2.2")).toBe(2);
    expect(keys("2001:db8::1", "2001:db8::2:3:4:5", "2001:db8:0:0:ffff::", "2001:0db8::9%eth0")).toBe(1);
    expect(keys("2001:db8::1", "2001:db8:0:1::1", "2001:db8:1::1", "fe80::1%eth0", "::2")).toBe(5);
    expect(keys("", "nonsense")).toBe(2);
  });
});
