/**
 * Every number of a server's answers at the largest (and smallest) that its schema lets through, once, from a server
 * that is right again afterwards: reporting goes on, and nothing of it is left (docs/adr/0012-numbers-from-outside.md).
 */
import { describe, expect, test } from "vitest";
import { type Agent, failureOf, input, keyFile, signal } from "../../support/control/context.ts";
import { bodyOf, json } from "../../support/net/http-client.ts";
import { startPlainServer } from "../../support/net/tls.ts";
import { openAgent, startRig } from "./rig.ts";

const KEY = "nf_en_abcdefgh1234";
const LARGEST = Number.MAX_SAFE_INTEGER;
const LATEST = "9999-12-31T23:59:59.999Z";

type Answer = Record<string, unknown>;

/** A server of one node that merges by `seq` as the document says, and answers what `spoil` makes of it. */
async function startServer() {
  const seqs: number[] = [];
  let highest = 0;
  let registrations = 0;
  const state: { spoil: ((data: Answer) => Answer) | null } = { spoil: null };
  const server = await startPlainServer(async (request, response) => {
    const said = JSON.parse((await bodyOf(request)).toString()) as { seq: number };
    const now = new Date().toISOString();
    let data: Answer;
    if (request.url === "/v1/nodes") {
      highest = 0;
      data = { id: "node_1", mode: "live", node_token: `nf_nt_abcdefgh${++registrations}`, now };
    } else {
      seqs.push(said.seq);
      highest = Math.max(highest, said.seq);
      data = { now, ack_seq: highest, acked_events: [], resync: [], epoch: "e", interval_s: 60 };
    }
    json(response, { data: state.spoil?.(data) ?? data });
  });
  return { url: server.url, seqs, state, registrations: () => registrations };
}

const round = (agent: Agent): Promise<{ confirmed: boolean }> => agent.api.sync(input({ cpu: {} }), signal);

/** Within two rounds, since one answer may say how things stand before the next is right. */
async function reportsAgain(agent: Agent): Promise<void> {
  await round(agent);
  expect((await round(agent)).confirmed).toBe(true);
  expect([...agent.conditions.keys()]).toEqual([]);
}

const POISONS: readonly (readonly [string, Answer])[] = [
  ...[LARGEST, 2 ** 52, 2 ** 40, 2 ** 32, 2 ** 32 + 1, 1e6, 0].map(
    (seq) => [`ack_seq ${seq}`, { ack_seq: seq }] as const,
  ),
  ...[LATEST, "0000-01-01T00:00:00Z", "2099-12-31T23:59:59Z"].map((now) => [`now ${now}`, { now }] as const),
  ...[Number.MAX_VALUE, 0].map((interval_s) => [`interval_s ${interval_s}`, { interval_s }] as const),
  ["epoch", { epoch: "z".repeat(64) }],
  ["acked_events", { acked_events: Array.from({ length: 1000 }, () => "7".padEnd(26, "Z")) }],
  ["resync", { resync: Array.from({ length: 256 }, (_, n) => `section_${n}`) }],
  ["cancel", { cancel: Array.from({ length: 1000 }, (_, n) => `cmd_${n}`) }],
];

describe.each(POISONS)("an answer with %s", (_name, poison) => {
  test("is over with the next, over a restart, and over leaving and enrolling", async () => {
    const server = await startServer();
    const agent = openAgent(server.url);
    await agent.api.enroll(KEY, {}, signal);
    await round(agent);
    server.state.spoil = (data) => ({ ...data, ...poison });
    for (let again = 0; again < 3; again++) await round(agent);
    server.state.spoil = null;
    const restarted = openAgent(server.url, {}, { values: new Map(agent.values) });
    await reportsAgain(agent);
    await reportsAgain(restarted);
    const before = Number(restarted.values.get("seq"));
    await restarted.api.leave(signal);
    await restarted.api.enroll(KEY, {}, signal);
    await reportsAgain(restarted);
    expect(server.seqs.slice(-2)).toEqual([1, 2]);
    expect(Number(restarted.values.get("seq"))).toBeLessThanOrEqual(before);
  });
});

test("a report that is not confirmed is said once, with what was confirmed, and what to type", async () => {
  const server = await startServer();
  const agent = openAgent(server.url);
  await agent.api.enroll(KEY, {}, signal);
  server.state.spoil = (data) => ({ ...data, ack_seq: 2 ** 52 });
  expect((await round(agent)).confirmed).toBe(false);
  expect(agent.conditions.get("report_count_wrong(nodefoundry)")).toMatchObject({
    text: expect.stringContaining(`confirms report ${2 ** 52} where 1 was sent`),
    nextStep: expect.stringContaining("foundry-agent enroll"),
  });
  await round(agent);
  expect(server.seqs).toEqual([1, 2]);
  server.state.spoil = null;
  await round(agent);
  expect([...agent.conditions.keys()]).toEqual([]);
});

test("one that confirms too little is told from the third in a row on", async () => {
  const server = await startServer();
  const agent = openAgent(server.url);
  await agent.api.enroll(KEY, {}, signal);
  server.state.spoil = (data) => ({ ...data, ack_seq: 0 });
  const told: number[] = [];
  for (let rounds = 0; rounds < 4; rounds++) {
    await round(agent);
    told.push(agent.conditions.size);
  }
  expect(told).toEqual([0, 0, 1, 1]);
});

test.each(["4503599627371497", String(LARGEST), "9007199254740993", "1e300", "Infinity", "-5", "no"])(
  "a state.db in which an older version kept %s as the next number counts anew",
  async (kept) => {
    const server = await startServer();
    const agent = openAgent(server.url);
    await agent.api.enroll(KEY, {}, signal);
    agent.values.set("seq", kept);
    const upgraded = openAgent(server.url, {}, { values: agent.values });
    await reportsAgain(upgraded);
    expect(server.seqs).toEqual([1, 2]);
  },
);

test("the real server kept the number too: with a key the node registers once and counts anew", async () => {
  const rig = await startRig();
  const config = { enrolKeyFile: keyFile(rig.sandbox.keys.enrol) };
  const agent = rig.agent(config);
  await round(agent);
  // As the version before this went on after an ack of 2^40, and the server took it.
  agent.values.set("seq", String(2 ** 40));
  const poisoned = rig.agent(config, { values: new Map(agent.values) });
  expect((await round(poisoned)).confirmed).toBe(true);
  const upgraded = rig.agent(config, { values: new Map(poisoned.values) });
  const confirmed: boolean[] = [];
  for (let rounds = 0; rounds < 5; rounds++) confirmed.push((await round(upgraded)).confirmed);
  expect(confirmed).toEqual([false, false, false, true, true]);
  expect([...upgraded.conditions.keys()]).toEqual([]);
  expect(rig.seen.filter(({ path }) => path === "/v1/nodes")).toHaveLength(2);
});

test("a server that never confirms is registered with once, not at each round", async () => {
  const server = await startServer();
  server.state.spoil = (data) => (data.ack_seq === undefined ? data : { ...data, ack_seq: LARGEST });
  const agent = openAgent(server.url, { enrolKeyFile: keyFile(KEY) });
  for (let rounds = 0; rounds < 12; rounds++) expect((await round(agent)).confirmed).toBe(false);
  expect(server.registrations()).toBe(2);
});

test("what a registration says at its largest", async () => {
  const server = await startServer();
  const agent = openAgent(server.url);
  server.state.spoil = (data) => ({
    ...data,
    now: LATEST,
    sync: { interval_s: Number.MAX_VALUE, wait_s: Number.MAX_VALUE },
    open_commands: Array.from({ length: 3_000 }, (_, n) => ({ id: `c${n}`, type: "x", state: "received" })),
  });
  await agent.api.enroll(KEY, {}, signal);
  server.state.spoil = null;
  await reportsAgain(agent);
  expect((agent.values.get("session") ?? "").length).toBeLessThan(20_000);
});

test("no number is no answer, and none of them moves anything", async () => {
  const server = await startServer();
  const agent = openAgent(server.url);
  await agent.api.enroll(KEY, {}, signal);
  for (const ack_seq of [2 ** 53, 1e300, -1, 1.5, "7", null]) {
    server.state.spoil = (data) => ({ ...data, ack_seq });
    expect(await failureOf(round(agent))).toBe("bad_answer");
  }
  server.state.spoil = null;
  await reportsAgain(agent);
});
