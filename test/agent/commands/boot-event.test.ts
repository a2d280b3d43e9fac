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

async function lives(
  ...boots: {
    id: string;
    stopped: boolean;
    seen?: Report;
    asked?: (from: string) => string | null;
    /** Monotonic, milliseconds: when the agent was started, and when PID 1 says that the userspace was. */
    at?: number;
    userspace?: number | null;
  }[]
) {
  const store = testStore(temporaryFolder());
  for (const { id, stopped, seen = report(), asked = nobody, at = 9_000, userspace } of boots) {
    let now = at;
    const clock = { now: () => START, monotonic: () => now };
    const systemd = async () =>
      userspace === undefined ? null : { state: "running", userspace_started_ms: userspace };
    const boot = openBootWatch(store, { bootId: id, clock, uptimeMs: () => now, systemd });
    boot.started(seen, asked);
    if (userspace !== undefined) {
      boot.ticked();
      now += 60_000;
      // Once is enough.
      for (let tick = 0; tick < 3; tick++) {
        boot.ticked();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    if (stopped) boot.stopped();
  }
  return store.eventsSince("", 10).filter(({ type }) => type === "reboot");
}

test("the first start, and any number of starts on one boot, tell nothing", async () => {
  expect(
    await lives({ id: "b1", stopped: true }, { id: "b1", stopped: false }, { id: "b1", stopped: true }),
  ).toEqual([]);
});

test("a mark that went with an identity is made anew for the same boot, so that the next one is told", () => {
  const store = testStore(temporaryFolder());
  const clock = { now: () => START, monotonic: () => 9_000 };
  const host = { clock, uptimeMs: () => 9_000, systemd: async () => null };
  const first = openBootWatch(store, { ...host, bootId: "b1" });
  first.started(report(), nobody);
  store.abandon("identity_reset", START, "forget");
  first.ticked();
  // No orderly end: as in a power cut.
  openBootWatch(store, { ...host, bootId: "b2" }).started(report(), nobody);
  expect(store.eventsSince("", 10).filter(({ type }) => type === "reboot")).toMatchObject([
    { data: { from_boot_id: "b1", boot_id: "b2" } },
  ]);
});

test("stopped before: a shutdown; not stopped: no cause is made up", async () => {
  expect(await lives({ id: "b1", stopped: true }, { id: "b2", stopped: false })).toMatchObject([
    {
      severity: "warning",
      data: { asked: false, from_boot_id: "b1", boot_id: "b2", clean_stop: true, cause: "shutdown" },
    },
  ]);
  expect(await lives({ id: "b1", stopped: false }, { id: "b2", stopped: false })).toMatchObject([
    { data: { clean_stop: false, cause: null, bmc_restart_cause: null, under_voltage: null } },
  ]);
});

test("what kernel, BMC and firmware say counts more", async () => {
  const seen = report({
    system: {
      boot_time: "2026-11-20T12:00:00Z",
      last_boot: { cause: "kernel_panic", source: "pstore", kernel_dumps: 2 },
    },
    bmc: { restart_cause: "chassis power control command" },
    cpu: { throttling: { under_voltage: { now: false, since_boot: true } } },
  });
  expect(await lives({ id: "b1", stopped: true }, { id: "b2", stopped: false, seen })).toMatchObject([
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

test("a soft-reboot keeps the boot id, and is told once", async () => {
  const soft = await lives(
    { id: "b1", stopped: true, at: 20_000, userspace: 4_000 },
    // The agent alone was started again, then with it all else, twice.
    { id: "b1", stopped: false, at: 100_000, userspace: 4_000 },
    { id: "b1", stopped: false, at: 200_000, userspace: 190_000 },
    { id: "b1", stopped: false, at: 300_000, userspace: 190_000 },
    { id: "b1", stopped: true, at: 400_000, userspace: 390_000 },
  );
  expect(soft.map(({ severity, data }) => [severity, data])).toEqual(
    Array(2).fill(["warning", { asked: false, kind: "soft", from_boot_id: "b1", boot_id: "b1" }]),
  );
});

test("who does not say when userspace began says nothing of a soft-reboot", async () => {
  expect(
    await lives(
      { id: "b1", stopped: true, at: 20_000 },
      { id: "b1", stopped: true, at: 50_000, userspace: null },
    ),
  ).toEqual([]);
});

test("on a new boot the userspace is the boot's own", async () => {
  const told = await lives(
    { id: "b1", stopped: true, at: 900_000, userspace: 4_000 },
    { id: "b2", stopped: true, at: 9_000, userspace: 4_000 },
  );
  expect(told.map(({ data }) => data.boot_id)).toEqual(["b2"]);
});

test("by kexec or through the firmware, as far as that is known", async () => {
  const seen = (way: string | null): Report =>
    report({ system: { boot_time: null, last_boot: { cause: null, source: null, kernel_dumps: 0, way } } });
  const kinds: unknown[] = [];
  for (const way of ["kexec", "firmware", null]) {
    const [told] = await lives({ id: "b1", stopped: true }, { id: "b2", stopped: true, seen: seen(way) });
    kinds.push(told?.data.kind);
  }
  expect(kinds).toEqual(["kexec", "firmware", null]);
});

test("a host that was suspended was not booted; a clock that was set right was neither", async () => {
  const store = testStore(temporaryFolder());
  const at = { wall: START, monotonic: 50_000, uptime: 50_000 };
  const clock = { now: () => at.wall, monotonic: () => at.monotonic };
  const boot = openBootWatch(store, {
    ...{ bootId: "b1", clock, uptimeMs: () => at.uptime },
    systemd: async () => null,
  });
  boot.started(report(), nobody);
  const pass = (ms: number, more: { asleep?: number; step?: number } = {}): void => {
    const { asleep = 0, step = 0 } = more;
    at.monotonic += ms;
    at.uptime += ms + asleep;
    at.wall += ms + asleep + step;
    boot.ticked();
  };
  pass(60_000);
  pass(60_000, { step: 3_600_000 });
  expect(store.eventsSince("", 10)).toEqual([]);
  pass(60_000, { asleep: 1_800_000 });
  pass(60_000);
  expect(store.eventsSince("", 10).map(({ type, data }) => [type, data])).toEqual([
    ["resume", { boot_id: "b1", suspended_s: 1_800 }],
  ]);
});

test("one that a command asked for is that command's to tell", async () => {
  const asked = (from: string): string | null => (from === "b1" ? "cmd_1" : null);
  expect(await lives({ id: "b1", stopped: true }, { id: "b2", stopped: true, asked })).toEqual([]);
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
