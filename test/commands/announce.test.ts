/** When the helper is asked to tell everybody at a terminal of a reboot that waits for its grace. */
import { expect, test } from "vitest";
import type { CallOptions } from "../../src/helper/port.ts";
import { command, rig } from "../support/commands/executor-rig.ts";
import { eventually } from "../support/eventually.ts";

const GRACE_S = 7_200;
const WAITS = [
  { gate: "grace", verdict: "wait", why: { code: "grace", text: "It waits.", nextStep: null } },
] as const;

test("within the last hour before it, once, with the signature that it will be asked for with", async () => {
  const heard: (CallOptions | undefined)[] = [];
  const { host, executor, deliver, state } = rig(
    {
      gates: WAITS,
      operations: {
        "reboot.announce": (_args, _id, _signal, about) => {
          heard.push(about);
          return { told: true };
        },
      },
    },
    { gates: { settings: () => ({ graceS: GRACE_S, splayS: 0 }) } },
  );
  deliver({
    commands: [command("cmd_1", { signature: "SIGNED", signedText: "{}", params: { method: "hard" } })],
  });
  await eventually(() => state("cmd_1") === "waiting");
  executor.look();
  await eventually(() => executor.waiting().length === 1);
  expect(host.calls.filter(({ operation }) => operation === "reboot.announce")).toEqual([]);
  host.uptimeMs += 4_000_000;
  await eventually(() => {
    executor.look();
    return heard.length > 0;
  });
  host.uptimeMs += 1_000_000;
  for (let i = 0; i < 3; i++) {
    executor.look();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(
    host.calls.filter(({ operation }) => operation === "reboot.announce").map(({ args }) => args),
  ).toEqual([{ id: "cmd_1", in_s: 3_200, source: "nodefoundry", method: "hard" }]);
  expect(heard).toMatchObject([{ source: "nodefoundry", signed: { text: "{}", signature: "SIGNED" } }]);
  // Under an id of its own: the command's is for the reboot.
  expect(heard[0]?.id).not.toBe("cmd_1");
});
