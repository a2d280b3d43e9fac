/** A whole agent whose state was lost: what it says, and when that is over. */
import { cpSync, rmSync, truncateSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testAgent } from "../support/agent/agent.ts";
import {
  codes,
  condition,
  eventTypes,
  keyFile,
  pointedAt,
  reboot,
  sandbox,
} from "../support/agent/server.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

test("a new node says nothing of a loss; one whose state.db is empty does, until the server has settled what it had open", async () => {
  const server = await sandbox();
  // It is accepted, and waits long enough to be still there.
  const toml = `${pointedAt(server.url, { enrol_key_file: keyFile(server) })}[commands]\ngrace_s = 3600\n`;
  const first = await testAgent({ toml });
  await first.view.sync();
  expect(codes(first)).toEqual([]);
  const nodeId = first.view.status().nodeId ?? "";
  const id = await reboot(server, nodeId);
  await eventually(async () => {
    await first.view.sync();
    return server.inspect().commands[0]?.state === "waiting";
  });
  first.view.hold({ reason: "fan", by: "ada", until: null });
  await first.stop();
  truncateSync(join(first.folder, "state", "state.db"), 0);

  server.faults.set({ kind: "503" });
  const second = await testAgent({ toml, folder: first.folder });
  expect(condition(second, "state_lost")).toMatchObject({
    severity: "warning",
    text: expect.stringMatching(/state\.db was empty.*wait until the server has settled/),
    nextStep: expect.stringContaining("foundry-agent adopt"),
  });
  // It outlived the state.
  expect(second.view.status().hold).toMatchObject({ reason: "fan", by: "ada" });
  server.faults.clear();
  await eventually(async () => {
    await second.view.sync();
    return !codes(second).includes("state_lost");
  });
  expect(second.view.status().nodeId).toBe(nodeId);
  await eventually(async () => {
    await second.view.sync();
    return server.inspect().commands.find((one) => one.id === id)?.state === "failed";
  });
  expect(eventTypes(server, nodeId)).toContain("condition.cleared state_lost");
  await second.stop();
  const third = await testAgent({ toml, folder: first.folder });
  expect(codes(third)).not.toContain("state_lost");
});

test("a state from a backup says so until somebody adopts it; what waited in it is not carried out", async () => {
  const server = await sandbox();
  const toml = `${pointedAt(server.url)}[commands]\ngrace_s = 3600\n`;
  const first = await testAgent({ toml });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  const state = join(first.folder, "state");
  const copy = temporaryFolder();
  cpSync(join(state, "state.db"), join(copy, "state.db"));
  const second = await testAgent({ toml, folder: first.folder });
  await second.view.sync();
  expect(codes(second)).toEqual([]);
  await second.stop();
  cpSync(join(copy, "state.db"), join(state, "state.db"));

  const third = await testAgent({ toml, folder: first.folder });
  expect(condition(third, "state_lost")).toMatchObject({ text: expect.stringContaining("backup") });
  await third.view.sync();
  expect(third.view.status().nodeId).toBe(nodeId);
  expect(codes(third)).toContain("state_lost");
  await third.view.adopt(false);
  expect(codes(third)).toEqual([]);
  await expect(third.view.adopt(false)).rejects.toMatchObject({ code: "nothing_to_adopt" });
});

test("a node without a server settles it by itself when it is adopted", async () => {
  const first = await testAgent();
  await first.stop();
  unlinkSync(join(first.folder, "state", "state.db"));
  const second = await testAgent({ folder: first.folder });
  expect(codes(second)).toEqual(["state_lost"]);
  await second.view.adopt(false);
  expect(codes(second)).toEqual([]);
  await second.stop();
  rmSync(join(first.folder, "state"), { recursive: true });
  expect(codes(await testAgent({ folder: first.folder }))).toEqual([]);
});

test("a restart while it is not settled is no news: neither an end nor another beginning", async () => {
  const first = await testAgent();
  await first.stop();
  unlinkSync(join(first.folder, "state", "state.db"));
  const second = await testAgent({ folder: first.folder });
  const since = condition(second, "state_lost")?.since;
  await second.stop();
  const third = await testAgent({ folder: first.folder });
  await eventually(() => codes(third).includes("state_lost"));
  expect(condition(third, "state_lost")?.since).toBe(since);
  const told = third.view.eventsSince("", 100).filter(({ data }) => data.code === "state_lost");
  expect(told.map(({ type }) => type)).toEqual(["condition.raised"]);
});
