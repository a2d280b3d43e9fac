/** The helper in this process, behind a real socket. */

import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, it, onTestFinished } from "vitest";
import { agentUids } from "../../../src/helper/link/peer.ts";
import type { Operation } from "../../../src/helper/operation.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { openNative } from "../../../src/system/native.ts";
import type { RunProgram } from "../../../src/system/program.ts";
import { eventually } from "../../support/eventually.ts";
import {
  actingOperation,
  ask,
  helperHouse,
  requestFrame,
  sendRaw,
  testHelper,
} from "../../support/helper/helper.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const local = { source: "local" };

/** An operation that waits for `go` or its signal, whichever is first. */
function waiting(name: string, begun: () => void): { operation: Operation; go(): void } {
  const gate = Promise.withResolvers<void>();
  const operation: Operation = {
    name,
    args: v.strictObject({}),
    timeoutMs: 60_000,
    policy: null,
    lanes: () => [],
    async perform(_args, { signal }) {
      begun();
      const aborted = new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
      );
      await Promise.race([gate.promise, aborted]);
      return { waited: true };
    },
  };
  return { operation, go: gate.resolve };
}

describe("a call", () => {
  it("is answered with the result in one frame, and audited in one line", async () => {
    const house = helperHouse();
    const { audits, lines } = await testHelper(house);
    expect((await sendRaw(house.socket, requestFrame({ id: "x-1" }))).answer).toEqual({
      ok: true,
      result: {},
    });
    const uid = process.geteuid?.();
    expect(audits()).toEqual([
      {
        audit: "noop",
        id: "x-1",
        source: null,
        args: {},
        outcome: "ok",
        duration_ms: expect.any(Number),
        peer: { pid: process.pid, uid, gid: process.getegid?.() },
      },
    ]);
    expect(lines()[0]).toMatch(/^<6>\{.*\}\n$/);
    expect(statSync(house.socket).mode & 0o777).toBe(0o600);
  });

  it("arguments in the journal are cut, without secrets, and can't rewrite a terminal", async () => {
    const house = helperHouse();
    const { lines, audits } = await testHelper(house);
    const args = {
      token: "hunter2",
      note: "nf_sk_live_canary\u009b31m\u202e\n<0>fake",
      deep: { api_key: "x1" },
    };
    await ask(house.socket, { args });
    await ask(house.socket, { args: { long: "y".repeat(50_000) } });
    expect(lines().join("")).not.toMatch(/hunter2|canary|x1|[^\n\x20-\x7e]/);
    expect(lines()).toHaveLength(2);
    expect(audits()[1]?.args).toHaveLength(203);
  });

  it("an operation that is not in the table, or arguments it does not take, are refused", async () => {
    const house = helperHouse();
    await testHelper(house);
    for (const operation of ["shell", "constructor", "tostring", "smart.read.", "noop.."])
      expect(await ask(house.socket, { operation })).toMatch(/helper_refused|helper_protocol/);
    expect(await ask(house.socket, { args: { path: "/etc/shadow" } })).toBe("helper_refused");
    expect(await ask(house.socket)).toBe("ok");
  });

  it("an operation's own error arrives whole; a bug tells its kind only, and the journal the rest", async () => {
    const house = helperHouse();
    const throwing = (name: string, error: unknown): Operation => ({
      ...actingOperation(name, "", []),
      policy: null,
      perform: async () => await Promise.reject(error),
    });
    const { audits } = await testHelper(house, {
      moreOperations: [
        throwing("own", new AgentError("drive_hangs", "it hangs", "look")),
        throwing("bug", new TypeError("secret /root/path")),
        throwing("odd", "text"),
      ],
    });
    const error = async (operation: string) =>
      (await sendRaw(house.socket, requestFrame({ operation }))).answer?.error;
    expect(await error("own")).toEqual({ code: "drive_hangs", message: "it hangs", next_step: "look" });
    expect(await error("bug")).toMatchObject({
      code: "helper_failed",
      message: "the helper met an internal error (TypeError)",
    });
    expect((await error("odd"))?.code).toBe("helper_failed");
    expect(audits()[1]?.message).toContain("secret /root/path");
  });

  it("an answer that is too long, or no JSON, is an error and not a cut frame", async () => {
    const house = helperHouse();
    const giving = (name: string, result: unknown): Operation => ({
      ...actingOperation(name, "", []),
      policy: null,
      perform: async () => result,
    });
    await testHelper(house, {
      moreOperations: [
        giving("long", "x".repeat(3_000_000)),
        giving("fits", "x".repeat(2_000_000)),
        giving("big", 1n),
      ],
    });
    expect(await ask(house.socket, { operation: "long" })).toBe("helper_failed");
    expect(await ask(house.socket, { operation: "fits" })).toBe("ok");
    expect(await ask(house.socket, { operation: "big" })).toBe("helper_failed");
  });
});

describe("its time", () => {
  it("ends an operation at the deadline, also one that does not listen", async () => {
    const house = helperHouse();
    const deaf: Operation = {
      ...actingOperation("deaf", "", []),
      policy: null,
      perform: () => new Promise(() => undefined),
    };
    const { operation } = waiting("waits", () => undefined);
    await testHelper(house, { moreOperations: [operation, deaf] });
    expect(await ask(house.socket, { operation: "waits", deadline_ms: 50 })).toBe("helper_timeout");
    expect(await ask(house.socket, { operation: "deaf", deadline_ms: 50 })).toBe("helper_timeout");
    // The time it took to get here counts, and no client can make it longer.
    const sent = (sent_ms: number) => ask(house.socket, { deadline_ms: 1_000, sent_ms });
    const now = hostClock().monotonic();
    expect([await sent(now - 2_000), await sent(now + 1e9), await sent(now)]).toEqual([
      "helper_timeout",
      "ok",
      "ok",
    ]);
    // Its lane stays taken: it may still be at it.
    expect(await ask(house.socket, { operation: "deaf", deadline_ms: 50 })).toBe("helper_timeout");
    for (const deadline_ms of [0, -5])
      expect(await ask(house.socket, { deadline_ms })).toBe("helper_timeout");
  });

  it("ends what runs when the client hangs up, wholly or by half", async () => {
    const house = helperHouse();
    let begun = 0;
    const moreOperations = ["wholly", "half"].map((name) => waiting(name, () => begun++).operation);
    const { audits } = await testHelper(house, { moreOperations });
    const client = connect(house.socket);
    client.write(requestFrame({ operation: "wholly" }));
    await eventually(() => begun === 1);
    client.destroy();
    await eventually(() => audits().length === 1);
    await sendRaw(house.socket, requestFrame({ operation: "half" }), { end: true });
    await eventually(() => audits().length === 2);
    expect(audits().map(({ outcome, message }) => [outcome, message])).toEqual(
      Array(2).fill(["helper_refused", "the client hung up"]),
    );
  });

  it("who says more than one request loses the call", async () => {
    const house = helperHouse();
    let begun = 0;
    const { operation } = waiting("waits", () => begun++);
    const { audits } = await testHelper(house, { moreOperations: [operation] });
    const client = connect(house.socket);
    onTestFinished(() => void client.destroy());
    client.on("error", () => undefined);
    client.resume();
    client.write(requestFrame({ operation: "waits" }));
    await eventually(() => begun === 1);
    client.write(requestFrame());
    await eventually(() => audits().length === 1);
    expect(audits()[0]?.outcome).toBe("helper_protocol");
    expect(await ask(house.socket)).toBe("ok");
  });

  it("slow senders and half frames are sent away, whatever they hold open", async () => {
    const house = helperHouse();
    const { audits } = await testHelper(house, { transferMs: 150 });
    const parts = [Buffer.alloc(0), requestFrame().subarray(0, 3), requestFrame().subarray(0, 20)];
    const answers = await Promise.all(parts.map((part) => sendRaw(house.socket, part)));
    expect(answers.map(({ answer }) => answer?.error?.code)).toEqual(Array(3).fill("helper_timeout"));
    await Promise.all(parts.map((part) => sendRaw(house.socket, part, { end: true })));
    expect(audits().map(({ outcome }) => outcome)).toEqual(["helper_timeout", "helper_refused"]);
    // One byte at a time does not make it longer.
    const frame = requestFrame({ args: { x: "y".repeat(10_000) } });
    const dripping = connect(house.socket);
    let ended = false;
    dripping
      .on("error", () => undefined)
      .on("close", () => {
        ended = true;
      });
    dripping.resume();
    for (let at = 0; at < frame.length && !ended; at++) {
      dripping.write(frame.subarray(at, at + 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(ended).toBe(true);
  });

  it("a client that never takes its answer does not keep it", async () => {
    const house = helperHouse();
    const long: Operation = {
      ...actingOperation("long", "", []),
      policy: null,
      perform: async () => "x".repeat(1_500_000),
    };
    const { server } = await testHelper(house, { moreOperations: [long], transferMs: 150, idleExitMs: 300 });
    const client = connect(house.socket).on("error", () => undefined);
    onTestFinished(() => void client.destroy());
    client.pause();
    client.write(requestFrame({ operation: "long" }));
    expect(await server.ended).toBe("idle");
  });
});

it("a program that outlives its kill keeps its drive: answered at once, the others go on, the helper stays", async () => {
  const house = helperHouse();
  const gone = Promise.withResolvers<void>();
  // As runProgram answers for a process in uninterruptible sleep, which can't be had in a test.
  const run: RunProgram = async ([, drive]) => ({
    status: drive === "sda" ? null : 0,
    ended: drive === "sda" ? "timed_out" : "exited",
    stdout: "",
    stderr: "",
    durationMs: 1,
    lingering: drive === "sda" ? gone.promise : null,
  });
  let ran = 0;
  const read: Operation = {
    name: "read",
    args: v.strictObject({ drive: v.string() }),
    timeoutMs: 10_000,
    policy: null,
    lanes: (args) => [
      { name: `drive ${(args as { drive: string }).drive}`, limit: 1 },
      { name: "smart", limit: 4 },
    ],
    async perform(args, context) {
      ran++;
      return (await context.run(["smartctl", (args as { drive: string }).drive], { timeoutMs: 5 })).ended;
    },
  };
  const { server } = await testHelper(house, { run, moreOperations: [read], idleExitMs: 100 });
  const call = (drive: string) => ask(house.socket, { operation: "read", args: { drive } });
  expect(await call("sda")).toBe("ok");
  expect(await Promise.all(["sda", "sdb", "sda", "sdc", "sdd", "sde", "sdf"].map(call))).toEqual([
    "drive_hangs",
    "ok",
    "drive_hangs",
    ...Array(4).fill("ok"),
  ]);
  expect(ran).toBe(6);
  await new Promise((resolve) => setTimeout(resolve, 250)); // longer than it may be idle
  expect(await call("sda")).toBe("drive_hangs");
  gone.resolve();
  expect(await server.ended).toBe("idle");
});

describe("what changes something", () => {
  it("is done once for an id, whatever is asked how often", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    const { audits } = await testHelper(house, { moreOperations: [actingOperation("act", "reboot", acts)] });
    const call = { operation: "act", id: "cmd-1", ...local };
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(house.socket, call)));
    expect(new Set(answers)).toEqual(new Set(["ok", "helper_busy"]));
    const { answer } = await sendRaw(house.socket, requestFrame(call));
    expect(answer).toEqual({ ok: true, result: { done: true } });
    expect(acts).toEqual(["act"]);
    // Under other arguments, another operation's name or another source it is the same id.
    expect(await ask(house.socket, { ...call, args: { what: "more" } })).toBe("ok");
    expect(acts).toEqual(["act"]);
    expect(audits().at(-1)).toMatchObject({
      outcome: "ok",
      message: "done before, answered from the record",
    });
    expect(house.record()).toMatchObject([{ id: "cmd-1", word: "reboot", outcome: { state: "done" } }]);
  });

  it("that failed is answered the same again and not tried again", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    const failing = actingOperation("act", "reboot", acts, async () => {
      throw new AgentError("no_power", "there was no power", "plug it in");
    });
    await testHelper(house, { moreOperations: [failing] });
    for (let i = 0; i < 3; i++)
      expect(
        (await sendRaw(house.socket, requestFrame({ operation: "act", ...local }))).answer?.error,
      ).toEqual({
        code: "no_power",
        message: "there was no power",
        next_step: "plug it in",
      });
    expect(acts).toHaveLength(1);
  });

  it("stops at the limit, whatever the ids, and over a restart of the helper", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    const moreOperations = [actingOperation("act", "reboot", acts)];
    const { server } = await testHelper(house, { moreOperations });
    const call = (id: string) => ask(house.socket, { operation: "act", id, ...local });
    expect([await call("a"), await call("b")]).toEqual(["ok", "ok"]);
    await server.close();
    await testHelper(house, { moreOperations });
    expect([await call("c"), await call("d"), await call("a")]).toEqual(["ok", "helper_refused", "ok"]);
    expect(acts).toHaveLength(3);
  });

  it("asked for all at once, with lanes of their own, there are still no more than the limit", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    const names = Array.from({ length: 12 }, (_, i) => `act${i}`);
    await testHelper(house, { moreOperations: names.map((name) => actingOperation(name, "reboot", acts)) });
    const answers = await Promise.all(
      names.map((operation) => ask(house.socket, { operation, id: operation, ...local })),
    );
    expect([acts.length, answers.filter((answer) => answer === "ok").length]).toEqual([3, 3]);
  });

  it("a wait for its turn is the deadline's, the operation's own time begins with the turn", async () => {
    const house = helperHouse();
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const slow: Operation = {
      ...actingOperation("slow", "", []),
      policy: null,
      timeoutMs: 400,
      async perform() {
        begun++;
        await gate.promise;
        return begun;
      },
    };
    await testHelper(house, { moreOperations: [slow] });
    const first = ask(house.socket, { operation: "slow", deadline_ms: 600_000 });
    await eventually(() => begun === 1);
    const second = ask(house.socket, { operation: "slow", deadline_ms: 30_000 });
    expect(await first).toBe("helper_timeout"); // by then the second has waited for more than 400 ms
    gate.resolve();
    expect([await second, begun]).toEqual(["ok", 2]);
  });

  it("without a source, from another, or with a policy that can't be used: nothing", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    await testHelper(house, { moreOperations: [actingOperation("act", "smart_test", acts)] });
    const call = (over: object) => ask(house.socket, { operation: "act", id: crypto.randomUUID(), ...over });
    expect(await call({})).toBe("helper_refused");
    expect(await call({ source: "nodefoundry" })).toBe("helper_refused");
    house.policy("[allow]\nlocla = []\n");
    expect(await call(local)).toBe("policy_unusable");
    house.policy('[allow]\nlocal = ["smart_test"]\n');
    expect(await call(local)).toBe("ok"); // a change holds at once
    expect(acts).toHaveLength(1);
  });

  it("a damaged record: nothing, and reading goes on", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    writeFileSync(join(house.stateFolder, "done.json"), "{", { mode: 0o600 });
    const { lines } = await testHelper(house, { moreOperations: [actingOperation("act", "reboot", acts)] });
    expect(await ask(house.socket, { operation: "act", ...local })).toBe("record_unusable");
    expect(await ask(house.socket)).toBe("ok");
    expect(acts).toEqual([]);
    expect(lines()[0]).toMatch(/^<4>.*done\.json is damaged/);
  });

  it("is not begun for a client that hung up while it waited, nor after its deadline, nor recorded", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    const gate = Promise.withResolvers<void>();
    const act = actingOperation("act", "reboot", acts, async () => await gate.promise);
    const { audits } = await testHelper(house, { moreOperations: [act] });
    const first = ask(house.socket, { operation: "act", id: "first", ...local });
    await eventually(() => acts.length === 1);
    const gone = connect(house.socket);
    gone.write(requestFrame({ operation: "act", id: "gone", ...local }));
    const late = ask(house.socket, { operation: "act", id: "late", deadline_ms: 100, ...local });
    expect(await late).toBe("helper_timeout");
    gone.destroy();
    await eventually(() => audits().length === 2);
    gate.resolve();
    expect(await first).toBe("ok");
    expect([acts.length, house.record().map(({ id }) => id)]).toEqual([1, ["first"]]);
    // Nothing was done under these ids: they may be asked for again.
    expect(await ask(house.socket, { operation: "act", id: "late", ...local })).toBe("ok");
  });

  it("is not begun for a client that hangs up in the very moment before it", async () => {
    const house = helperHouse();
    const acts: string[] = [];
    const client = { destroy: (): void => undefined };
    // The lanes are asked right before the last checks: then the client goes.
    const act: Operation = {
      ...actingOperation("act", "reboot", acts),
      lanes: () => {
        client.destroy();
        return [];
      },
    };
    const { audits } = await testHelper(house, { moreOperations: [act] });
    const socket = connect(house.socket);
    client.destroy = () => void socket.destroy();
    socket.write(requestFrame({ operation: "act", id: "gone", ...local }));
    await eventually(() => audits().length === 1);
    expect([audits()[0]?.message, acts, existsSync(join(house.stateFolder, "done.json"))]).toEqual([
      "the client hung up",
      [],
      false,
    ]);
  });
});

it("is not begun for a client that hangs up while it is written down, and the id is free again", async () => {
  const house = helperHouse();
  const acts: string[] = [];
  const client = { destroy: (): void => undefined };
  // The wall clock is asked for the line in the record: then the client goes.
  const clock = {
    ...hostClock(),
    now: () => {
      client.destroy();
      return Date.now();
    },
  };
  const { audits } = await testHelper(house, {
    clock,
    moreOperations: [actingOperation("act", "reboot", acts)],
  });
  const socket = connect(house.socket);
  client.destroy = () => void socket.destroy();
  socket.write(requestFrame({ operation: "act", id: "gone", ...local }));
  await eventually(() => audits().length === 1);
  expect([audits()[0]?.message, acts, house.record()]).toEqual(["the client hung up", [], []]);
  expect(await ask(house.socket, { operation: "act", id: "gone", ...local })).toBe("ok");
});

describe("who is served", () => {
  it.skipIf(openNative() === null)("nobody but the uids it is for, by the kernel's word", async () => {
    const house = helperHouse();
    const { audits } = await testHelper(house, { servedUids: new Set([4_711]) });
    expect(await ask(house.socket)).toBe("closed");
    expect(audits()[0]).toMatchObject({ audit: null, outcome: "helper_refused" });
  });

  it("whom the socket's mode lets in, where the kernel's word can't be had", async () => {
    const house = helperHouse();
    const { audits } = await testHelper(house, { servedUids: new Set([4_711]), native: null });
    expect(await ask(house.socket)).toBe("ok");
    expect(audits()[0]?.peer).toBeNull();
  });

  it("root and the user foundry-agent, as /etc/passwd has it", () => {
    const passwd = join(temporaryFolder(), "passwd");
    writeFileSync(passwd, "root:x:0:0::/:\nfoundry-agent:x:993:990::/:\nfoundry-agent2:x:5:5::/:\nbad\n");
    expect([...agentUids(passwd)]).toEqual([0, 993]);
    expect([...agentUids("/nowhere")]).toEqual([0]);
  });
});

describe("its life", () => {
  it("ends when nobody wants anything, not while something runs, and takes its socket away", async () => {
    const house = helperHouse();
    let begun = 0;
    const { operation, go } = waiting("waits", () => begun++);
    const { server } = await testHelper(house, { moreOperations: [operation], idleExitMs: 100 });
    const call = ask(house.socket, { operation: "waits", deadline_ms: 20_000 });
    await eventually(() => begun === 1);
    await new Promise((resolve) => setTimeout(resolve, 250)); // longer than it may be idle
    expect(existsSync(house.socket)).toBe(true);
    go();
    expect(await call).toBe("ok");
    expect(await server.ended).toBe("idle");
    expect(existsSync(house.socket)).toBe(false);
  });

  it("told to end, it ends what runs, answers, and takes no more", async () => {
    const house = helperHouse();
    let begun = 0;
    const { operation } = waiting("waits", () => begun++);
    const { server } = await testHelper(house, { moreOperations: [operation] });
    const call = ask(house.socket, { operation: "waits" });
    await eventually(() => begun === 1);
    const closing = server.close();
    expect(await call).toBe("helper_failed");
    await closing;
    expect(await server.ended).toBe("closed");
    expect(await ask(house.socket)).toBe("closed");
  });

  it("more connections that do nothing than it serves keep nobody out: the longest idle goes", async () => {
    const house = helperHouse();
    await testHelper(house, { transferMs: 60_000 });
    const idle: Socket[] = [];
    onTestFinished(() => {
      for (const socket of idle) socket.destroy();
    });
    let gone = 0;
    while (idle.length < 400) {
      const socket = connect(house.socket).on("close", () => gone++);
      socket.on("error", () => undefined); // it was ended for another
      idle.push(socket);
      await once(socket, "connect");
    }
    for (let i = 0; i < 3; i++) expect(await ask(house.socket)).toBe("ok");
    // The others are still there.
    expect(gone).toBeLessThanOrEqual(400 - 128 + 3);
  });

  it("more calls than it serves are told so, or not let in, and it goes on", async () => {
    const house = helperHouse();
    let begun = 0;
    const { operation, go } = waiting("waits", () => begun++);
    await testHelper(house, { moreOperations: [operation] });
    const calls = Array.from({ length: 128 }, () =>
      ask(house.socket, { operation: "waits", deadline_ms: 60_000 }),
    );
    await eventually(() => begun === 128);
    expect(await ask(house.socket)).toBe("helper_busy");
    go();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["ok"]));
    expect(await ask(house.socket)).toBe("ok");
  });

  it("a path that is taken, or in no folder, is one sentence", async () => {
    const house = helperHouse();
    await testHelper(house);
    await expect(testHelper(house)).rejects.toMatchObject({ code: "helper_socket" });
    await expect(testHelper({ ...house, socket: join(house.folder, "no/x.sock") })).rejects.toMatchObject({
      code: "helper_socket",
    });
  });
});
