/** What is absent when the agent starts: not yet known for a minute, no condition and no event, and then told. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { hostClock } from "../../../src/system/clock.ts";
import { type TestAgent, testAgent } from "../../support/agent/agent.ts";
import { codes, eventTypes, pointedAt, sandbox } from "../../support/agent/server.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { eventually } from "../../support/eventually.ts";
import { layTree, loadTree, mergeTrees, treeMachine } from "../../support/machine/tree.ts";
import { handClock } from "../../support/store/store.ts";

/** lldpd is installed and does not run yet, and a file system became read-only. */
function machine() {
  const clock = handClock(Date.now());
  const tree = mergeTrees([
    loadTree("vm"),
    { files: { "/usr/sbin/lldpd": "", "/run/systemd/timesync/x": "" } },
  ]);
  const root = layTree(tree);
  return { clock, root, machine: treeMachine(tree, clock, root) };
}

const events = (agent: TestAgent): unknown[] =>
  agent.view
    .eventsSince("", 1_000)
    .filter(({ type }) => type.startsWith("condition."))
    .map(({ type, data }) => `${type} ${String(data.code)}`);
const unknown = (agent: TestAgent): string[] => agent.view.status().notYetKnown.map(({ code }) => code);

test("lldpd that starts after the agent is never an alarm and no event", async () => {
  const { clock, root, machine: host } = machine();
  const server = await sandbox();
  const agent = await testAgent({ machine: host, settleMs: 60_000, toml: pointedAt(server.url) });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  await agent.view.sync();
  expect([unknown(agent), codes(agent)]).toEqual([["lldp_not_running"], []]);
  const { json } = await ask(agent.statusSocket, "/v1/status");
  expect(json.data.not_yet_known).toEqual([
    { code: "lldp_not_running", subject: null, text: "whether lldpd runs" },
  ]);
  // apt has started it.
  const socket = join(root, "run/lldpd.socket");
  mkdirSync(dirname(socket), { recursive: true });
  writeFileSync(socket, "");
  clock.forward(61_000);
  await agent.view.collect("system");
  await eventually(() => unknown(agent).length === 0);
  expect([codes(agent), events(agent)]).toEqual([[], []]);
  await agent.view.sync();
  expect(eventTypes(server, agent.view.status().nodeId ?? "").filter((one) => one.includes("lldp"))).toEqual(
    [],
  );
});

test("lldpd that does not start is told when the minute is over; after a restart at once, and as no news", async () => {
  const { clock, machine: host } = machine();
  const agent = await testAgent({ machine: host, settleMs: 60_000 });
  expect(codes(agent)).toEqual([]);
  clock.forward(59_000);
  await agent.view.collect("lldp");
  expect([unknown(agent), codes(agent)]).toEqual([["lldp_not_running"], []]);
  clock.forward(2_000);
  await agent.view.collect("system");
  await eventually(() => codes(agent).includes("lldp_not_running"));
  expect([unknown(agent), events(agent)]).toEqual([[], ["condition.raised lldp_not_running"]]);
  await agent.stop();
  const again = await testAgent({ machine: host, settleMs: 60_000, folder: agent.folder });
  expect([unknown(again), codes(again)]).toEqual([[], ["lldp_not_running"]]);
  expect(events(again)).toEqual(["condition.raised lldp_not_running"]);
});

test("the minute ends by itself: what is collected next, and brings a tick, is a minute away", async () => {
  const { machine: host } = machine();
  const agent = await testAgent({ machine: { ...host, clock: hostClock() }, settleMs: 1_000 });
  await eventually(() => codes(agent).includes("lldp_not_running"));
  expect([unknown(agent), events(agent)]).toEqual([[], ["condition.raised lldp_not_running"]]);
});

test("reports that get through in time are no news; a damaged configuration is told at once", async () => {
  const clock = handClock(Date.now());
  const server = await sandbox();
  const first = await testAgent({ toml: pointedAt(server.url) });
  await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  server.faults.set({ kind: "503" });
  const { machine: host } = machine();
  const agent = await testAgent({
    folder: first.folder,
    toml: pointedAt(server.url),
    settleMs: 60_000,
    machine: { ...host, clock },
  });
  for (let round = 0; round < 2; round++) await agent.view.sync();
  expect(unknown(agent)).toContain("reporting_failed");
  expect(codes(agent)).toEqual([]);
  server.faults.clear();
  await agent.view.sync();
  expect(unknown(agent)).toEqual(["lldp_not_running"]);
  writeFileSync(agent.configFile, "[agent]\nhardwear = true\n");
  await agent.view.reload();
  expect(codes(agent)).toEqual(["config_invalid"]);
});
