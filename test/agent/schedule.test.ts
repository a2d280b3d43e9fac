import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as v from "valibot";
import { expect, onTestFinished, test, vi } from "vitest";
import { openSchedule } from "../../src/agent/schedule/schedule.ts";
import type { Schedule } from "../../src/agent/schedule/types.ts";
import { type CollectContext, type Collector, noData } from "../../src/collectors/collector.ts";
import type { Section } from "../../src/model/report.ts";
import { hostMachine } from "../../src/system/machine.ts";
import { eventually } from "../support/eventually.ts";
import { treeMachine } from "../support/machine/tree.ts";
import { recordedLog } from "../support/text/log.ts";

function collector(
  name: string,
  collect: (context: CollectContext) => unknown,
  everyMs = 60_000,
  timeoutMs = 200,
): Collector<unknown> {
  return {
    name,
    summary: name,
    everyMs,
    timeoutMs,
    schema: v.unknown(),
    volatile: {},
    sensitive: [],
    metrics: [],
    glance: () => name,
    collect: collect as never,
  };
}

function rig(collectors: Collector<unknown>[], machine = hostMachine(), random = () => 0.5) {
  const seen: Section[] = [];
  let ticks = 0;
  const { log, lines } = recordedLog();
  const schedule: Schedule = openSchedule({
    machine,
    log,
    plans: collectors.map((one) => ({
      collector: one,
      everyMs: one.everyMs,
      timeoutMs: one.timeoutMs,
      options: {},
      memory: { get: () => null, set: () => undefined },
    })),
    onSection: (section) => seen.push(section),
    onTick: () => ticks++,
    random,
  });
  return { schedule, seen, lines, ticks: () => ticks };
}

test("one that hangs and one that throws delay nobody: all else is there while it still hangs", async () => {
  let release = (): void => undefined;
  const { schedule, seen } = rig([
    collector(
      "hangs",
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
      60_000,
      60_000,
    ),
    collector("throws", () => {
      throw new Error("broken");
    }),
    collector("absent", () => noData("no BMC")),
    collector("good", () => ({ a: 1 })),
  ]);
  const all = schedule.runAll();
  await eventually(() => seen.length === 3);
  expect(seen.map((section) => [section.name, section.state]).sort()).toEqual([
    ["absent", "absent"],
    ["good", "ok"],
    ["throws", "failed"],
  ]);
  expect(schedule.section("hangs")).toBeUndefined();
  release();
  await all;
  expect(schedule.section("hangs")?.state).toBe("ok");
});

test("its time over, a collector is told to stop, fails with `timeout`, and keeps its last good value as stale", async () => {
  let hang = false;
  let aborted = false;
  const { schedule } = rig([
    collector("slow", ({ signal }) => {
      if (!hang) return { good: true };
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    }),
  ]);
  expect((await schedule.runNow("slow")).state).toBe("ok");
  hang = true;
  const late = await schedule.runNow("slow");
  expect(late).toMatchObject({ state: "stale", data: { good: true }, reason: { code: "timeout" } });
  expect(aborted).toBe(true);
  expect(schedule.records().get("slow")).toMatchObject({ runs: 2, failures: 1 });
});

test("two askers of one collector share one run", async () => {
  let runs = 0;
  const { schedule } = rig([
    collector("once", async () => {
      runs++;
      await new Promise(setImmediate);
      return {};
    }),
  ]);
  await Promise.all([schedule.runNow("once"), schedule.runNow("once")]);
  expect(runs).toBe(1);
});

test("a collector that keeps failing is logged once, and once when it works again", async () => {
  let bad = true;
  const { schedule, lines } = rig([
    collector("flaky", () => {
      if (bad) throw new Error("no");
      return {};
    }),
  ]);
  for (let i = 0; i < 3; i++) await schedule.runNow("flaky");
  bad = false;
  await schedule.runNow("flaky");
  expect(lines.map((line) => line.msg)).toEqual(["collector failed: no", "collector works again"]);
});

test("runs again by itself at its own interval, while a hanging one is open, and stops when told", async () => {
  const { schedule, seen, ticks } = rig([
    collector("fast", () => ({}), 20),
    collector("hangs", () => new Promise(() => undefined), 20, 60_000),
  ]);
  schedule.start();
  await eventually(() => seen.filter((section) => section.name === "fast").length >= 3 && ticks() >= 2);
  await schedule.stop();
  const after = ticks();
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(ticks()).toBe(after);
});

test("a FIFO that blocks for ever behind a slow file: the others' sections are there, and the device is quarantined", async () => {
  const machine = treeMachine({
    files: { "/proc/uptime": "5.0 1.0\n" },
    fifos: ["/sys/class/hwmon/hwmon0/temp1_input", "/proc/meminfo"],
  });
  const { schedule, seen } = rig(
    [
      collector(
        "drive",
        ({ machine: m }) => m.files.slow.read("/sys/class/hwmon/hwmon0/temp1_input", "nvme0", 100),
        60_000,
        5_000,
      ),
      collector("memory", ({ machine: m }) => m.files.read("/proc/meminfo")),
      collector("uptime", ({ machine: m }) => m.files.text("/proc/uptime")),
    ],
    machine,
  );
  await schedule.runAll();
  expect(Object.fromEntries(seen.map((s) => [s.name, s.reason?.code ?? s.state]))).toEqual({
    uptime: "ok",
    memory: "not_a_file",
    drive: "timeout",
  });
  expect(machine.files.slow.quarantined()).toEqual(["nvme0"]);
  expect((await schedule.runNow("drive")).reason?.code).toBe("quarantined");
  // Let the blocked thread go, so the test process can end: a writer opens the other end.
  const { openSync, closeSync, constants } = await import("node:fs");
  closeSync(
    openSync(
      `${machine.files.root}/sys/class/hwmon/hwmon0/temp1_input`,
      constants.O_WRONLY | constants.O_NONBLOCK,
    ),
  );
  await eventually(() => machine.files.slow.quarantined().length === 0);
});

test("what comes back after the stop reaches nobody, and is no failure", async () => {
  let release = (): void => undefined;
  const { schedule, seen, lines, ticks } = rig([
    collector(
      "deaf to the signal",
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    ),
  ]);
  const late = schedule.runNow("deaf to the signal");
  await schedule.stop();
  release();
  await late;
  expect([seen, ticks(), lines]).toEqual([[], 0, []]);
});

test("with nothing due for long there are ticks all the same: the watchdog, the disk and the memory wait for them", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { schedule, ticks } = rig([collector("daily", () => ({}), 24 * 3_600_000)]);
  await schedule.runAll();
  const before = ticks();
  schedule.start();
  await vi.advanceTimersByTimeAsync(150_000);
  expect(ticks()).toBeGreaterThan(before + 1);
  vi.useRealTimers();
  await schedule.stop();
});

test("equal intervals stay together whatever the jitter: one wake-up a minute for all, not one each", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const clock = { now: () => Date.now(), monotonic: () => Date.now() };
  let drawn = 0;
  const { schedule, seen, ticks } = rig(
    ["a", "b", "c", "d"].map((name) => collector(name, () => ({}))),
    hostMachine({ clock }),
    () => (drawn++ * 0.37) % 1,
  );
  await schedule.runAll();
  const before = ticks();
  schedule.start();
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  vi.useRealTimers();
  await schedule.stop();
  const each = (name: string) => seen.filter((section) => section.name === name).length;
  expect(["a", "b", "c", "d"].map(each)).toEqual(Array(4).fill(each("a")));
  expect(ticks() - before).toBe(each("a") - 1);
});

test("runs leave nothing behind in memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const signals: WeakRef<AbortSignal>[] = [];
  const { schedule } = rig([
    collector("later", async ({ signal }) => {
      signals.push(new WeakRef(signal));
      return {};
    }),
  ]);
  for (let run = 0; run < 200; run++) await schedule.runNow("later");
  // What was looked at in this turn of the event loop is kept to its end.
  await new Promise(setImmediate);
  collect();
  const alive = signals.filter((signal) => signal.deref() !== undefined).length;
  await schedule.stop();
  // All 200 were, each with 2 KB behind it, when it went wrong; the last one may still be in somebody's hands.
  expect(signals).toHaveLength(200);
  expect(alive).toBeLessThan(5);
});
