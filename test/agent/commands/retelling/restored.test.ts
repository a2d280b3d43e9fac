/** A server that was restored from a backup, end to end: what it believes open gets its end, and is not done again. */
import { expect, test } from "vitest";
import { quietMachine, testAgent } from "../../../support/agent/agent.ts";
import { pointedAt, reboot, sandbox } from "../../../support/agent/server.ts";
import { treeAgent } from "../../../support/agent/tree-agent.ts";
import { eventually } from "../../../support/eventually.ts";

const COMMANDS = "[commands]\ngrace_s = 0\nsplay_s = 0\nuptime_guard_s = 0\n";

test("what ended after the backup is told again with its real end, once, and nothing is done again", async () => {
  const { agent, view, server } = await treeAgent({ tree: "vm", toml: COMMANDS, registered: "test" });
  const { nodeId } = view.status();
  const stateThere = (id: string) => server.inspect().commands.find((one) => one.id === id);
  const rounds = async (until: () => boolean): Promise<unknown> =>
    await eventually(async () => {
      await view.sync();
      return until();
    });
  view.hold({ reason: "backup", by: "root", until: null });
  const open = await reboot(server, nodeId ?? "");
  await rounds(() => stateThere(open)?.state === "waiting");
  server.faults.snapshot();
  view.release("root");
  await rounds(() => stateThere(open)?.state === "succeeded");
  const history = view.commandHistory(open);

  server.faults.restore();
  expect(stateThere(open)?.state).toBe("waiting");
  await rounds(() => stateThere(open)?.state === "succeeded");
  const operation = server.inspect().operations.find(({ id }) => id === stateThere(open)?.operationId);
  expect(operation).toMatchObject({ status: "succeeded", result: { simulated: true } });
  expect(view.commandHistory(open)).toEqual(history);

  const repeats = () =>
    (server.inspect().events[nodeId ?? ""] ?? []).filter(({ data }) => data.repeated === true).length;
  expect(repeats()).toBe(1);
  // The epoch stays: nothing more is said, also after a restart.
  await view.sync();
  await agent.stop();
  const again = await testAgent({
    machine: quietMachine(),
    folder: agent.folder,
    toml: `${pointedAt(server.url)}${COMMANDS}`,
  });
  await again.view.sync();
  await again.view.sync();
  expect(repeats()).toBe(1);
});

test("a restart between the restore and the telling loses nothing of it", async () => {
  const server = await sandbox();
  const toml = `${pointedAt(server.url)}${COMMANDS}`;
  const agent = await testAgent({ toml });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  const wanted: string[] = [];
  agent.view.hold({ reason: "backup", by: "root", until: null });
  for (let at = 0; at < 3; at++) wanted.push(await reboot(server, nodeId));
  const states = () => wanted.map((id) => server.inspect().commands.find((one) => one.id === id)?.state);
  const rounds = async (view: typeof agent.view, state: string): Promise<unknown> =>
    await eventually(async () => {
      await view.sync();
      return states().every((one) => one === state);
    });
  await rounds(agent.view, "waiting");
  server.faults.snapshot();
  agent.view.release("root");
  await rounds(agent.view, "succeeded");
  server.faults.restore();
  // Hears of it, and ends before it could say anything.
  await agent.view.sync();
  await agent.stop();
  const again = await testAgent({ toml, folder: agent.folder });
  await rounds(again.view, "succeeded");
  expect(again.view.commands(9).map(({ state }) => state)).toEqual(["succeeded", "succeeded", "succeeded"]);
});
