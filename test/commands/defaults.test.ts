/** Who leaves a param out gets what docs/commands.md says of it, in what is done and in what would be done. */
import { expect, test } from "vitest";
import { parsePolicy } from "../../src/helper/policy/policy.ts";
import { command, rig } from "../support/commands/executor-rig.ts";
import { eventually } from "../support/eventually.ts";

test("a light is switched on for ten minutes", async () => {
  const { deliver, state, host } = rig({ operations: { "drive.locate": () => ({}) } });
  deliver({ commands: [command("c1", { type: "locate", params: { serial: "S", on: true } })] });
  await eventually(() => state("c1") === "succeeded");
  expect(host.calls.map(({ args }) => args)).toEqual([{ serial: "S", on: true, for_s: 600 }]);
});

test("the rehearsal of a reboot says that it is a graceful one", async () => {
  const policy = parsePolicy(
    "policy.toml",
    '[commands]\nremote = "rehearse"\n[allow]\nnodefoundry = ["reboot"]\n',
  );
  const { deliver, state, store } = rig(
    {},
    { gates: { policy: () => ({ policy, problem: null, file: "policy.toml" }) } },
  );
  deliver({ commands: [command("c1", { type: "reboot", params: {} })] });
  await eventually(() => state("c1") === "rehearsed");
  expect(store.command("c1")?.progress).toContain("It would reboot this host (graceful) at once.");
});
