/** sd_notify against a real datagram socket, and against a stand-in for the systemd-notify program. */

import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openNative, unixAddress } from "../../src/system/native.ts";
import { openNotify } from "../../src/system/notify.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { datagramReceiver } from "../support/net/datagram-receiver.ts";

function listenAt(target: string): ReturnType<typeof datagramReceiver> {
  const receiver = datagramReceiver(target);
  onTestFinished(receiver.close);
  return receiver;
}

describe("sd_notify", () => {
  it.each([
    ["a path", () => join(temporaryFolder(), "notify")],
    ["an abstract name", () => `@foundry-test-${process.pid}-${process.hrtime.bigint()}`],
  ])("sends to %s what the service is doing", (_kind, name) => {
    const target = name();
    const systemd = listenAt(target);
    const notify = openNotify({ NOTIFY_SOCKET: target });
    expect(notify.how).toBe("socket");
    notify.ready();
    notify.status("12 drives,\nall well");
    notify.watchdog();
    notify.stopping();
    expect(systemd.next()).toBe("READY=1");
    expect(systemd.next()).toBe("STATUS=12 drives, all well");
    expect(systemd.next()).toBe("WATCHDOG=1");
    expect(systemd.next()).toBe("STOPPING=1");
    expect(systemd.next()).toBeNull();
  });

  it("says since when it reloads, on the monotonic clock", () => {
    const target = join(temporaryFolder(), "notify");
    const systemd = listenAt(target);
    const before = process.hrtime.bigint() / 1000n;
    openNotify({ NOTIFY_SOCKET: target }).reloading();
    const [, since] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(systemd.next() ?? "") ?? [];
    expect(BigInt(since ?? 0)).toBeGreaterThanOrEqual(before);
    expect(BigInt(since ?? 0)).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
  });

  it("can't be made to say something else by a status with line breaks", () => {
    const target = join(temporaryFolder(), "notify");
    const systemd = listenAt(target);
    openNotify({ NOTIFY_SOCKET: target }).status(`x\r\nMAINPID=1\u2028y ${"long ".repeat(100)}`);
    const sent = systemd.next() ?? "";
    expect(sent.startsWith("STATUS=x MAINPID=1 y long")).toBe(true);
    expect(sent.split("\n")).toHaveLength(1);
    expect(sent.length).toBeLessThanOrEqual("STATUS=".length + 200);
  });

  it("does nothing when systemd did not start it", () => {
    for (const env of [
      {},
      { NOTIFY_SOCKET: "" },
      { NOTIFY_SOCKET: "vsock:2:1234" },
      { NOTIFY_SOCKET: "run/x" },
    ]) {
      const notify = openNotify(env);
      expect(notify.how).toBe("none");
      notify.ready();
    }
  });

  it("says once in the log that nobody listens", () => {
    const lines: unknown[] = [];
    const log = { warn: (...parts: unknown[]) => void lines.push(parts.at(-1)) };
    const notify = openNotify({ NOTIFY_SOCKET: join(temporaryFolder(), "gone") }, { log });
    notify.ready();
    notify.watchdog();
    expect(lines).toEqual(["systemd can't be told how the service is"]);
  });

  it("goes through the program where the C library can't be called", async () => {
    const folder = temporaryFolder();
    const record = join(folder, "record");
    writeFileSync(
      join(folder, "systemd-notify"),
      `#!/bin/sh\nprintf '%s|' "$NOTIFY_SOCKET" "$@" >> ${record}\n`,
    );
    chmodSync(join(folder, "systemd-notify"), 0o755);
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const env = { NOTIFY_SOCKET: "/run/notify", PATH: process.env.PATH, SECRET: "x" };
    const notify = openNotify(env, { native: null });
    expect(notify.how).toBe("program");
    notify.status("all well");
    await expect.poll(() => readFileSync(record, "utf8")).toBe("/run/notify|STATUS=all well|");
  });

  it("knows how often the watchdog wants to be fed", () => {
    const socket = { NOTIFY_SOCKET: "/run/notify" };
    expect(openNotify({ ...socket, WATCHDOG_USEC: "30000000" }).watchdogMs).toBe(30_000);
    expect(
      openNotify({ ...socket, WATCHDOG_USEC: "30000000", WATCHDOG_PID: `${process.pid}` }).watchdogMs,
    ).toBe(30_000);
    expect(openNotify({ ...socket, WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }).watchdogMs).toBeNull();
    expect(openNotify({ ...socket, WATCHDOG_USEC: "soon" }).watchdogMs).toBeNull();
    expect(openNotify(socket).watchdogMs).toBeNull();
  });
});

describe("the C library", () => {
  it("refuses names that are too long for a unix socket", () => {
    expect(unixAddress(`/${"x".repeat(106)}`)?.length).toBe(110);
    expect(unixAddress(`/${"x".repeat(107)}`)).toBeNull();
    expect(unixAddress(`@${"x".repeat(107)}`)?.length).toBe(110);
    expect(unixAddress(`@${"x".repeat(108)}`)).toBeNull();
    expect(unixAddress("")).toBeNull();
    expect(unixAddress("@")).toBeNull();
  });

  it("knows who is at the other end of a socket", async () => {
    const native = openNative();
    if (native === null) throw new Error("this Node has no node:ffi");
    const path = join(temporaryFolder(), "socket");
    const server = createServer().listen(path);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const client = connect(path);
    const [accepted] = await once(server, "connection");
    onTestFinished(() => void client.destroy());
    expect(native.peerCredentials(accepted._handle.fd)).toEqual({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    expect(native.peerCredentials(9999)).toBeNull();
    expect(native.pageSize % 4096).toBe(0);
  });
});
