/** What nobody should send, and what should never be found in the journal: a stable code each, and nothing is done. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { command, rig } from "../support/commands/executor-rig.ts";
import { eventually } from "../support/eventually.ts";
import { START } from "../support/store/store.ts";

const YEAR = 365 * 86_400_000;
const REFUSED: readonly (readonly [string, Parameters<typeof command>[1], string])[] = [
  ["a type nobody knows", { type: "format_everything" }, "refused!unsupported"],
  ["a misspelt param", { params: { methud: "hard" } }, "refused!bad_params"],
  ["a param of the wrong type", { params: { method: 7 } }, "refused!bad_params"],
  ["no object at all", { params: [] as never }, "refused!bad_params"],
  ["expired before it came", { expiresAt: START - 1 }, "expired!expired"],
  ["issued in an hour", { issuedAt: START + 3_600_000 }, "refused!from_the_future"],
];

test.each(REFUSED)("%s is answered once and not done", async (_what, more, answer) => {
  const { deliver, told, host, restart } = rig();
  const bad = command("c1", more);
  expect(deliver({ commands: [bad] })).toEqual(["c1"]);
  expect(deliver({ commands: [bad] })).toEqual([]);
  expect(told("c1")).toEqual([answer]);
  await restart();
  expect(host.calls).toEqual([]);
});

test("params too long to be taken are answered as malformed", () => {
  const { deliver, told, host } = rig();
  deliver({
    rejected: [{ id: "c1", code: "malformed", message: "params are longer than 65536 characters" }],
  });
  expect(told("c1")).toEqual(["refused!malformed"]);
  expect(host.calls).toEqual([]);
});

test("the same id with other params: what came first counts, the other is never done", async () => {
  const { deliver, told, state, host } = rig();
  deliver({ commands: [command("c1", { type: "noop", params: {} })] });
  await eventually(() => state("c1") === "succeeded");
  expect(deliver({ commands: [command("c1")] })).toEqual([]);
  expect(told("c1").filter((one) => one === "succeeded")).toHaveLength(1);
  expect(host.calls).toEqual([]);
});

test("an older one after a younger one of the same epoch is refused; in a new epoch it counts anew", () => {
  const { deliver, told } = rig();
  deliver({ commands: [command("c2", { seq: 2_000_002, type: "noop", params: {} })] });
  deliver({ commands: [command("c1", { seq: 2_000_001, type: "noop", params: {} })] });
  deliver({ commands: [command("c3", { seq: 1, epoch: "e2", type: "noop", params: {} })] });
  expect(told("c1")).toEqual(["refused!out_of_order"]);
  expect(told("c3")[0]).toBe("accepted");
});

test("a cancel that comes before its command: the command is never done", () => {
  const { deliver, told, host } = rig();
  deliver({ cancel: ["c1"] });
  deliver({ commands: [command("c1")] });
  expect(told("c1")).toEqual(["cancelled!cancelled"]);
  expect(host.calls).toEqual([]);
});

test("cancelled when it is over, or under way: the answer says so, and it stays what it is", async () => {
  const never = Promise.withResolvers<never>();
  const { deliver, told, state, host } = rig({
    operations: { reboot: () => never.promise, "reboot.look": () => ({}) },
  });
  deliver({ commands: [command("c1", { type: "noop", params: {} })] });
  await eventually(() => state("c1") === "succeeded");
  deliver({ cancel: ["c1"] });
  expect(told("c1").at(-1)).toBe("succeeded");
  deliver({ commands: [command("c2")] });
  await eventually(() => host.calls.some(({ operation }) => operation === "reboot"));
  deliver({ cancel: ["c2"] });
  deliver({ cancel: ["c2"] });
  expect(told("c2").filter((one) => one === "rebooting!too_late")).toHaveLength(1);
  expect(state("c2")).toBe("rebooting");
});

test("no helper: failed with the helper's own code and next step, and no reboot later", async () => {
  const { deliver, told, state, executor, restart, host } = rig();
  deliver({ commands: [command("c1")] });
  await eventually(() => state("c1") === "failed");
  expect(told("c1").at(-1)).toBe("failed!helper_absent");
  expect(executor.record("c1")?.progress.why?.nextStep).toBe("systemctl start it");
  host.operations.reboot = () => ({});
  await restart();
  expect(host.calls.filter(({ operation }) => operation === "reboot")).toHaveLength(1);
});

test.each([
  ["cut off", 'progress = \'{"state":"rebo\''],
  ["of another shape", "progress = '{}'"],
  ["of another state than its row", "state = 'running'"],
  ["without its params", "command = json_remove(command, '$.params')"],
  ["under another id", "command = json_set(command, '$.id', 'c9')"],
])(
  "a row of the journal that is %s is set aside, told as failed, and its id stays known",
  async (_what, set) => {
    const gates = [
      { gate: "hold", verdict: "wait" as const, why: { code: "held", text: "Held.", nextStep: null } },
    ];
    const made = rig({ gates });
    made.deliver({ commands: [command("c1")] });
    await eventually(() => made.state("c1") === "waiting");
    await made.executor.stop();
    made.store.close();
    const db = new DatabaseSync(join(made.folder, "state.db"));
    db.exec(`UPDATE command SET ${set} WHERE id = 'c1'`);
    db.close();
    made.host.gates = [];
    await made.restart();
    await eventually(() => made.told("c1").at(-1) === "failed!journal_damaged");
    expect(made.deliver({ commands: [command("c1")] })).toEqual([]);
    expect(made.host.calls).toEqual([]);
    expect(made.store.setAside()).toMatchObject([{ kind: "command", name: "c1", reason: "damaged" }]);
  },
);

test.each([
  ["a year ahead", YEAR],
  ["a year back", -YEAR],
  ["in 1970", -START],
])("a wall clock %s decides nothing: the server's time carried on by uptime does", async (_what, jump) => {
  const gates = [
    { gate: "hold", verdict: "wait" as const, why: { code: "held", text: "Held.", nextStep: null } },
  ];
  const { deliver, state, clock, executor, host, told, restart } = rig({ gates });
  deliver({ commands: [command("c1", { type: "noop", params: {} })] });
  await eventually(() => state("c1") === "waiting");
  clock.set(START + jump);
  host.uptimeMs += 60_000;
  expect(executor.time()).toEqual({ atLeast: START + 60_000, exact: true });
  deliver({ commands: [command("c2", { type: "noop", params: {} })], serverNow: null });
  expect(told("c2")[0]).toBe("accepted");
  host.uptimeMs += 2 * 3_600_000;
  deliver({ commands: [command("c3", { type: "noop", params: {} })], serverNow: null });
  expect(told("c3")).toEqual(["expired!expired"]);
  host.gates = [];
  await restart();
  await eventually(() => state("c1") === "succeeded");
});

test("told as refused because it could not be written down: delivered again on a disk that is well, it stays refused", () => {
  const { deliver, told, store, host } = rig();
  const insert = store.insertCommand;
  const broken = Object.assign(store, {
    insertCommand: () => {
      throw new AgentError("journal_not_writable", "the disk is full");
    },
  });
  deliver({ commands: [command("c1")] });
  broken.insertCommand = insert as never;
  expect(deliver({ commands: [command("c1")] })).toEqual([]);
  expect(told("c1")).toEqual(["refused!journal_not_writable"]);
  expect(host.calls).toEqual([]);
});
