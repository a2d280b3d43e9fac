/** A configuration that is read again: one after another, and nothing of the one before is left. */
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startAgent } from "../../src/agent/agent.ts";
import { allCollectors } from "../../src/collectors/index.ts";
import { loadConfig } from "../../src/config/config.ts";
import { openNotify } from "../../src/system/notify.ts";
import { quietMachine, testAgent, writeConfig } from "../support/agent/agent.ts";
import {
  codes,
  condition,
  expectAlive,
  freePort,
  keyFile,
  pointedAt,
  twice,
} from "../support/agent/server.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { startSandbox } from "../support/net/nodefoundry.ts";
import { recordedLog } from "../support/text/log.ts";

test("an address for metrics that is taken costs the metrics, not the daemon, also at a reload", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const toml = `[metrics]\nlisten = "127.0.0.1:${port}"\n`;
  const agent = await testAgent({ toml });
  expect(condition(agent, "metrics_listen")).toMatchObject({
    nextStep: expect.stringContaining("metrics.listen"),
  });
  expectAlive(agent);
  writeConfig(agent.folder, "");
  expect(await agent.view.reload()).toEqual({ ok: true, problems: [] });
  expect(codes(agent)).toEqual([]);
  writeConfig(agent.folder, toml);
  expect(await agent.view.reload()).toEqual({ ok: true, problems: [] });
  expect(codes(agent)).toEqual(["metrics_listen"]);
  expectAlive(agent);
});

test("many reloads at once come one after another", async () => {
  const file = writeConfig(temporaryFolder(), "");
  const { log, lines } = recordedLog();
  const order: string[] = [];
  const agent = await startAgent({
    load() {
      order.push(`read after ${lines.filter(({ msg }) => msg === "configuration read again").length}`);
      return loadConfig({ uid: 0, env: {}, file, collectors: allCollectors() });
    },
    machine: quietMachine(),
    log,
    notify: openNotify({}),
    version: "0.0.0-test",
  });
  onTestFinished(() => agent.stop());
  const reloads = await Promise.all([agent.view.reload(), agent.view.reload(), agent.view.reload()]);
  expect(reloads.map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(order).toEqual(["read after 0", "read after 0", "read after 1", "read after 2"]);
});

test("what a reload switches off leaves no condition behind", async () => {
  const port = await freePort();
  const keys = { enrol: "nf_en_0123456789abcdef" };
  const agent = await testAgent({
    toml: pointedAt(`http://127.0.0.1:${port}`, { enrol_key_file: keyFile({ keys }) }),
  });
  await twice(agent);
  expect(codes(agent)).toEqual(["reporting_failed"]);
  writeConfig(agent.folder, "");
  await agent.view.reload();
  expect(codes(agent)).toEqual([]);
});

test("folders that only a restart moves are said to wait for one", async () => {
  const agent = await testAgent();
  const text = readFileSync(agent.configFile, "utf8");
  writeFileSync(agent.configFile, text.replace("/state", "/elsewhere"), { mode: 0o600 });
  await agent.view.reload();
  expect(condition(agent, "restart_needed")).toMatchObject({
    text: expect.stringContaining("agent.state_dir"),
  });
  writeFileSync(agent.configFile, text, { mode: 0o600 });
  await agent.view.reload();
  expect(codes(agent)).toEqual([]);
});

test("after a reload the node listens at once, and what was known of the last round is still known", async () => {
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const agent = await testAgent({ toml: pointedAt(server.url) });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  const before = agent.view.status().controlApis[0]?.lastSyncAt ?? 0;
  expect(before).toBeGreaterThan(0);
  writeConfig(agent.folder, `[collectors.memory]\nenabled = false\n${pointedAt(server.url)}`);
  expect(await agent.view.reload()).toMatchObject({ ok: true });
  expect(agent.view.status().controlApis[0]?.lastSyncAt).toBeGreaterThanOrEqual(before);
  // Its long poll is open again: a command comes through it without waiting for the node's place in the interval.
  const { nodeId } = agent.view.status();
  await fetch(`${server.url}/v1/nodes/${nodeId}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.keys.test}`, "content-type": "application/json" },
    body: "{}",
  });
  await eventually(() => agent.view.commands(1).length === 1);
});
