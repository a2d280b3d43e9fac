/** A server that may only collect asks for hundreds of reboots: whoever stands on the host works on, and is told. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { treeAgent } from "../../support/agent/tree-agent.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

/** A policy counts only when it is root's. */
const canHavePolicy = process.geteuid?.() === 0;

const ROOT = { uid: 0, name: "root" };
const HERE = { type: "noop", params: {}, mode: "live", reason: null, by: ROOT, signed: null } as const;
const FLOOD = 350;

test.runIf(canHavePolicy)(
  "a flood of refused commands locks nobody out, is a condition with source and count, and ends",
  async () => {
    const policyFile = join(temporaryFolder(), "policy.toml");
    const policy = '[commands]\nremote = "on"\n[allow]\nnodefoundry = ["collect"]\nlocal = ["collect"]\n';
    writeFileSync(policyFile, policy, { mode: 0o600 });
    const { view, server, clock, agent } = await treeAgent({
      tree: "vm",
      registered: "live",
      toml: `[commands]\ngrace_s = 0\nsplay_s = 0\npolicy_file = "${policyFile}"\n`,
    });
    const { nodeId } = view.status();
    const theirs = () => server.inspect().commands.filter((one) => one.nodeId === nodeId);
    for (let at = 0; at < FLOOD; at++) {
      // The sandbox has a limit too.
      if (at % 200 === 0) clock.forward(61_000);
      const answer = await fetch(`${server.url}/v1/nodes/${nodeId}/reboot`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.keys.live}`, "content-type": "application/json" },
        body: "{}",
      });
      expect(answer.status).toBeLessThan(300);
    }
    const flood = () => view.status().conditions.find(({ code }) => code === "command_flood");
    await eventually(async () => {
      await view.sync();
      const { waitingCommands, controlApis } = view.status();
      return flood() !== undefined && waitingCommands.length === 0 && controlApis[0]?.pendingEvents === 0;
    });
    expect(flood()).toMatchObject({
      subject: "nodefoundry",
      text: expect.stringMatching(
        /^nodefoundry asks faster .* [0-9]+ commands were left out.*not_allowed\.$/,
      ),
    });
    const answered = theirs().filter(({ state }) => state === "refused").length;
    expect(answered).toBeLessThanOrEqual(200);
    const told = () => agent.lines.filter(({ level }) => level >= 30).length;
    const lines = told();
    for (let round = 0; round < 5; round++) await view.sync();
    expect(theirs().filter(({ state }) => state === "refused").length).toBe(answered);
    expect(told()).toBe(lines);

    const gates = await view.dryRunCommand(HERE);
    expect(gates.find(({ gate }) => gate === "journal")).toEqual({
      gate: "journal",
      verdict: "pass",
      why: null,
      would: null,
    });
    const id = view.submitCommand(HERE).asked.id;
    await eventually(() => view.command(id)?.state === "succeeded");

    // Nothing is lost by it: what was left out has its turn, at the rate, and a flood that stopped is over.
    clock.forward(3_600_000);
    await eventually(async () => {
      await view.sync();
      return theirs().filter(({ state }) => state === "refused" || state === "expired").length > answered;
    });
    // Whatever the server repeats until each has expired.
    await eventually(async () => {
      clock.forward(3_600_000);
      await view.sync();
      return flood() === undefined;
    });
  },
);
