/** Which nodes are armed: one line of `status`, the same in JSON and as a metric; and what `status` exits with. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metricsText } from "../../../src/sockets/metrics/prometheus-text.ts";
import { daemon } from "../../support/agent/daemon.ts";
import { pretendStatus } from "../../support/agent/pretend.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { NOW } from "../../support/now.ts";

/** A policy counts only when it is root's. */
const canHavePolicy = process.geteuid?.() === 0;

async function armed(policy: string | null, registered: "live" | "test" | "none") {
  const file = join(temporaryFolder(), "policy.toml");
  if (policy !== null) writeFileSync(file, policy, { mode: 0o644 });
  const { run, view } = await daemon({
    registered,
    toml: `[commands]\npolicy_file = "${file}"\n`,
  });
  const line = /^Armed: .*$/m.exec((await run(["status"])).stdout)?.[0];
  const json = JSON.parse((await run(["status", "--json"])).stdout).armed;
  const metric = /^foundry_agent_armed.*$/m.exec(
    metricsText(view, { serials: false, exclude: [] }, NOW),
  )?.[0];
  return { line, json, metric };
}

test.runIf(canHavePolicy)(
  "by the policy, the configuration, the key and the signature, in one line, in JSON and as a metric",
  async () => {
    expect(await armed('[commands]\nremote = "rehearse"\n', "live")).toMatchObject({
      line: "Armed: no (remote rehearse, hardware no, mode live, signing not required)",
      json: { armed: false, remote: "rehearse", hardware: false, mode: "live", signed: false },
      metric: 'foundry_agent_armed{remote="rehearse",hardware="no",mode="live",signing="not_required"} 0',
    });
    expect((await armed(null, "test")).line).toBe(
      "Armed: no (remote unusable, hardware no, mode test, signing unknown)",
    );
    expect((await armed('[commands]\nremote = "on"\n', "none")).line).toBe(
      "Armed: no (remote on, hardware no, mode none, signing not required)",
    );
  },
);

test.runIf(canHavePolicy)("follows the policy file at once", async () => {
  const file = join(temporaryFolder(), "policy.toml");
  writeFileSync(file, '[commands]\nremote = "off"\n', { mode: 0o644 });
  const { view } = await daemon({ registered: "live", toml: `[commands]\npolicy_file = "${file}"\n` });
  expect(view.status().armed).toMatchObject({ remote: "off", armed: false });
  writeFileSync(file, '[commands]\nremote = "on"\n');
  expect(view.status().armed).toMatchObject({ remote: "on", armed: false, mode: "live" });
});

test("status exits by the severity that --fail-on names, and says so where it is mistyped", async () => {
  const { run, view } = await daemon({ tree: "vm" });
  const condition = { code: "x", text: "It is so.", nextStep: null, since: NOW } as const;
  const code = async (...more: string[]) => (await run(["status", ...more])).code;
  pretendStatus(view, { conditions: [{ ...condition, severity: "warning" }] });
  expect([await code(), await code("--fail-on", "warning"), await code("--fail-on", "never")]).toEqual([
    0, 1, 0,
  ]);
  expect(await code("--fail-on", "warning", "--json")).toBe(1);
  pretendStatus(view, { conditions: [{ ...condition, severity: "error" }], status: "held" });
  expect([await code(), await code("--fail-on", "warning"), await code("--fail-on", "never")]).toEqual([
    1, 1, 0,
  ]);
  pretendStatus(view, { conditions: [{ ...condition, severity: "info" }] });
  expect([await code(), await code("--fail-on", "warning")]).toEqual([0, 0]);
  expect(await run(["status", "--fail-on", "critical"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--fail-on takes error, warning, never, not "critical"'),
  });
});
