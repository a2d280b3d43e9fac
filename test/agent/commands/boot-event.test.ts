/** A reboot that nobody asked this agent for is told once, with what is known of its cause. */
import { expect, test } from "vitest";
import { openBootWatch } from "../../../src/agent/commands/boot-event.ts";
import type { Report } from "../../../src/model/report.ts";
import { testAgent } from "../../support/agent/agent.ts";
import { loadTree, temporaryFolder, treeMachine } from "../../support/machine/tree.ts";
import { START, testStore } from "../../support/store/store.ts";

const report = (sections: Record<string, unknown> = {}): Report => ({
  bootId: "b2",
  sections: Object.fromEntries(
    Object.entries(sections).map(([name, data]) => [
      name,
      { name, state: "ok" as const, data, reason: null, collectedAt: START, durationMs: 1 },
    ]),
  ),
});
const nobody = (): string | null => null;

function lives(
  ...boots: { id: string; stopped: boolean; seen?: Report; asked?: (from: string) => string | null }[]
) {
  const store = testStore(temporaryFolder());
  for (const { id, stopped, seen = report(), asked = nobody } of boots) {
    const boot = openBootWatch(store, id, () => START);
    boot.started(seen, asked);
    if (stopped) boot.stopped();
  }
  return store.eventsSince("", 10).filter(({ type }) => type === "reboot");
}

test("the first start, and any number of starts on one boot, tell nothing", () => {
  expect(
    lives({ id: "b1", stopped: true }, { id: "b1", stopped: false }, { id: "b1", stopped: true }),
  ).toEqual([]);
});

test("stopped before: a shutdown; not stopped: no cause is made up", () => {
  expect(lives({ id: "b1", stopped: true }, { id: "b2", stopped: false })).toMatchObject([
    {
      severity: "warning",
      data: { asked: false, from_boot_id: "b1", boot_id: "b2", clean_stop: true, cause: "shutdown" },
    },
  ]);
  expect(lives({ id: "b1", stopped: false }, { id: "b2", stopped: false })).toMatchObject([
    { data: { clean_stop: false, cause: null, bmc_restart_cause: null, under_voltage: null } },
  ]);
});

test("what kernel, BMC and firmware say counts more", () => {
  const seen = report({
    system: {
      boot_time: "2026-11-20T12:00:00Z",
      last_boot: { cause: "kernel_panic", source: "pstore", kernel_dumps: 2 },
    },
    bmc: { restart_cause: "chassis power control command" },
    cpu: { throttling: { under_voltage: { now: false, since_boot: true } } },
  });
  expect(lives({ id: "b1", stopped: true }, { id: "b2", stopped: false, seen })).toMatchObject([
    {
      data: {
        cause: "kernel_panic",
        source: "pstore",
        kernel_dumps: 2,
        bmc_restart_cause: "chassis power control command",
        under_voltage: true,
      },
    },
  ]);
});

test("one that a command asked for is that command's to tell", () => {
  const asked = (from: string): string | null => (from === "b1" ? "cmd_1" : null);
  expect(lives({ id: "b1", stopped: true }, { id: "b2", stopped: true, asked })).toEqual([]);
});

test("the daemon tells it after a start on another boot", async () => {
  const folder = temporaryFolder();
  const first = await testAgent({ folder });
  await first.stop();
  const tree = loadTree("vm");
  const machine = treeMachine({
    ...tree,
    files: { ...tree.files, "/proc/sys/kernel/random/boot_id": "another\n" },
  });
  const second = await testAgent({ folder, machine });
  expect(second.view.eventsSince("", 100).filter(({ type }) => type === "reboot")).toMatchObject([
    { data: { asked: false, boot_id: "another", clean_stop: true } },
  ]);
});
