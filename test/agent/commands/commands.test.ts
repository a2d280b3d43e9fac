/** Commands through the whole daemon: from the sandbox's API to the journal and back, in test mode and without rights. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ownFile } from "../../../src/model/text/own-file.ts";
import type { DryRunWire } from "../../../src/sockets/wire/command-schemas.ts";
import { type TestAgent, testAgent } from "../../support/agent/agent.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { type Sandbox, startSandbox } from "../../support/net/nodefoundry.ts";

const BY = { uid: 0, name: "root" };

interface House {
  readonly server: Sandbox;
  readonly agent: TestAgent;
  readonly nodeId: string;
  ask(path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Until the operation is over; rounds meanwhile. */
  over(operationId: unknown): Promise<Record<string, unknown>>;
  states(id: unknown): string[];
}

async function house(
  options: { toml?: string; policy?: string; key?: "test" | "live"; folder?: string } = {},
): Promise<House> {
  const server = await startSandbox({ nodeRequestsAMinute: 1_000_000 });
  onTestFinished(() => server.close());
  const folder = options.folder ?? temporaryFolder();
  const policyFile = join(folder, "policy.toml");
  if (options.policy !== undefined) writeFileSync(policyFile, options.policy, { mode: 0o600 });
  const commands = `[commands]\ngrace_s = 0\nsplay_s = 0\nuptime_guard_s = 0\npolicy_file = "${policyFile}"\n`;
  const agent = await testAgent({
    folder,
    toml: `[nodefoundry]\nurl = "${server.url}"\n${commands}${options.toml ?? ""}`,
  });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys[options.key ?? "test"], {});
  const ask: House["ask"] = async (path, body) => {
    const answer = await fetch(server.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${server.keys.live}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return ((await answer.json()) as { data: Record<string, unknown> }).data;
  };
  return {
    server,
    agent,
    nodeId,
    ask,
    async over(operationId) {
      let operation: Record<string, unknown> = {};
      await eventually(async () => {
        await agent.view.sync();
        operation = await ask(`/v1/operations/${String(operationId)}`);
        return operation.finished_at !== null;
      });
      return operation;
    },
    states: (id) => agent.view.commandHistory(String(id)).map(({ state }) => state),
  };
}

const REBOOT = { method: "graceful", drain_osds: false };

test("a reboot in test mode goes through the whole machine, touches nothing and says so", async () => {
  const { ask, over, nodeId, states, agent } = await house();
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, REBOOT);
  const operation = await over(asked.operation_id);
  expect(operation).toMatchObject({
    status: "succeeded",
    message: expect.stringContaining("nothing was touched"),
  });
  expect(states(asked.command_id)).toEqual(["accepted", "running", "rebooting", "verifying", "succeeded"]);
  expect(agent.view.commandRecord(String(asked.command_id))?.progress.result).toMatchObject({
    simulated: true,
  });
});

test("without a policy a live command from the network is refused, with the line to type", async () => {
  const { ask, over, nodeId, agent } = await house({ key: "live" });
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, REBOOT);
  expect(await over(asked.operation_id)).toMatchObject({ status: "failed" });
  expect(agent.view.commandRecord(String(asked.command_id))?.progress).toMatchObject({
    state: "refused",
    why: {
      code: "policy_unusable",
      nextStep: expect.stringMatching(/^(?:install -m 0644|put policy\.toml) .*\/policy\.toml/),
    },
  });
});

test("hold lets a command wait and say why; released it goes on", async () => {
  const { ask, over, nodeId, agent } = await house();
  agent.view.hold({ reason: "disk swap", by: "root", until: null });
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, REBOOT);
  await eventually(async () => {
    await agent.view.sync();
    return agent.view.commandRecord(String(asked.command_id))?.progress.state === "waiting";
  });
  expect(agent.view.status()).toMatchObject({
    status: "held",
    hold: { reason: "disk swap" },
    waitingCommands: [{ progress: { why: { code: "held", text: expect.stringContaining("disk swap") } } }],
  });
  agent.view.release("root");
  expect(await over(asked.operation_id)).toMatchObject({ status: "succeeded" });
});

test("cancelled while it waits: nothing is done, and the operation says so", async () => {
  const { ask, over, nodeId, agent, states } = await house();
  agent.view.hold({ reason: "wait", by: "root", until: null });
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, REBOOT);
  await eventually(async () => {
    await agent.view.sync();
    return agent.view.commandRecord(String(asked.command_id)) !== null;
  });
  await ask(`/v1/operations/${String(asked.operation_id)}/cancel`, {});
  expect(await over(asked.operation_id)).toMatchObject({ status: "cancelled" });
  expect(states(asked.command_id).at(-1)).toBe("cancelled");
  agent.view.release("root");
});

test("a dry run on a node with a test key shows every gate: the key first, then the agent's own file", async () => {
  const { agent } = await house();
  const answer = await ask(agent.controlSocket, "/v1/commands", {
    method: "POST",
    body: JSON.stringify({ type: "reboot", dry_run: true }),
  });
  expect(answer.status).toBe(200);
  const { verdict, gates } = answer.json.data as DryRunWire;
  expect(verdict).toBe("refuse");
  expect(gates[0]).toEqual({
    gate: "mode",
    verdict: "refuse",
    why: {
      code: "refused_mode",
      text: "This node is registered with a test key, so its hardware is not touched.",
      next_step: expect.stringMatching(/^foundry-agent reboot --test {2}# in a request: "mode": "test"; /),
    },
    would: null,
  });
  expect(gates.find(({ gate }) => gate === "hardware")?.why?.next_step).toBe(
    `write hardware = true below [agent] in ${ownFile(agent.configFile)}`,
  );
  expect(agent.view.commands(10)).toEqual([]);
});

test("a local command goes through the same journal, with who asked for it", async () => {
  const { agent, states } = await house();
  const { asked } = agent.view.submitCommand({
    type: "collect",
    params: { sections: ["memory"] },
    mode: "live",
    reason: "to see",
    by: BY,
    signed: null,
  });
  await eventually(() => states(asked.id).at(-1) === "succeeded");
  expect(agent.view.commandRecord(asked.id)).toMatchObject({
    asked: { by: BY, reason: "to see", source: "local" },
    progress: { result: { collected: ["memory"], failed: [] } },
  });
});
