import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Io } from "../../../src/cli/output.ts";
import { openClient } from "../../../src/cli/socket/client.ts";
import { findSocket } from "../../../src/cli/socket/find.ts";
import { socketOwner } from "../../../src/cli/socket/owner.ts";
import { treeAgent } from "../../support/agent/tree-agent.ts";
import { runUnprivileged } from "../../support/agent/unprivileged.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const UID = process.geteuid?.() ?? 0;
const AS_ROOT = UID === 0;

const io: Io = {
  stdout: () => undefined,
  stderr: () => undefined,
  isTty: false,
  env: {},
  color: false,
  now: () => 0,
  signal: new AbortController().signal,
};

/** A listener on a unix socket, gone when the test is over. */
async function listening(
  path: string,
  server: Server | ReturnType<typeof createSocketServer> = createSocketServer(),
): Promise<string> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

function find(folder: string, more: Partial<Parameters<typeof findSocket>[0]> = {}) {
  // HOME and TMPDIR too, so that nothing of this machine is found.
  const env = { XDG_RUNTIME_DIR: folder, HOME: folder, TMPDIR: folder };
  return findSocket({ needs: "any", env, uid: UID, systemFolder: join(folder, "system"), ...more });
}

/** Code and message of what a user without rights is told; `folder` is opened for everybody. */
async function unprivileged(folder: string, socket: string): Promise<string> {
  chmodSync(folder, 0o755);
  const { stdout } = await runUnprivileged({
    before: "const { findSocket } = await import(process.argv[1]);",
    script: `const options = { needs: "any", env: {}, uid: 65534, socket: process.argv[2] };
      console.log(await findSocket(options).then(() => "found", (error) => error.code + " " + error.message + " Next: " + error.nextStep));`,
    args: [new URL("../../../src/cli/socket/find.ts", import.meta.url).href, socket],
  });
  return stdout;
}

describe("which socket", () => {
  test("control.sock where it may be used, the system's before one's own", async () => {
    const folder = temporaryFolder();
    await expect(find(folder)).rejects.toMatchObject({
      code: "daemon_unreachable",
      nextStep: expect.stringContaining("foundry-agent run"),
    });
    for (const name of [`foundry-agent-${UID}`, ".local/state/foundry-agent", "foundry-agent", "system"]) {
      mkdirSync(join(folder, name), { recursive: true });
      const path = await listening(join(folder, name, "control.sock"));
      expect(await find(folder)).toEqual({ path, kind: "control" });
    }
  });

  test("status.sock where there is no other, unless an administrator's is needed", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "system"));
    const path = await listening(join(folder, "system", "status.sock"));
    expect(await find(folder)).toEqual({ path, kind: "status" });
    await expect(find(folder, { needs: "control" })).rejects.toMatchObject({
      code: "refused_permission",
      nextStep: "sudo foundry-agent …",
    });
  });

  test("the one that was named, or the folder it is in", async () => {
    const folder = temporaryFolder();
    const control = await listening(join(folder, "control.sock"));
    const status = await listening(join(folder, "status.sock"));
    expect(await find("/nonexistent", { socket: status })).toEqual({ path: status, kind: "status" });
    expect(await find("/nonexistent", { socket: folder })).toEqual({ path: control, kind: "control" });
    await expect(find("/nonexistent", { socket: status, needs: "control" })).rejects.toMatchObject({
      code: "refused_permission",
    });
    await expect(find("/nonexistent", { socket: join(folder, "none") })).rejects.toMatchObject({
      code: "daemon_unreachable",
    });
    writeFileSync(join(folder, "file"), "");
    await expect(find("/nonexistent", { socket: join(folder, "file") })).rejects.toMatchObject({
      code: "daemon_unreachable",
    });
  });

  test("a folder of another user in a place for everybody is not believed", async () => {
    if (!AS_ROOT) return; // a folder of another user can be made by root only
    const folder = temporaryFolder();
    const own = join(folder, `foundry-agent-${UID}`);
    mkdirSync(own);
    await promisify(execFile)("chown", ["65534", own]);
    await listening(join(own, "control.sock"));
    await expect(find(folder)).rejects.toMatchObject({ code: "daemon_unreachable" });
  });

  test("an unprivileged user is told whose it is, and the line that may", async () => {
    const folder = temporaryFolder();
    const control = await listening(join(folder, "control.sock"));
    chmodSync(control, 0);
    const whose = AS_ROOT ? "root" : "root and the user ";
    expect(await unprivileged(folder, control)).toContain(`refused_permission ${control} is for ${whose}`);
    expect(await unprivileged(folder, folder)).toContain(`refused_permission ${control} is for ${whose}`);
  });

  test("what was given as --socket stays as it is in the line that may, also where nobody can look into it", async () => {
    const folder = temporaryFolder();
    const closed = join(folder, "closed");
    mkdirSync(join(closed, "run"), { recursive: true });
    const control = await listening(join(closed, "run", "control.sock"));
    chmodSync(closed, 0);
    onTestFinished(() => chmodSync(closed, 0o700));
    for (const given of [join(closed, "run"), control])
      expect(await unprivileged(folder, given)).toBe(
        `refused_permission ${given} is for root and the user who runs the agent Next: sudo foundry-agent …\n`,
      );
  });

  test("the group is named only where it is there and may", async () => {
    const folder = temporaryFolder();
    const control = await listening(join(folder, "control.sock"));
    chmodSync(control, 0o660);
    const { gid } = statSync(control);
    const names = { users: join(folder, "passwd"), groups: join(folder, "group") };
    writeFileSync(names.users, `me:x:${UID}:${gid}::/:/bin/sh\n`);
    writeFileSync(names.groups, `other:x:${gid + 1}:\nfoundry-admin:x:${gid}:me\n`);
    expect(socketOwner(control, folder, names)).toEqual({
      who: "root and the group foundry-admin",
      nextStep:
        "sudo foundry-agent …  # or join the group: sudo usermod -aG foundry-admin $USER, then log in again",
    });
    chmodSync(control, 0o600);
    const owner = AS_ROOT ? "root" : "root and the user me";
    const sudo = `sudo foundry-agent … --socket ${folder}`;
    expect(socketOwner(control, "/run/foundry-agent", names)).toEqual({ who: owner, nextStep: sudo });
    expect(socketOwner(control, null, names).nextStep).toBe("sudo foundry-agent …");
    expect(socketOwner(join(folder, "none"), folder, names)).toEqual({
      who: "root and the user who runs the agent",
      nextStep: "sudo foundry-agent …",
    });
  });

  test("an unprivileged user is told that no daemon runs where a killed one left its sockets", async () => {
    const folder = temporaryFolder();
    for (const name of ["control.sock", "status.sock"]) {
      const server = createSocketServer();
      const path = join(folder, `${name}.old`);
      await new Promise<void>((resolve) => server.listen(path, resolve));
      renameSync(path, join(folder, name)); // so that closing does not take it away
      await new Promise((resolve) => server.close(resolve));
    }
    chmodSync(join(folder, "control.sock"), 0);
    chmodSync(join(folder, "status.sock"), 0o666);
    expect(await unprivileged(folder, folder)).toMatch(/^daemon_unreachable /);
  });
});

describe("answers", () => {
  async function clientOf(respond: Parameters<typeof createServer>[1]) {
    const path = await listening(join(temporaryFolder(), "control.sock"), createServer(respond as never));
    return await openClient(io, { socket: path });
  }

  test("errors come as the daemon's own", async () => {
    const { controlSocket } = await treeAgent({ tree: "vm", registered: "none" });
    const client = await openClient(io, { socket: controlSocket });
    expect(await client.get("/v1/why")).toEqual([]);
    await expect(client.get("/v1/drives/{drive}", { params: { drive: "sdzz" } })).rejects.toMatchObject({
      code: "no_such_drive",
      nextStep: expect.stringContaining("foundry-agent drives"),
    });
    await expect(client.text("/v1/preview/{api}", { params: { api: "netbox" } })).rejects.toMatchObject({
      code: "no_such_api",
    });
    await expect(
      client.lines("/v1/events", { query: { since: "x" } }, () => undefined),
    ).rejects.toMatchObject({
      code: "bad_request",
    });
  });

  test("what is no agent is told apart from one", async () => {
    for (const body of ["<html>", "null", '"x"', "{}", '{"data":1}'] as const) {
      const client = await clientOf((_request, response) => {
        response.statusCode = body === '{"data":1}' ? 500 : 200;
        response.end(body);
      });
      await expect(client.get("/v1/status")).rejects.toMatchObject({ code: "bad_answer" });
    }
  });

  test("one that goes away while it answers", async () => {
    const client = await clientOf((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{");
      response.socket?.destroy();
    });
    await expect(client.get("/v1/status")).rejects.toMatchObject({ code: "daemon_unreachable" });
  });

  test("Ctrl-C ends a request", async () => {
    const abort = new AbortController();
    const path = await listening(
      join(temporaryFolder(), "control.sock"),
      createServer(() => abort.abort()),
    );
    const client = await openClient({ ...io, signal: abort.signal }, { socket: path });
    await expect(client.post("/v1/sync")).rejects.toMatchObject({ code: "interrupted" });
  });
});
