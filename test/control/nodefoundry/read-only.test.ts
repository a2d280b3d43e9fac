import { describe, expect, test } from "vitest";
import { differences, findOwnNode } from "../../../src/control/nodefoundry/read-only/compare.ts";
import { failureOf, input, keyFile, signal } from "../../support/control/context.ts";
import { startPlainServer, startTlsServer } from "../../support/net/tls.ts";
import { openAgent, startRig } from "./rig.ts";

const SEEDS = [
  {
    hostname: "ceph-01",
    ip_address: "10.0.0.5",
    cpu_cores: 8,
    ram_gb: 64,
    drives: [{ device: "nvme0n1", size_gb: 1920, type: "nvme" as const, smart_ok: true }],
  },
];

const REPORT = {
  cpu: { cores: 4 },
  memory: { total_bytes: 64 * 2 ** 30 },
  drives: {
    drives: [
      { name: "nvme0n1", size_bytes: 1_920_383_410_176 },
      { name: "sda", size_bytes: 1e12 },
    ],
  },
  network: { interfaces: [{ addresses: [{ address: "10.0.0.6" }] }] },
};

describe("a read-only key", () => {
  test("no write is ever sent: the node is found and compared", async () => {
    const rig = await startRig({ seedNodes: SEEDS });
    const agent = rig.agent({ keyFile: keyFile(rig.sandbox.keys.readOnly) });
    for (let round = 0; round < 3; round++) {
      const outcome = await agent.api.sync(input(REPORT), signal);
      expect(outcome).toMatchObject({ readOnly: true, confirmed: false, ackedEvents: [], commands: [] });
    }
    await agent.api.check(signal);
    await failureOf(agent.api.enroll(rig.sandbox.keys.readOnly, {}, signal));
    await agent.api.leave(signal);
    expect(rig.seen.length).toBeGreaterThan(3);
    expect(rig.seen.filter(({ method }) => method !== "GET")).toEqual([]);
    const { mode, note, nodeId } = agent.api.status();
    expect(mode).toBe("read-only");
    expect(nodeId).toBe(rig.sandbox.inspect().nodes[0]?.id);
    expect(note).toContain("may only read");
    expect(note).toContain("8 CPU cores there, 4 here");
    expect(note).toContain("address 10.0.0.5");
    expect(note).toContain("drive sda is not known there");
    expect(note).not.toContain("nvme0n1");
    expect(note).not.toContain("memory");
    expect(agent.conditions.get("no_agent_api(nodefoundry)")?.text).toContain("Nothing is reported");
  });

  test("in enrol_key_file it is refused before anything is sent", async () => {
    const rig = await startRig();
    const agent = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.readOnly) });
    expect(await failureOf(agent.api.sync(input(), signal))).toBe("key_read_only");
    expect(rig.seen).toEqual([]);
  });

  test("a node that is not listed", async () => {
    const rig = await startRig();
    const agent = rig.agent({ keyFile: keyFile(rig.sandbox.keys.readOnly) });
    expect(await failureOf(agent.api.sync(input(REPORT), signal))).toBe("node_not_listed");
  });

  test("a key file that others may read is refused with the line that mends it", async () => {
    const rig = await startRig();
    const file = keyFile(rig.sandbox.keys.readOnly);
    const { chmodSync } = await import("node:fs");
    chmodSync(file, 0o644);
    const agent = rig.agent({ keyFile: file });
    const error = await agent.api.sync(input(), signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "secret_exposed", nextStep: expect.stringContaining("chmod") });
    expect(rig.seen).toEqual([]);
  });
});

describe("a server without an agent API", () => {
  test("one 404 is a moment, two in a row are read-only with an account key, GET only from there", async () => {
    const rig = await startRig({ agentApi: false, seedNodes: SEEDS });
    const agent = rig.agent({
      keyFile: keyFile(rig.sandbox.keys.live),
      enrolKeyFile: keyFile(rig.sandbox.keys.enrol),
    });
    expect(await failureOf(agent.api.sync(input(REPORT), signal))).toBe("no_agent_api");
    expect(agent.api.status().mode).toBeNull();
    expect((await agent.api.sync(input(REPORT), signal)).readOnly).toBe(true);
    expect(agent.api.status()).toMatchObject({
      mode: "read-only",
      note: expect.stringContaining("no agent API"),
    });
    const writes = () => rig.seen.filter(({ method }) => method !== "GET").length;
    expect(writes()).toBe(2);
    await agent.api.sync(input(REPORT), signal);
    expect(writes()).toBe(2);
  });

  test("without a key to read with, a condition says which", async () => {
    const rig = await startRig({ agentApi: false });
    const agent = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.enrol) });
    for (let round = 0; round < 3; round++)
      expect(await failureOf(agent.api.sync(input(), signal))).toBe("no_agent_api");
    expect(agent.conditions.get("no_agent_api(nodefoundry)")?.nextStep).toContain("key_file");
  });

  test("a 404 between two good answers changes nothing", async () => {
    const rig = await startRig();
    const agent = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.enrol) });
    for (let round = 0; round < 3; round++) {
      expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
      rig.sandbox.faults.set({ kind: "status", status: 404, code: "not_found", path: "*/sync", count: 1 });
      expect(await failureOf(agent.api.sync(input(), signal))).toBe("no_agent_api");
    }
    expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
  });
});

describe("which node is this one", () => {
  const node = (id: string, hostname: string, ip: string | null) => ({
    id,
    hostname,
    status: "online",
    cluster_id: null,
    ip_address: ip,
    cpu_cores: null,
    ram_gb: null,
    drives: [],
  });
  const own = { hostname: "Pi.local", addresses: ["10.0.0.6"], cores: null, memoryBytes: null, drives: null };

  test("by name; where names repeat, by address; never by address alone, never by guess", () => {
    expect(findOwnNode([node("a", "x", null), node("b", "pi", "10.9.9.9")], own).id).toBe("b");
    expect(findOwnNode([node("a", "pi", "10.0.0.6"), node("b", "pi", "10.0.0.7")], own).id).toBe("a");
    expect(() => findOwnNode([node("a", "x", "10.0.0.6")], own)).toThrowError(
      expect.objectContaining({ code: "node_not_listed" }),
    );
    expect(() => findOwnNode([node("a", "pi", null), node("b", "pi", null)], own)).toThrowError(
      expect.objectContaining({ code: "node_ambiguous" }),
    );
  });

  test("what neither side knows does not differ", () => {
    expect(differences(node("a", "pi", null), own)).toEqual([]);
  });
});

describe("check", () => {
  test("every step has a verdict, and the first that fails is the one to mend", async () => {
    const rig = await startRig();
    const verdicts = async (agent: ReturnType<typeof rig.agent>) =>
      Object.fromEntries((await agent.api.check(signal)).map(({ what, verdict }) => [what, verdict]));
    const agent = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.enrol) });
    const before = {
      dns: "skipped",
      proxy: "skipped",
      connect: "ok",
      tls: "skipped",
      answer: "ok",
      clock: "ok",
      credential: "ok",
      permission: "ok",
    };
    expect(await verdicts(agent)).toEqual(before);
    await agent.api.sync(input(), signal);
    expect(await verdicts(agent)).toEqual(before);
    // A round that did not come through says nothing about what this node may.
    rig.sandbox.faults.set({ kind: "503", count: 1 });
    await expect(agent.api.sync(input(), signal)).rejects.toMatchObject({ code: "unavailable" });
    expect(await verdicts(agent)).toEqual({ ...before, permission: "skipped" });
    await agent.api.sync(input(), signal);
    agent.clockOffsetMs = 3_600_000;
    expect((await verdicts(agent)).clock).toBe("failed");
    expect(await verdicts(rig.agent())).toMatchObject({
      answer: "ok",
      credential: "failed",
      permission: "skipped",
    });
    const wrong = rig.agent({ enrolKeyFile: keyFile("nf_en_unknownunknown") });
    expect(await verdicts(wrong)).toMatchObject({ credential: "failed", permission: "skipped" });
    const onlooker = rig.agent({ keyFile: keyFile(rig.sandbox.keys.readOnly) });
    expect(await verdicts(onlooker)).toMatchObject({ credential: "ok", permission: "warning" });
  });

  test("a name that does not exist, and a port where nobody is", async () => {
    const nowhere = await openAgent("https://no-such-host.invalid").api.check(signal);
    expect(nowhere.map(({ what, verdict }) => `${what} ${verdict}`)).toEqual([
      "dns failed",
      "proxy skipped",
      "connect skipped",
      "tls skipped",
      "answer skipped",
      "clock skipped",
      "credential skipped",
      "permission skipped",
    ]);
    const closed = await openAgent("http://127.0.0.1:1").api.check(signal);
    expect(closed.find(({ verdict }) => verdict === "failed")).toMatchObject({
      what: "connect",
      text: expect.stringContaining("refuses"),
      nextStep: expect.stringMatching(/^nc -zv -w 10 127\.0\.0\.1 1 {2}# /),
    });
  });

  test("each thing that goes wrong on the way is told at its own step", async () => {
    const untrusted = await startTlsServer(() => {}, { certificate: "untrusted" });
    const page = await startPlainServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<html>");
    });
    const busy = await startPlainServer((_request, response) => {
      response.writeHead(503);
      response.end();
    });
    const proxied = { url: "http://127.0.0.1:1", credentialsFile: null, noProxy: [] };
    const failed = async (agent: ReturnType<typeof openAgent>) =>
      (await agent.api.check(signal))
        .filter(({ verdict }) => verdict !== "skipped" && verdict !== "ok")
        .map(({ what, nextStep }) => [what, nextStep?.replace(/ .*/, "")]);
    expect(await failed(openAgent(untrusted.url))).toEqual([["tls", "openssl"]]);
    expect(await failed(openAgent(page.url))).toEqual([["answer", "foundry-agent"]]);
    expect(await failed(openAgent(busy.url))).toEqual([["answer", "foundry-agent"]]);
    const files = { certFile: "/nonexistent.crt", keyPemFile: "/nonexistent.key" };
    const missing = openAgent(untrusted.url, files);
    expect(await failed(missing)).toEqual([["tls", "ls"]]);
    expect((await missing.api.check(signal))[2]).toMatchObject({ what: "connect", verdict: "skipped" });
    expect(await failed(openAgent("https://localhost:1", { proxy: proxied }))).toEqual([["proxy", "nc"]]);
  });
});
