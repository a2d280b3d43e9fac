import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openBugLog } from "../../src/sockets/bug-log.ts";
import { httpOnDemand } from "../../src/sockets/http-on-demand.ts";
import { startStatusServer } from "../../src/sockets/server.ts";
import { groupId } from "../../src/sockets/socket-file.ts";
import { bareView } from "../support/agent/bare-view.ts";
import { ask, startServer } from "../support/agent/unix-http.ts";
import { NOBODY, runUnprivileged } from "../support/agent/unprivileged.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { recordedLog } from "../support/text/log.ts";

const mode = (path: string): number => lstatSync(path).mode & 0o777;
const AS_ROOT = process.geteuid?.() === 0;

/** Where an unprivileged child gets to: the temporary folder itself is closed to others. */
function openFolder(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return folder;
}

/** "answered STATUS" or the error's code, of a child that is another user when we are root. */
async function askAs(uid: number, gid: number, socket: string, method = "GET"): Promise<string> {
  const { stdout } = await runUnprivileged({
    before: 'import { request } from "node:http";',
    script: `const r = request({ socketPath: process.argv[1], path: "/v1/status", method: process.argv[2] }, (a) => { console.log("answered " + a.statusCode); a.resume(); });
      r.on("error", (e) => console.log(e.code)); r.end();`,
    args: [socket, method],
    uid,
    gid,
  });
  return stdout.trim();
}

describe("the socket files", () => {
  test("status.sock is for everybody, control.sock for its owner alone without an admin group", async () => {
    const server = await startServer({ view: bareView() });
    expect(mode(server.statusSocket)).toBe(0o666);
    expect(mode(server.controlSocket)).toBe(0o600);
    expect(readdirSync(join(server.statusSocket, ".."))).toEqual(["control.sock", "status.sock"]);
  });

  test("with an admin group control.sock is its", async () => {
    const gid = AS_ROOT ? 4242 : (process.getegid?.() ?? 0);
    const server = await startServer({ view: bareView(), adminGid: gid });
    expect([mode(server.controlSocket), lstatSync(server.controlSocket).gid]).toEqual([0o660, gid]);
  });

  test("an unprivileged user gets to status.sock only, and may only look", async () => {
    if (!AS_ROOT) {
      // Nobody else can be played: what counts then is that others have no permission at all.
      const server = await startServer({ view: bareView() });
      expect(mode(server.controlSocket) & 0o007).toBe(0);
      return;
    }
    const server = await startServer({
      view: bareView(),
      runDir: join(openFolder(), "run"),
      adminGid: 4242,
    });
    expect(await askAs(NOBODY, NOBODY, server.controlSocket)).toBe("EACCES");
    expect(await askAs(NOBODY, 4242, server.controlSocket)).toBe("answered 200");
    expect(await askAs(NOBODY, NOBODY, server.statusSocket)).toBe("answered 200");
    expect(await askAs(NOBODY, NOBODY, server.statusSocket, "POST")).toBe("answered 403");
  });

  test("a group we may not give files to leaves control.sock to its owner, with a warning", async () => {
    if (AS_ROOT) return expect(groupId("root")).toBe(0); // root may give to every group
    const server = await startServer({ view: bareView(), adminGid: 4242 });
    expect(mode(server.controlSocket)).toBe(0o600);
    expect(server.lines.some((line) => line.level === 40)).toBe(true);
  });

  test("groups are found by name in /etc/group", () => {
    const groups = join(temporaryFolder(), "group");
    writeFileSync(groups, "root:x:0:\nbroken\nfoundry-admin:x:991:ann,bob\nodd:x:none:\n");
    expect([groupId("foundry-admin", groups), groupId("root", groups)]).toEqual([991, 0]);
    expect([groupId("odd", groups), groupId("foundry", groups), groupId("root", "/nonexistent")]).toEqual([
      null,
      null,
      null,
    ]);
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
    await expect(startServer({ view: bareView(), runDir })).rejects.toMatchObject({
      code: "already_running",
    });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    expect(existsSync(join(runDir, "status.sock"))).toBe(true);
    const server = await startServer({ view: bareView(), runDir });
    expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
  });

  test("a living daemon's never, not even one that does not answer", async () => {
    const server = await startServer({ view: bareView() });
    const runDir = join(server.statusSocket, "..");
    await expect(startServer({ view: bareView(), runDir })).rejects.toMatchObject({
      code: "already_running",
      nextStep: "foundry-agent status",
    });
    expect((await ask(server.statusSocket, "/healthz")).status).toBe(200);
    const other = join(temporaryFolder(), "run");
    mkdirSync(other);
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(join(other, "status.sock"), resolve));
    onTestFinished(() => void silent.close());
    await expect(startServer({ view: bareView(), runDir: other })).rejects.toMatchObject({
      code: "already_running",
    });
    expect(readdirSync(other)).toEqual(["status.sock"]);
  });

  test("something that is no socket is left alone", async () => {
    const runDir = join(temporaryFolder(), "run");
    mkdirSync(runDir);
    writeFileSync(join(runDir, "control.sock"), "precious");
    await expect(startServer({ view: bareView(), runDir })).rejects.toMatchObject({ code: "socket_path" });
    expect(lstatSync(join(runDir, "control.sock")).size).toBe(8);
  });

  test("a folder that others may change, and one with too long a name, are refused", async () => {
    const open = join(temporaryFolder(), "run");
    mkdirSync(open);
    chmodSync(open, 0o777);
    await expect(startServer({ view: bareView(), runDir: open })).rejects.toMatchObject({
      code: "run_folder",
    });
    const long = join(temporaryFolder(), "x".repeat(100));
    await expect(startServer({ view: bareView(), runDir: long })).rejects.toMatchObject({
      code: "socket_path",
    });
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    await expect(startServer({ view: bareView(), runDir: join(file, "run") })).rejects.toMatchObject({
      code: "run_folder",
    });
    if (!AS_ROOT) return;
    const foreign = join(temporaryFolder(), "run");
    execFileSync("install", ["-d", "-o", String(NOBODY), foreign]);
    await expect(startServer({ view: bareView(), runDir: foreign })).rejects.toMatchObject({
      code: "run_folder",
    });
    const link = join(temporaryFolder(), "run");
    symlinkSync(foreign, link);
    execFileSync("chown", ["-h", String(NOBODY), link]);
    await expect(startServer({ view: bareView(), runDir: link })).rejects.toMatchObject({
      code: "run_folder",
    });
  });

  test("after a stop the files are gone, but another daemon's stay", async () => {
    const runDir = join(temporaryFolder(), "run");
    const first = await startServer({ view: bareView(), runDir });
    await first.close();
    expect(readdirSync(runDir)).toEqual([]);
    const second = await startServer({ view: bareView(), runDir });
    await first.close();
    expect((await ask(second.statusSocket, "/healthz")).status).toBe(200);
  });

  test("a second stop removes nothing, though a file system may give a new file the number of the one that is gone", async () => {
    const runDir = join(temporaryFolder(), "run");
    const first = await startServer({ view: bareView(), runDir });
    const sameNumber = join(runDir, "same-number");
    linkSync(first.statusSocket, sameNumber);
    await first.close();
    renameSync(sameNumber, first.statusSocket);
    await first.close();
    expect(readdirSync(runDir)).toEqual(["status.sock"]);
  });

  test("what was put in the place of a living daemon's socket stays when that one stops", async () => {
    const runDir = join(temporaryFolder(), "run");
    const first = await startServer({ view: bareView(), runDir });
    const other = join(runDir, "other");
    writeFileSync(other, "");
    renameSync(other, first.statusSocket);
    await first.close();
    expect(readdirSync(runDir)).toEqual(["status.sock"]);
  });
});

test("a stop ends a connection that was answered and kept, and one in the middle of a request", async () => {
  const server = await startStatusServer({
    view: bareView(),
    runDir: join(temporaryFolder(), "run"),
    log: recordedLog().log,
    adminGid: null,
  });
  const [kept, halfway] = [connect(server.statusSocket), connect(server.statusSocket)];
  onTestFinished(() => [kept, halfway].forEach((socket) => void socket.destroy()));
  const ended = [kept, halfway].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  for (const socket of [kept, halfway]) {
    socket.on("error", () => undefined); // cut off, seen by "close"
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    socket.resume();
  }
  halfway.write("GET /healthz HTTP/1.1\r\n");
  await server.close();
  await Promise.all(ended);
});

test("who does not finish a request is told so and turned out", async () => {
  const limits = { headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 20 };
  const bugs = openBugLog(recordedLog().log);
  const http = httpOnDemand(async () => undefined, { bugs, uidOf: () => -1, limits });
  const path = join(temporaryFolder(), "s");
  await new Promise<void>((resolve) => http.listener.listen(path, resolve));
  const socket = connect(path);
  socket.write("GET /healthz HTTP/1.1\r\n");
  const answer = await new Promise((resolve) => socket.once("data", (chunk) => resolve(String(chunk))));
  expect(answer).toContain("408 Request Timeout");
  expect(answer).toContain("the request was not sent in time");
  await http.close();
});
