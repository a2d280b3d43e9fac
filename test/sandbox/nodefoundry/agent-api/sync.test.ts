import { expect, test } from "vitest";
import { call, enrolAgent, event, testSandbox } from "../../../support/net/sandbox.ts";

const DRIVES = {
  drives: [
    { id: "wwn-0x5", name: "sda", temperature_c: 30, counters: { reads: 1 } },
    { id: "eui.00]25", name: "nvme0n1", temperature_c: 40 },
  ],
};

test("sections by hash: what is unknown is asked for, what is known is not, what is gone is forgotten", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const hashes = { system: "s1", cpu: "c1" };
  const system = { hostname: "ceph-01" };
  expect((await agent.sync({ hashes, sections: { system } })).resync).toEqual(["cpu"]);
  expect((await agent.sync({ hashes })).resync).toEqual(["cpu"]);
  expect((await agent.sync({ hashes, sections: { cpu: { cores: 8 } } })).resync).toEqual([]);
  expect((await agent.sync({ hashes: { ...hashes, system: "s2" } })).resync).toEqual(["system"]);
  expect((await agent.sync({ hashes: { cpu: "c1" } })).resync).toEqual([]);
  expect(sandbox.inspect().reports[agent.id]?.sections).toEqual({ cpu: { cores: 8 } });
});

test("volatile values are merged over the section until it comes in full", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const hashes = { cpu: "c1", drives: "d1" };
  await agent.sync({ hashes, sections: { cpu: { load: { one: 0.1, five: 0.2 } }, drives: DRIVES } });
  const volatile = {
    cpu: { "load.one": 0.5, "nowhere.at.all": 1, utilisation: 0.4 },
    drives: {
      "drives[wwn-0x5].temperature_c": 31,
      "drives[wwn-0x5].counters.reads": 9,
      "drives[eui.00\\]25].temperature_c": 41,
    },
  };
  await agent.sync({ hashes, volatile });
  await agent.sync({ hashes, volatile: { cpu: { "load.one": 0.6 } } });
  const report = await call(sandbox.url, sandbox.keys.readOnly, `GET /v1/nodes/${agent.id}/report`);
  expect(report.body.data).toMatchObject({
    node_id: agent.id,
    seq: 3,
    hashes,
    received_at: { cpu: "2026-11-20T12:00:00.000Z", drives: "2026-11-20T12:00:00.000Z" },
    volatile: { ...volatile, cpu: { ...volatile.cpu, "load.one": 0.6 } },
  });
  expect(report.body.data.sections).toEqual({
    cpu: { load: { one: 0.6, five: 0.2 }, utilisation: 0.4 },
    drives: {
      drives: [
        { id: "wwn-0x5", name: "sda", temperature_c: 31, counters: { reads: 9 } },
        { id: "eui.00]25", name: "nvme0n1", temperature_c: 41 },
      ],
    },
  });
  await agent.sync({ hashes, sections: { cpu: { load: { one: 1, five: 1 } } } });
  expect(sandbox.inspect().reports[agent.id]?.sections.cpu).toEqual({ load: { one: 1, five: 1 } });
});

test("a path finds the item it names, not one that only mentions it", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const interfaces = [
    { name: "eth0", master: "bond0", speed_mbps: 1 },
    { name: "bond0", master: null, speed_mbps: 1 },
  ];
  const volatile = { network: { "interfaces[bond0].speed_mbps": 2 } };
  await agent.sync({ hashes: { network: "n" }, sections: { network: { interfaces } }, volatile });
  const merged = sandbox.inspect().reports[agent.id]?.sections.network;
  expect(merged).toMatchObject({ interfaces: [{ speed_mbps: 1 }, { speed_mbps: 2 }] });
});

test("a path cannot reach what is not the report's own", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const volatile = {
    cpu: { "__proto__.polluted": 1, "constructor.polluted": 1, "list[9]": 1, "list[1]": 7, "": 1 },
  };
  await agent.sync({ hashes: { cpu: "c" }, sections: { cpu: { list: [0, 1] } }, volatile });
  expect(sandbox.inspect().reports[agent.id]?.sections.cpu).toEqual({ list: [0, 7] });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("an older seq of the same instance changes nothing, the same one may come again", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const say = async (seq: number, hostname: string, events: unknown[] = []) =>
    await agent.sync({ seq, hashes: { system: hostname }, sections: { system: { hostname } }, events });
  await say(5, "five");
  const late = await say(4, "four", [event(1, "drive.missing", {})]);
  expect([late.ack_seq, late.acked_events.length]).toEqual([5, 1]);
  const { reports, events } = sandbox.inspect();
  expect(reports[agent.id]?.sections).toEqual({ system: { hostname: "five" } });
  expect(events[agent.id]).toHaveLength(1);
  expect((await say(5, "five again")).ack_seq).toBe(5);
  expect(sandbox.inspect().reports[agent.id]?.sections).toEqual({ system: { hostname: "five again" } });
});

test("a new instance that registered begins its own count", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  await agent.sync({ seq: 900 });
  const reborn = await enrolAgent(sandbox, { instance: "instance-b" });
  expect((await reborn.sync()).ack_seq).toBe(1);
});

test("events are kept once however often they come, in the order of their ids", async () => {
  const { sandbox } = await testSandbox();
  const agent = await enrolAgent(sandbox);
  const [one, two, three] = [1, 2, 3].map((number) =>
    event(number, number === 2 ? "reboot" : "drive.missing", { number }),
  );
  expect((await agent.sync({ events: [two, three] })).acked_events).toEqual([two?.id, three?.id]);
  expect((await agent.sync({ events: [one, two, one] })).acked_events).toEqual([one?.id, two?.id, one?.id]);
  expect(sandbox.inspect().events[agent.id]?.map((each) => each.data.number)).toEqual([1, 2, 3]);
  const line = `GET /v1/nodes/${agent.id}/events`;
  const newest = await call(sandbox.url, sandbox.keys.readOnly, `${line}?per_page=2`);
  expect(newest.body).toEqual({ data: [three, two], meta: { page: 1, per_page: 2, total: 3 } });
  const reboots = await call(sandbox.url, sandbox.keys.readOnly, `${line}?type=reboot`);
  expect(reboots.body.data).toEqual([two]);
});

test("an empty sync is held until there is a command, one with something to say is answered at once", async () => {
  const { sandbox } = await testSandbox({ waitS: 300 });
  const agent = await enrolAgent(sandbox);
  expect((await agent.sync({ wait_s: 300, events: [event(1, "reboot", {})] })).commands).toEqual([]);
  const section = { hashes: { a: "1" }, sections: { a: {} } };
  expect((await agent.sync({ wait_s: 300, ...section })).commands).toEqual([]);
  const held = agent.sync({ wait_s: 300, hashes: { a: "1" } });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(agent.seq);
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  expect((await held).commands).toMatchObject([{ type: "reboot" }]);
});

test("a held sync also ends for a resync, and by itself when its time is over", async () => {
  const { sandbox } = await testSandbox({ waitS: 300 });
  const agent = await enrolAgent(sandbox);
  const section = { hashes: { a: "1" }, sections: { a: {} } };
  await agent.sync(section);
  const held = agent.sync({ wait_s: 300, hashes: { a: "1" } });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(agent.seq);
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/resync`);
  expect((await held).resync).toEqual(["a"]);
  expect((await agent.sync({ wait_s: 300, hashes: { a: "1" } })).resync).toEqual(["a"]);
  expect((await agent.sync(section)).resync).toEqual([]);
  expect((await agent.sync({ wait_s: 0.05, hashes: { a: "1" } })).ack_seq).toBe(agent.seq);
});

test("wait_s is honoured no longer than the server's own", async () => {
  const { sandbox } = await testSandbox({ waitS: 0 });
  const agent = await enrolAgent(sandbox);
  expect((await agent.sync({ wait_s: 300 })).ack_seq).toBe(1);
});

test("a newer sync ends the one still held; a poll given up delivers nothing", async () => {
  const { sandbox } = await testSandbox({ waitS: 300 });
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  const first = agent.sync({ wait_s: 300 });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(2);
  await agent.sync();
  expect((await first).ack_seq).toBe(3);

  const given = new AbortController();
  const second = agent.exchange({ wait_s: 300 }, { signal: given.signal });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(4);
  given.abort();
  await expect(second).rejects.toThrow(/abort/i);
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  expect((await agent.sync()).commands).toHaveLength(1);
});

test("a node deleted while it is held learns that it has to register again", async () => {
  const { sandbox } = await testSandbox({ waitS: 300 });
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  const held = agent.exchange({ wait_s: 300 });
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(2);
  expect((await call(sandbox.url, sandbox.keys.live, `DELETE /v1/nodes/${agent.id}`)).status).toBe(200);
  const answer = await held;
  expect([answer.status, answer.body.error.code]).toEqual([404, "node_not_found"]);
});

test("bodies that do not fit are 400 and change nothing", async () => {
  const { sandbox } = await testSandbox({ nodeRequestsAMinute: 100 });
  const agent = await enrolAgent(sandbox);
  const bad: Record<string, unknown>[] = [
    { seq: -1 },
    { seq: 1.5 },
    { instance: "" },
    { status: "fine" },
    { sent_at: "yesterday" },
    { hashes: { "Not A Name": "x" } },
    { hashes: null },
    { hashes: [] },
    { volatile: { cpu: [1] } },
    { sections: { cpu: [] } },
    { sections: { cpu: 1 } },
    { volatile: { cpu: { load: { one: 1 } } } },
    { events: [{ ...event(1, "reboot", {}), id: "not-a-ulid" }] },
    { events: [{ ...event(1, "reboot", {}), severity: "fatal" }] },
    { wait_s: 10_000 },
    { next_due_s: "soon" },
  ];
  for (const fields of bad) {
    const answer = await agent.exchange(fields);
    expect([fields, answer.status, answer.body.error?.code]).toEqual([fields, 400, "invalid_request"]);
  }
  expect(sandbox.inspect().nodes[0]?.sync).toBeNull();
});
