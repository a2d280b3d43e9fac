/** When a control API was heard of last, which a restart must not make younger, or unknown. */
import { expect, test } from "vitest";
import { quietMachine, testAgent } from "../../support/agent/agent.ts";
import { pointedAt, sandbox } from "../../support/agent/server.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { handClock } from "../../support/store/store.ts";

test("the last round's time is shown after a restart, with its age in the metrics, until this node leaves", async () => {
  const server = await sandbox();
  const clock = handClock(Date.now());
  const options = { toml: pointedAt(server.url), machine: quietMachine(clock) };
  const first = await testAgent(options);
  await first.view.enroll("nodefoundry", server.keys.test, {});
  const at = first.view.status().controlApis[0]?.lastSyncAt;
  expect(at).toBe(clock.now());
  await first.stop();

  server.faults.set({ kind: "503" });
  clock.forward(3 * 3_600_000);
  const second = await testAgent({ ...options, folder: first.folder });
  expect(second.view.status().controlApis[0]?.lastSyncAt).toBe(at);
  const { text } = await ask(second.statusSocket, "/metrics");
  expect(text).toMatch(/^foundry_agent_sync_age_seconds\{api="nodefoundry"\} 10800$/m);
  await second.view.sync();
  expect(second.view.status().controlApis[0]?.lastSyncAt).toBe(at);

  await second.view.leave();
  expect(second.view.status().controlApis[0]?.lastSyncAt).toBeNull();
  await second.stop();
  const third = await testAgent({ ...options, folder: first.folder });
  expect(third.view.status().controlApis[0]?.lastSyncAt).toBeNull();
});
