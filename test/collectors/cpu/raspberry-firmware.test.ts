/** A Raspberry Pi whose kernel does not pass the firmware's flags on: the helper asks, and seldom. */
import { expect, test } from "vitest";
import { cpuCollector } from "../../../src/collectors/cpu/cpu.ts";
import type { HelperPort } from "../../../src/helper/port.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { loadTree, treeMachine } from "../../support/machine/tree.ts";
import { collectMachine, conditionCodes } from "../../support/text/shape.ts";

function pi(call: HelperPort["call"]) {
  let now = 1_000_000;
  const tree = loadTree("pi4", ["cpu"]);
  for (const path of Object.keys(tree.files)) if (path.includes("get_throttled")) delete tree.files[path];
  tree.files["/dev/vcio"] = "";
  tree.files["/sys/class/hwmon/hwmon21/name"] = "rpi_volt\n";
  tree.files["/sys/class/hwmon/hwmon21/in0_lcrit_alarm"] = "0\n";
  const machine = treeMachine(tree, { now: () => 1_739_520_000_000, monotonic: () => now });
  const collector = cpuCollector({ how: { kind: "socket" }, call });
  return {
    collector,
    pass: (ms: number) => {
      now += ms;
    },
    collect: async () => await collectMachine(collector, machine),
  };
}

test("its flags come through the helper, every ten minutes, with the conditions that follow from them", async () => {
  const calls: string[] = [];
  const { collector, collect, pass } = pi(async (operation) => {
    calls.push(operation);
    return { flags: 0x50005 };
  });
  const first = await collect();
  expect(first.throttling).toMatchObject({
    state: "active",
    under_voltage: { now: true, since_boot: true },
    frequency_capped: { now: false, since_boot: false },
    throttled: { now: true, since_boot: true },
  });
  expect(conditionCodes(collector, first)).toContain("under_voltage");
  pass(60_000);
  expect((await collect()).throttling.state).toBe("active");
  expect(calls).toEqual(["throttled"]);
  pass(600_000);
  await collect();
  expect(calls).toEqual(["throttled", "throttled"]);
});

test.each<[string, HelperPort["call"]]>([
  ["nobody answers", async () => Promise.reject(new AgentError("helper_absent", "nobody listens"))],
  ["nonsense is answered", async () => ({ flags: "0x50005" })],
])("%s: unknown, never fine, and the rest is there", async (_name, call) => {
  const { collect } = pi(call);
  const data = await collect();
  // What the kernel itself knows stays: no under-voltage now, and nothing of before.
  expect(data.throttling.under_voltage).toEqual({ now: false, since_boot: null });
  expect(data.throttling.state).toBe("unknown");
  expect(data.threads).toBe(4);
});
