/** As packages ship it: what a real agent makes of a command from the network, as its server and its operator see it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daemon } from "../../support/agent/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

/** A policy counts only when it is root's. */
const canHavePolicy = process.geteuid?.() === 0;

test.runIf(canHavePolicy)(
  "a command is rehearsed while the node is held: told in the conditional on both sides, and nothing failed",
  async () => {
    const policyFile = join(temporaryFolder(), "policy.toml");
    writeFileSync(policyFile, '[commands]\nremote = "rehearse"\n[allow]\nnodefoundry = ["collect"]\n', {
      mode: 0o644,
    });
    const toml = `[commands]\npolicy_file = "${policyFile}"\n`;
    const { run, view, server } = await daemon({ tree: "vm", registered: "live", toml });
    await run(["hold", "--reason", "a fan"]);
    const headers = { authorization: `Bearer ${server.keys.live}`, "content-type": "application/json" };
    const ask = async (method: string, path: string, body?: object) => {
      const answer = await fetch(`${server.url}${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      return ((await answer.json()) as { data: Record<string, string> }).data;
    };
    const asked = await ask("POST", `/v1/nodes/${view.status().nodeId}/commands`, {
      type: "collect",
      params: {},
    });
    const { command_id: id = "", operation_id: operation = "" } = asked;
    await eventually(async () => {
      await view.sync();
      return view.command(id)?.state === "rehearsed";
    });
    const story = (await run(["commands", id])).stdout;
    expect(story).toMatch(new RegExp(`^collect ${id}: rehearsed\\n`));
    expect(story).toMatch(/\nhold +would wait +It would wait for the hold of .* to end \(a fan\)\.\n/);
    expect(story).not.toContain("holds this node");
    expect(story).toContain(`\nTo do: write remote = "on" below [commands] in ${policyFile}\n`);
    await eventually(async () => {
      await view.sync();
      return (await ask("GET", `/v1/operations/${operation}`)).status === "cancelled";
    });
    expect((await ask("GET", `/v1/operations/${operation}`)).message).toMatch(
      /^Nothing was done, this host only rehearses\. It would wait for the hold of .* to end \(a fan\), then collect /,
    );
    expect(view.status().conditions.map(({ code }) => code)).toEqual([]);
  },
);
