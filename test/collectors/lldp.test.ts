/** The section `lldp` over the helper's real operation and a fake lldpcli. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { lldpChanges, lldpCollector, lldpConditions } from "../../src/collectors/lldp.ts";
import { lldp } from "../../src/helper/lldp/lldp.ts";
import type { Clock } from "../../src/system/clock.ts";
import { NO_HELPER, operationsPort } from "../support/helper/operations.ts";
import { answering, type FakeAnswer, fakePrograms } from "../support/machine/programs.ts";
import { collectContext, type Tree, treeMachine } from "../support/machine/tree.ts";
import { collectData, conditionCodes, metricLines } from "../support/text/shape.ts";

const CARRIER = "/sys/class/net/eth0/carrier_changes";
const RUNNING: Tree = {
  files: {
    "/run/lldpd.socket": "",
    "/usr/sbin/lldpd": "",
    [CARRIER]: "1\n",
    "/sys/class/net/veth7/carrier_changes": "1\n",
  },
  links: { "/sys/class/net/eth0/device": "../../../0000:3b:00.0" },
};

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/lldp/${name}`, import.meta.url), "utf8");
}

function bench(answer: FakeAnswer = { stdout: fixture("two.json") }, tree: Tree = RUNNING) {
  const programs = fakePrograms(400);
  const say = (next: FakeAnswer): void => answering(programs, "lldpcli", { "-f json show neighbors": next });
  say(answer);
  const time = { monotonic: 9_000 };
  const clock: Clock = { now: () => 1_760_000_000_000, monotonic: () => time.monotonic };
  const machine = treeMachine(tree, clock);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(machine.files.root, path)), { recursive: true });
    writeFileSync(join(machine.files.root, path), text);
  };
  const helper = operationsPort([lldp], { files: machine.files, run: programs.run });
  const collector = lldpCollector({ helper });
  const context = collectContext(machine);
  return {
    programs,
    say,
    write,
    remove: (path: string) => rmSync(join(machine.files.root, path)),
    collector,
    context,
    collect: async (minutes = 0) => {
      time.monotonic += minutes * 60_000;
      return await collectData(collector, context);
    },
  };
}

it("has the neighbours, and words for people and Prometheus", async () => {
  const { collect, collector } = bench();
  const data = await collect();
  expect(data).toMatchObject({
    running: true,
    problem: null,
    neighbors: [{ interface: "eth0" }, { interface: "eth1" }],
  });
  expect(conditionCodes(collector, data)).toEqual([]);
  expect(collector.table?.rows(data, 0)[0]).toEqual(["eth0", "leaf-1", "to node 7", "10.0.0.1", null]);
  expect(metricLines(collector, data)[0]).toBe(
    'foundry_agent_lldp_neighbor_info{device="eth0",chassis="leaf-1",port="to node 7"} 1',
  );
});

it("wakes the helper when a carrier changed, once more soon after, and else once an hour", async () => {
  const { collect, programs, write } = bench();
  const asked = async (minutes: number): Promise<boolean> => {
    const before = programs.calls().length;
    await collect(minutes);
    return programs.calls().length > before;
  };
  expect(await asked(0)).toBe(true);
  expect([await asked(5), await asked(5), await asked(5)]).toEqual([true, false, false]);
  write("/sys/class/net/veth7/carrier_changes", "9\n");
  expect(await asked(5)).toBe(false);
  write(CARRIER, "3\n");
  expect([await asked(5), await asked(5), await asked(5)]).toEqual([true, true, false]);
  expect([await asked(50), await asked(10)]).toEqual([false, true]);
});

it("is absent without lldpd, and without anybody to ask root", async () => {
  const none = bench({}, { files: {} });
  expect(await none.collector.collect(none.context)).toEqual({
    noData: "lldpd is not installed.",
    nextStep: "apt-get install lldpd",
  });
  const alone = lldpCollector({ helper: NO_HELPER });
  expect(await alone.collect(collectContext(treeMachine(RUNNING)))).toMatchObject({
    nextStep: expect.any(String),
  });
});

it("says when lldpd is installed and does not run, or does not answer", async () => {
  const stopped = bench();
  stopped.remove("/run/lldpd.socket");
  const data = await stopped.collect();
  expect(lldpConditions(data)).toMatchObject([
    { code: "lldp_not_running", severity: "info", nextStep: "systemctl start lldpd" },
  ]);
  expect(conditionCodes(stopped.collector, data)).toEqual(["lldp_not_running"]);
  const silent = bench({ hangs: true });
  expect(conditionCodes(silent.collector, await silent.collect())).toEqual(["lldp_failed"]);
  silent.say({ stdout: fixture("one.json") });
  expect(await silent.collect(5)).toMatchObject({ running: true, neighbors: [{ interface: "eth0" }] });
});

it("tells a cable that was moved, not one that was pulled", async () => {
  const { collect, say, write } = bench();
  const before = await collect();
  say({
    stdout: fixture("two.json")
      .replace('"to node 7"', '"to node 8"')
      .replace("26:df:06:d9:d2:e1", "26:df:06:00:00:01"),
  });
  write(CARRIER, "3\n");
  const after = await collect(5);
  expect(lldpChanges(before, after)).toMatchObject([
    {
      type: "lldp.neighbor_changed",
      data: { interface: "eth0", before: { port: "to node 7" }, after: { port: "to node 8" } },
    },
  ]);
  say({ stdout: fixture("none.json") });
  expect(lldpChanges(after, await collect(5))).toEqual([]);
  expect(lldpChanges(null, after)).toEqual([]);
});
