import { describe, expect, test } from "vitest";
import { failureOf, IDENTITY, input, keyFile, signal } from "../../support/control/context.ts";
import { startRig } from "./rig.ts";

describe("registering", () => {
  test("without a key: nothing is sent, a condition says what to type, collecting is not our business", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    expect(await failureOf(agent.api.sync(input(), signal))).toBe("not_enrolled");
    expect(agent.conditions.get("enrol_key_needed(nodefoundry)")?.nextStep).toBe("foundry-agent enroll");
    expect(agent.api.status()).toMatchObject({ enrolled: false, nodeId: null, mode: null });
    expect(rig.seen).toEqual([]);
  });

  test("with an enrolment key file: registers and reports in one call; the key is not kept, the token is", async () => {
    const rig = await startRig();
    const agent = rig.agent({
      enrolKeyFile: keyFile(rig.sandbox.keys.enrol),
      nodeName: "{hostname}-{serial}",
    });
    const outcome = await agent.api.sync(input({ system: { a: 1 } }), signal);
    expect(outcome).toMatchObject({ confirmed: true, readOnly: false, resync: [] });
    const [node] = rig.sandbox.inspect().nodes;
    expect(node).toMatchObject({ hostname: "ceph-01-SN1", mode: "live" });
    expect(agent.api.status()).toMatchObject({ enrolled: true, nodeId: node?.id, mode: "live", note: null });
    const kept = JSON.stringify([...agent.values]);
    expect(kept).not.toContain(rig.sandbox.keys.enrol);
    expect(kept).toContain("nf_nt_");
    expect(agent.logged()).not.toMatch(/nf_(nt|en)_[A-Za-z0-9]/);
    expect([...agent.conditions.keys()]).toEqual([]);
    expect((await agent.restarted().api.sync(input({ system: { a: 1 } }), signal)).confirmed).toBe(true);
    expect(rig.seen.filter(({ path }) => path === "/v1/nodes")).toHaveLength(1);
  });

  test("the token is durable before it is first used", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
    expect(agent.writes).toContain("session");
    expect(rig.syncs()).toEqual([]);
  });

  test("key prefixes: test makes a test node for ever, a read-only key and a node token are never sent", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.test, {}, signal);
    expect(agent.api.status().mode).toBe("test");
    expect(agent.restarted().api.status().mode).toBe("test");
    const sent = rig.seen.length;
    expect(await failureOf(agent.api.enroll(rig.sandbox.keys.readOnly, {}, signal))).toBe("key_read_only");
    expect(await failureOf(agent.api.enroll("nf_nt_something1234", {}, signal))).toBe("key_wrong_kind");
    expect(await failureOf(agent.api.enroll("two words", {}, signal))).toBe("key_malformed");
    expect(rig.seen).toHaveLength(sent);
  });

  test("a live account key works, and is warned about", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.live, { name: "rack4-{hostname}" }, signal);
    expect(agent.api.status().note).toContain("nf_en_");
    expect(rig.sandbox.inspect().nodes[0]?.hostname).toBe("rack4-ceph-01");
    const file = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.live) });
    await file.api.sync(input(), signal);
    expect(file.conditions.has("account_key_on_node(nodefoundry)")).toBe(true);
  });

  test("a wrong key is refused with a sentence that does not show it", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    const wrong = "nf_en_canary0123456789";
    const error = await agent.api.enroll(wrong, {}, signal).catch((thrown: Error) => thrown);
    // The same again would be refused again: the step says what would not be.
    expect(error).toMatchObject({
      code: "credential_refused",
      message: expect.stringContaining("the key was not accepted"),
      nextStep: expect.stringMatching(/^foundry-agent enroll {2}# with a new enrolment key/),
    });
    const file = rig.agent({ enrolKeyFile: keyFile(wrong) });
    const round = await file.api.sync(input(), signal).catch((thrown: Error) => thrown);
    expect(round).toMatchObject({ nextStep: expect.stringMatching(/^install -m 0640 .*# another key/) });
    expect(`${(error as Error).message} ${(error as Error).stack} ${agent.logged()}`).not.toContain(wrong);
  });

  test("a lost answer: the old token stays good, and the next registration finds the same node", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
    await agent.api.sync(input(), signal);
    rig.sandbox.faults.set({ kind: "drop_after", method: "POST", path: "/v1/nodes", count: 2 });
    expect(await failureOf(agent.api.enroll(rig.sandbox.keys.enrol, {}, signal))).toBe("connection_lost");
    expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
    rig.sandbox.faults.clear();
    await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
    expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
    expect(rig.sandbox.inspect().nodes).toHaveLength(1);
  });
});

describe("registering again", () => {
  test("a server that forgot the node: at once with a key, everything is wanted anew", async () => {
    const rig = await startRig();
    rig.sandbox.faults.snapshot();
    const agent = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.enrol) });
    await agent.api.sync(input({ system: { a: 1 }, cpu: { b: 2 } }), signal);
    rig.sandbox.faults.restore();
    const quiet = input({ system: { a: 1 }, cpu: { b: 2 } }, { changed: {} });
    const outcome = await agent.api.sync(quiet, signal);
    expect([...outcome.resync].sort()).toEqual(["cpu", "system"]);
    expect(rig.sandbox.inspect().nodes).toHaveLength(1);
    expect(agent.api.status().nodeId).toBe(rig.sandbox.inspect().nodes[0]?.id);
  });

  test("without a key the session is kept: the server may find the node again", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
    await agent.api.sync(input(), signal);
    rig.sandbox.faults.set({ kind: "status", status: 404, code: "node_not_found", count: 1 });
    expect(await failureOf(agent.api.sync(input(), signal))).toBe("not_enrolled");
    expect(agent.conditions.has("enrol_key_needed(nodefoundry)")).toBe(true);
    expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
    expect(agent.conditions.size).toBe(0);
  });

  test("a refused token: the one before it is tried, then the key, then a condition", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
    await agent.api.sync(input(), signal);
    const session = JSON.parse(agent.values.get("session") ?? "{}");
    agent.values.set(
      "session",
      JSON.stringify({ ...session, token: "nf_nt_neverissued0000000", previousToken: session.token }),
    );
    expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
    expect(JSON.parse(agent.values.get("session") ?? "{}")).toMatchObject({
      token: session.token,
      previousToken: null,
    });

    agent.values.set(
      "session",
      JSON.stringify({ ...session, token: "nf_nt_neverissued0000000", previousToken: null }),
    );
    expect(await failureOf(agent.api.sync(input(), signal))).toBe("credential_refused");
    expect(agent.conditions.get("credential_refused(nodefoundry)")?.nextStep).toBe("foundry-agent enroll");
    const withKey = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.enrol) }, { values: agent.values });
    expect((await withKey.api.sync(input(), signal)).confirmed).toBe(true);
    expect(rig.sandbox.inspect().nodes).toHaveLength(1);
  });

  test("a token rotated in an answer is used next, also when that answer was lost the first time", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
    await agent.api.sync(input(), signal);
    const bearer = () => rig.seen.at(-1)?.headers.authorization;
    const first = bearer();
    const id = agent.api.status().nodeId;
    const rotate = () =>
      fetch(`${rig.sandbox.url}/v1/nodes/${id}/rotate-token`, {
        method: "POST",
        headers: { authorization: `Bearer ${rig.sandbox.keys.live}` },
      });
    expect((await rotate()).ok).toBe(true);
    // Twice: the client repeats a sync on a kept connection that broke.
    rig.sandbox.faults.set({ kind: "drop_after", path: "*/sync", count: 2 });
    expect(await failureOf(agent.api.sync(input(), signal))).toBe("connection_lost");
    rig.sandbox.faults.clear();
    expect((await agent.api.sync(input(), signal)).confirmed).toBe(true);
    expect(bearer()).toBe(first);
    expect((await agent.restarted().api.sync(input(), signal)).confirmed).toBe(true);
    expect(bearer()).not.toBe(first);
  });
});

describe("copies", () => {
  test("same machine_id on another board: new identity, registered as another node", async () => {
    const rig = await startRig();
    const original = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.enrol) });
    await original.api.sync(input(), signal);
    const copy = rig.agent(
      { enrolKeyFile: keyFile(rig.sandbox.keys.enrol) },
      { identity: { ...IDENTITY, fingerprint: ["dmi:2", "mac:2"], instance: "instance-b" } },
    );
    expect((await copy.api.sync(input(), signal)).confirmed).toBe(true);
    expect(copy.renewed).toHaveLength(1);
    expect(rig.sandbox.inspect().nodes).toHaveLength(2);
    expect((await original.api.sync(input(), signal)).confirmed).toBe(true);
    expect(original.renewed).toEqual([]);
  });

  test("a copy of token and all: the later instance drops it unexecuted and registers anew at the next round", async () => {
    const rig = await startRig();
    const original = rig.agent({ enrolKeyFile: keyFile(rig.sandbox.keys.enrol) });
    await original.api.sync(input(), signal);
    const copy = rig.agent(
      { enrolKeyFile: keyFile(rig.sandbox.keys.enrol) },
      { values: new Map(original.values), identity: { ...IDENTITY, instance: "instance-b" } },
    );
    expect(await failureOf(copy.api.sync(input(), signal))).toBe("node_cloned");
    expect(copy.renewed).toHaveLength(1);
    expect(copy.conditions.has("node_cloned(nodefoundry)")).toBe(true);
    expect(copy.api.status().enrolled).toBe(false);
    await copy.api.sync(input(), signal);
    expect(copy.conditions.has("node_cloned(nodefoundry)")).toBe(false);
    expect(copy.api.status().nodeId).not.toBe(original.api.status().nodeId);
  });

  test("another 409: two instances, a condition until it is resolved", async () => {
    const rig = await startRig();
    const agent = rig.agent();
    await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
    rig.sandbox.faults.set({
      kind: "status",
      status: 409,
      code: "instance_conflict",
      path: "*/sync",
      count: 1,
    });
    expect(await failureOf(agent.api.sync(input(), signal))).toBe("two_instances");
    expect(agent.conditions.get("two_instances(nodefoundry)")?.severity).toBe("error");
    expect(agent.renewed).toEqual([]);
    await agent.api.sync(input(), signal);
    expect(agent.conditions.size).toBe(0);
  });
});

test("leave forgets token, id and name", async () => {
  const rig = await startRig();
  const agent = rig.agent();
  await agent.api.enroll(rig.sandbox.keys.enrol, { name: "x" }, signal);
  await agent.api.leave(signal);
  expect(agent.api.status().enrolled).toBe(false);
  expect(JSON.stringify([...agent.values])).not.toContain("nf_nt_");
});
