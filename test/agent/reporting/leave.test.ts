/** Leaving a control API is an operator's word: no key in a file takes it back. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { testAgent } from "../../support/agent/agent.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { startSandbox } from "../../support/net/nodefoundry.ts";

test("a node that left stays away, over restarts too, until somebody enrols it again", async () => {
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const keyFile = join(temporaryFolder(), "enrol.key");
  writeFileSync(keyFile, server.keys.enrol, { mode: 0o600 });
  const toml = `[nodefoundry]\nurl = "${server.url}"\nenrol_key_file = "${keyFile}"\n`;
  const first = await testAgent({ toml });
  await first.view.sync();
  const { nodeId } = first.view.status();
  expect(nodeId).toMatch(/^node_/);
  await first.view.leave("nodefoundry");

  const asked = server.inspect().requestCount;
  const [round] = await first.view.sync();
  expect(round).toMatchObject({ ok: false, nextStep: expect.stringContaining("foundry-agent enroll") });
  await first.stop();
  const second = await testAgent({ toml, folder: first.folder });
  await second.view.sync();
  expect(server.inspect().requestCount).toBe(asked);
  expect(second.view.status()).toMatchObject({
    nodeId: null,
    conditions: [{ code: "left", severity: "info", nextStep: "foundry-agent enroll" }],
    controlApis: [{ enrolled: false, note: expect.stringContaining("left") }],
  });

  expect((await second.view.enroll("nodefoundry", server.keys.enrol, {})).nodeId).toBe(nodeId);
  expect((await second.view.sync())[0]).toMatchObject({ ok: true });
});

test("one that becomes a new node afterwards has not left any more", async () => {
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const agent = await testAgent({ toml: `[nodefoundry]\nurl = "${server.url}"\n` });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  await agent.view.leave("nodefoundry");
  await agent.view.sync();
  await agent.view.resetIdentity();
  await agent.view.sync();
  expect(agent.view.status().conditions.map(({ code }) => code)).toEqual(["enrol_key_needed"]);
  // Nothing fails where nothing is asked, and what the node before it was told is none of its own.
  await agent.view.sync();
  expect(agent.view.status().controlApis).toMatchObject([
    { enrolled: false, lastSyncAt: null, lastError: null, breaker: "closed", failures: 0 },
  ]);
});
