/** A clock that is wrong, at the level of the whole agent: said so, nothing taken on trust, nothing lost. */
import { writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { quietMachine, testAgent } from "../support/agent/agent.ts";
import {
  codes,
  condition,
  eventTypes,
  expectAlive,
  freePort,
  keyFile,
  pointedAt,
  sandbox,
  twice,
} from "../support/agent/server.ts";
import { startSandbox } from "../support/net/nodefoundry.ts";
import { certificate, certificatePath } from "../support/net/tls.ts";
import { handClock } from "../support/store/store.ts";

test("a clock in 1970: clock_wrong, no certificate is taken on trust, and all is told when the clock is right", async () => {
  const clock = handClock(86_400_000);
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const early = await startSandbox({ listen, tls: certificate("not-yet-valid") });
  onTestFinished(() => early.close());
  const agent = await testAgent({
    machine: quietMachine(clock),
    toml: pointedAt(early.url, { ca_file: certificatePath("ca"), enrol_key_file: keyFile(early) }),
  });
  expect(condition(agent, "clock_wrong")).toMatchObject({
    text: expect.stringContaining("1970"),
    nextStep: expect.stringContaining("timedatectl"),
  });
  await twice(agent);
  expect(early.inspect().requestCount).toBe(0);
  expect(condition(agent, "reporting_failed")?.text).toContain("not valid yet");
  const tls = agent.view.status().conditions.filter(({ code }) => code === "clock_wrong");
  expect(tls.map(({ subject }) => subject).sort()).toEqual(["nodefoundry", undefined]);
  expectAlive(agent);

  // The clock is set and the certificate begins to be valid.
  await early.close();
  const later = await sandbox({ listen, tls: certificate("server"), keys: early.keys });
  clock.set(Date.now());
  clock.forward(30_000);
  await agent.view.collect("system");
  await twice(agent);
  expect(codes(agent)).toEqual([]);
  const nodeId = agent.view.status().nodeId ?? "";
  const told = later.inspect().events[nodeId] ?? [];
  expect(told.filter(({ data }) => data.code === "clock_wrong").map(({ type }) => type)).toEqual([
    "condition.raised",
    "condition.raised",
    "condition.cleared",
    "condition.cleared",
  ]);
  // Not half a century, as the wall clock has it.
  for (const { type, data } of told) if (type === "condition.cleared") expect(data.held_s).toBe(30);
});

test("a clock that fell back to 1970 between two starts: events stay in order and arrive", async () => {
  const server = await sandbox();
  const toml = pointedAt(server.url);
  const first = await testAgent({ toml });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  writeFileSync(first.configFile, "[agent]\nhardwear = true\n");
  await first.view.reload();
  const before = first.view.eventsSince("", 100).map(({ id }) => id);
  await first.stop();
  const second = await testAgent({
    folder: first.folder,
    toml,
    machine: quietMachine(handClock(86_400_000)),
  });
  await second.view.sync();
  const [newest] = second.view.eventsSince(before.at(-1) ?? "", 100);
  expect(newest).toMatchObject({ type: "condition.raised", data: { code: "clock_wrong" } });
  await second.view.sync();
  expect(eventTypes(server, nodeId)).toContain("condition.raised config_invalid");
  expect(eventTypes(server, nodeId)).toContain("condition.raised clock_wrong");
});

test("a server whose clock is far from ours", async () => {
  let ahead = 3 * 3_600_000;
  const server = await sandbox({ now: () => Date.now() + ahead });
  const agent = await testAgent({ toml: pointedAt(server.url) });
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  expect(condition(agent, "clock_wrong")).toMatchObject({
    subject: "nodefoundry",
    text: expect.stringContaining("behind"),
    nextStep: "timedatectl",
  });
  ahead = 0;
  await agent.view.sync();
  expect(codes(agent)).not.toContain("clock_wrong");
});
