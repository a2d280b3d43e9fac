/** A reboot through the executor on a real store, and the look at the node after it: once, within its time, over restarts. */
import { expect, test } from "vitest";
import type { Picture } from "../../../src/commands/after-boot/picture.ts";
import { parseRecord } from "../../../src/commands/record.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { command, type Host, type Rig, rig } from "../../support/commands/executor-rig.ts";
import { eventually } from "../../support/eventually.ts";

const FINE: Picture = {
  seen: ["mount"],
  items: [{ kind: "mount", id: "/srv/data", name: "/srv/data", is: "writable" }],
  settled: true,
};
const WORSE: Picture = { ...FINE, items: [] };

const LOOK = {
  known: { state: "done", steps: [] },
  in_flight: false,
  shutdown: { scheduled: false, under_way: true },
};

/** A rig whose waits are uptime, and which was asked to reboot. */
async function rebooting(
  seen: Picture | null,
  operations: (made: () => Rig) => Host["operations"] = () => ({}),
  more: Partial<Host> = {},
): Promise<Rig & { passed: (uptimeMs: number) => void }> {
  const made: Rig = rig(
    {
      ...{ seen, ...more },
      operations: { reboot: () => ({}), "reboot.look": () => LOOK, ...operations(() => made) },
    },
    {
      async pause(ms) {
        made.host.uptimeMs += ms;
        all.passed(made.host.uptimeMs);
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
  );
  const all = Object.assign(made, { passed: (_uptimeMs: number): void => undefined });
  made.deliver({ commands: [command("cmd_1")] });
  await eventually(() => made.host.calls.some(({ operation }) => operation === "reboot"));
  return all;
}

async function booted(made: Rig, seen: Picture | null): Promise<void> {
  Object.assign(made.host, { bootId: "boot-2", uptimeMs: 20_000, seen });
  await made.restart();
}

const result = (made: Rig): Record<string, unknown> => {
  const event = made.store.eventsSince("", 100).findLast(({ data }) => data.state === "succeeded");
  return { ...(event?.data.result as object), severity: event?.severity, message: event?.data.message };
};
const record = (made: Rig) => {
  const row = made.store.command("cmd_1");
  return parseRecord(row?.command ?? "", row?.progress ?? null);
};

test("what works is on the disk, with the intent, before the host is asked", async () => {
  const then: unknown[] = [];
  const made = await rebooting(FINE, (rig) => ({ reboot: () => void then.push(record(rig())?.progress) }));
  expect(then).toMatchObject([{ state: "rebooting", reboot: { before: FINE, tally: null } }]);
  expect(made.host.looks).toEqual(["note"]);
});

test("all that worked works: succeeded with both boot ids and nothing worse", async () => {
  const made = await rebooting(FINE);
  await booted(made, FINE);
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(result(made)).toMatchObject({
    ...{ from_boot_id: "boot-1", boot_id: "boot-2", regressed: [], severity: "info" },
    message: "Done; all that worked before works.",
  });
  expect(made.host.kept).toEqual({ id: "cmd_1", regressed: [] });
});

test("something is gone for good: succeeded all the same, a warning, after its time, and not rebooted again", async () => {
  const made = await rebooting(FINE);
  await booted(made, WORSE);
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(result(made)).toMatchObject({
    ...{ boot_id: "boot-2", severity: "warning", message: "Done, but mount /srv/data is gone." },
    regressed: [
      { kind: "mount", name: "/srv/data", was: "writable", is: "gone", text: "mount /srv/data is gone" },
    ],
  });
  expect(made.host.uptimeMs).toBeGreaterThanOrEqual(200_000);
  expect(made.host.looks.length).toBeGreaterThan(10);
  expect(made.host.kept).toEqual({ id: "cmd_1", regressed: ["/srv/data"] });
  expect(made.host.calls.filter(({ operation }) => operation === "reboot")).toHaveLength(1);
  expect(record(made)?.progress.reboot).toMatchObject({
    before: null,
    tally: [{ kind: "mount", before: 1, after: 0, regressed: [{ name: "/srv/data", is: "gone" }] }],
  });
  expect(made.told("cmd_1").filter((state) => state.startsWith("succeeded"))).toHaveLength(1);
});

test("what takes its while is waited for, and then all is well", async () => {
  const made = await rebooting(FINE);
  let looks = 0;
  made.passed = () => {
    if (made.host.bootId === "boot-2" && ++looks === 3) made.host.seen = FINE;
  };
  await booted(made, WORSE);
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(looks).toBe(3);
  expect(result(made)).toMatchObject({ regressed: [], severity: "info" });
});

test("killed while it looks: looked at again with the end as it was, told once", async () => {
  const made = await rebooting(FINE);
  let looks = 0;
  const killed = Promise.withResolvers<void>();
  made.passed = () => {
    if (made.host.bootId !== "boot-2" || ++looks !== 5) return;
    made.kill();
    killed.resolve();
  };
  await booted(made, WORSE);
  await killed.promise;
  const end = record(made)?.progress.reboot?.lookUntil;
  await made.revive("kept");
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(looks).toBeGreaterThan(20);
  expect(record(made)?.progress.reboot?.lookUntil).toEqual(end);
  expect(made.host.uptimeMs).toBeGreaterThanOrEqual(end?.uptimeMs ?? Number.NaN);
  expect(made.told("cmd_1").filter((state) => state.startsWith("succeeded"))).toHaveLength(1);
  expect(made.host.calls.filter(({ operation }) => operation === "reboot")).toHaveLength(1);
});

test("another boot while it looks: looked at anew, and no longer than after the first", async () => {
  const made = await rebooting(FINE);
  let looks = 0;
  const killed = Promise.withResolvers<void>();
  made.passed = () => {
    if (made.host.bootId !== "boot-2" || ++looks !== 5) return;
    made.kill();
    killed.resolve();
  };
  await booted(made, WORSE);
  await killed.promise;
  Object.assign(made.host, { bootId: "boot-3", uptimeMs: 10_000 });
  await made.revive("kept");
  await eventually(() => made.state("cmd_1") === "succeeded");
  // What the life before still waited for is uptime here too.
  expect(made.host.uptimeMs).toBeGreaterThanOrEqual(190_000);
  expect(made.host.uptimeMs).toBeLessThan(260_000);
  expect(result(made)).toMatchObject({ from_boot_id: "boot-1", boot_id: "boot-2" });
});

test("a node that nobody wants to be looked at, and a record of an earlier version: verified by the boot id alone", async () => {
  const made = await rebooting(null);
  // As an earlier version wrote it.
  const old = record(made)?.progress;
  const { monotonicMs: _m, before: _b, lookUntil: _l, tally: _t, ...reboot } = old?.reboot ?? ({} as never);
  made.store.setCommandState(
    "cmd_1",
    { state: "rebooting", error: null, progress: JSON.stringify({ ...old, reboot }) },
    null,
    null,
    1,
  );
  await booted(made, WORSE);
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(made.host.looks).toEqual(["note"]);
  expect(result(made)).toMatchObject({ boot_id: "boot-2", severity: "info", message: "Done." });
  expect(result(made)).not.toHaveProperty("regressed");
});

test("of the pictures of a great host only the numbers stay when it is over, whatever became of it", async () => {
  const items = (["mount", "drive"] as const).flatMap((kind) =>
    Array.from({ length: 300 }, (_, index) => {
      const name = `${kind}-${index}`;
      return { kind, id: name, name, is: kind === "mount" ? "writable" : "there" };
    }),
  );
  const great: Picture = { seen: ["mount", "drive"], items, settled: true };
  const made = await rebooting(great);
  const size = (): number => made.store.command("cmd_1")?.progress?.length ?? 0;
  expect(size()).toBeGreaterThan(20_000);
  await booted(made, { ...great, items: items.filter(({ kind }) => kind === "drive") });
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(record(made)?.progress.reboot?.tally).toMatchObject([
    { kind: "mount", before: 300, after: 0 },
    { kind: "drive", before: 300, after: 300, regressed: [] },
  ]);
  // The first of what is worse has its name.
  expect(size()).toBeLessThan(10_000);

  const refused = await rebooting(great, () => ({
    reboot: () => {
      throw new AgentError("helper_refused", "the helper does not");
    },
  }));
  await eventually(() => refused.state("cmd_1") === "failed");
  expect(record(refused)?.progress.reboot).toMatchObject({
    before: null,
    tally: [{ before: 300, after: null }, {}],
  });
});

test("a record of an earlier version, with both pictures, is read as the numbers that it comes to", async () => {
  const made = await rebooting(FINE);
  await booted(made, FINE);
  await eventually(() => made.state("cmd_1") === "succeeded");
  const row = made.store.command("cmd_1");
  const { reboot, ...rest } = JSON.parse(row?.progress ?? "") as { reboot: { tally: unknown } };
  const { tally, ...intent } = reboot;
  const old = { ...rest, reboot: { ...intent, before: FINE, after: WORSE } };
  const read = parseRecord(row?.command ?? "", JSON.stringify(old))?.progress.reboot;
  expect(tally).toMatchObject([{ after: 1 }]);
  expect(read).toMatchObject({ before: null, tally: [{ kind: "mount", before: 1, after: 0 }] });
});

test("a note that can't be read loses the look, not the reboot", async () => {
  const made = await rebooting(FINE);
  const old = record(made)?.progress;
  const reboot = { ...old?.reboot, before: { seen: ["nonsense"], items: 7 } };
  const progress = JSON.stringify({ ...old, reboot });
  made.store.setCommandState("cmd_1", { state: "rebooting", error: null, progress }, null, null, 1);
  await booted(made, WORSE);
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(result(made)).toMatchObject({ boot_id: "boot-2", message: "Done." });
});

test("a test is not looked at", async () => {
  const made = rig({ seen: FINE });
  made.deliver({ commands: [command("cmd_1", { mode: "test" })] });
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(made.host.looks).toEqual([]);
});

test("a kexec is a new boot, and called one that went past the firmware", async () => {
  const made = await rebooting(FINE, undefined, { way: "kexec" });
  await booted(made, FINE);
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(result(made)).toMatchObject({ way: "kexec", regressed: [] });
  expect(made.store.commandHistory("cmd_1").map(({ text }) => text)).toContain(
    "The host came back with boot boot-2, by kexec and not through its firmware.",
  );
});

test("on the same boot with a userspace that is new, it was a soft-reboot, and is called that", async () => {
  const made = await rebooting(FINE, (rig) => ({
    "reboot.look": () => ({ ...LOOK, shutdown: { scheduled: false, under_way: false } }),
    "systemd.look": () => ({
      ...{ state: "running", failed: [] },
      userspace_started_ms: (record(rig())?.progress.reboot?.monotonicMs ?? 0) + 5_000,
    }),
  }));
  await eventually(() => made.state("cmd_1") === "failed");
  expect(made.told("cmd_1").at(-1)).toBe("failed!reboot_was_soft");
});

test("on the same boot with its userspace it did not happen, and a suspended host is no reboot either", async () => {
  const made = await rebooting(FINE, () => ({
    "reboot.look": () => ({ ...LOOK, shutdown: { scheduled: false, under_way: false } }),
    "systemd.look": () => ({ state: "running", failed: [], userspace_started_ms: 4 }),
  }));
  await eventually(() => made.state("cmd_1") === "failed");
  expect(made.told("cmd_1").at(-1)).toBe("failed!reboot_did_not_happen");
  // The uptime of this host went on, its monotonic clock did not.
  expect(record(made)?.progress.why?.text).toMatch(/It was suspended for \d+ s, which is no reboot\.$/);
});
