/** One source that asks without end: the others and whoever stands on this host have their room, and people are told. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { KEPT_ROWS, LOCAL_ROWS, MAX_WAITING, REFUSED_ROWS } from "../../../src/commands/quota/limits.ts";
import { parsePolicy } from "../../../src/helper/policy/policy.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { command, type Rig, type RigOptions, rig } from "../../support/commands/executor-rig.ts";
import { eventually } from "../../support/eventually.ts";
import { START } from "../../support/store/store.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOOP = { type: "noop", params: {} };
const ROOT = { uid: 0, name: "root" };
const HERE = { type: "noop", params: {}, mode: "live", reason: null, by: ROOT, signed: null } as const;

/** A server that may only collect, and whose every other wish the gates refuse. */
const mayCollect: RigOptions = {
  gates: {
    policy: () => ({
      policy: parsePolicy("policy.toml", '[commands]\nremote = "on"\n[allow]\nnodefoundry = ["collect"]\n'),
      problem: null,
      file: "policy.toml",
    }),
    verdicts: async ({ asked: { source, type } }) =>
      source === "nodefoundry" && type !== "collect"
        ? [{ gate: "policy", verdict: "refuse", why: { code: "not_allowed", text: "No.", nextStep: null } }]
        : [],
  },
};

/** Answer after answer, each with a hundred, as fast as they are looked at. */
async function flood(
  made: Rig,
  answers: number,
  one: (id: string) => ReturnType<typeof command>,
): Promise<void> {
  for (let answer = 0; answer < answers; answer++) {
    made.deliver({ commands: Array.from({ length: 100 }, (_none, at) => one(`f${answer}_${at}`)) });
    await eventually(() => made.store.unfinishedCommands().length === 0);
  }
}

const answers = ({ store }: Rig): number =>
  store.eventsSince("", 50_000).filter(({ type }) => type === "command.state").length;

function acknowledgeAll({ store }: Rig): void {
  const pending = store.pendingEvents("nodefoundry", 9_999).map(({ id }) => id);
  store.acknowledgeEvents("nodefoundry", pending);
}

const answered = ({ store }: Rig): string[] =>
  store.pendingEvents("nodefoundry", 9_999).map(({ data }) => `${data.command_id} ${data.state}`);

test.each([
  ["the gates refuse", (id: string) => command(id)],
  ["nobody knows the type of", (id: string) => command(id, { type: "format_everything" })],
  ["have expired", (id: string) => command(id, { ...NOOP, expiresAt: START - 1 })],
])("10 000 commands that %s leave room for everybody else, and are told as a flood", async (_what, one) => {
  const made = rig({}, mayCollect);
  await flood(made, 100, one);
  expect(answers(made)).toBeLessThan(500);
  expect(made.store.journalUse("nodefoundry", START).rows).toBe(0);
  expect(made.executor.conditions()).toMatchObject([
    {
      code: "command_flood",
      subject: "nodefoundry",
      text: expect.stringMatching(/since .* 9 ?[0-9]{3} commands were left out/),
      nextStep: expect.stringContaining("foundry-agent commands"),
    },
  ]);
  expect((await made.executor.dryRun(HERE)).every(({ verdict }) => verdict === "pass")).toBe(true);
  const here = made.executor.submit(HERE).asked.id;
  await eventually(() => made.state(here) === "succeeded");
  // What it may have done is done, in the middle of it, and another source hears nothing of the flood.
  made.deliver({ commands: [command("real", { type: "collect", params: {} })] });
  made.deliver({ source: "other", commands: [command("theirs", { ...NOOP, source: "other" })] });
  await eventually(() => made.state("real") === "succeeded" && made.state("theirs") === "succeeded");
  // It is over by itself, and who was left out has his turn.
  made.clock.forward(HOUR);
  expect(made.executor.conditions()).toEqual([]);
  made.deliver({ commands: [command("late", { type: "format_everything", expiresAt: START + DAY })] });
  expect(made.told("late")).toEqual(["refused!unsupported"]);
});

test("what is only rehearsed is no refusal: of two hundred all are answered, and nothing is told as a flood", async () => {
  const text = '[commands]\nremote = "rehearse"\n[allow]\nnodefoundry = ["reboot"]\n';
  const policy = () => ({ policy: parsePolicy("policy.toml", text), problem: null, file: "policy.toml" });
  const made = rig({}, { gates: { policy } });
  await flood(made, 2, (id) => command(id));
  expect(made.executor.conditions()).toEqual([]);
  expect(made.state("f1_99")).toBe("rehearsed");
});

test("what was refused gives way to what was refused later, and never anything that was done", async () => {
  const made = rig({ operations: { reboot: () => ({}), "reboot.look": () => ({}) } });
  made.deliver({ commands: [command("done", NOOP)] });
  await eventually(() => made.state("done") === "succeeded");
  for (let hour = 0; hour < 9; hour++) {
    made.clock.forward(HOUR);
    const some = Array.from({ length: 100 }, (_none, at) =>
      command(`r${hour}_${at}`, { type: "unheard_of" }),
    );
    made.deliver({ commands: some });
  }
  expect(made.store.commands(9_999)).toHaveLength(REFUSED_ROWS + 1);
  expect(made.store.commandHistory("r0_0")).toEqual([]);
  expect(made.state("r8_99")).toBe("refused");
  acknowledgeAll(made);
  expect(made.deliver({ commands: [command("done", NOOP)] })).toEqual([]);
  expect(answered(made)).toEqual(["done succeeded"]);
  // Forgotten, it is judged anew and refused again.
  made.clock.forward(HOUR);
  acknowledgeAll(made);
  made.deliver({ commands: [command("r0_0", { type: "unheard_of" })] });
  expect(answered(made)).toEqual(["r0_0 refused"]);
});

/** As after a month of so many commands that were carried out. */
async function month(made: Rig, source: string, count: number, text = "{}"): Promise<void> {
  await made.executor.stop();
  made.store.close();
  const db = new DatabaseSync(join(made.folder, "state.db"));
  db.exec("BEGIN");
  const insert = db.prepare(
    "INSERT INTO command (id, source, epoch, type, state, received_at, command) VALUES (?, ?, 'e1', 'noop', 'succeeded', ?, ?)",
  );
  for (let at = 0; at < count; at++) insert.run(`${source}_${at}`, source, START, text);
  db.exec("COMMIT");
  db.close();
  await made.restart();
}

test("a source whose part of the journal is used up is refused, alone, until its oldest are 30 days old", async () => {
  const made = rig();
  await month(made, "nodefoundry", KEPT_ROWS);
  made.deliver({ commands: [command("more", NOOP)] });
  expect(made.told("more")).toEqual(["refused!journal_full"]);
  expect(made.executor.conditions()).toMatchObject([{ code: "journal_full", subject: "nodefoundry" }]);
  // Its cancels of what was never seen take no room either; what was done is known.
  made.deliver({ cancel: ["unseen"] });
  expect(made.state("unseen")).toBeUndefined();
  expect(made.deliver({ commands: [command("nodefoundry_0", NOOP)] })).toEqual([]);
  const here = made.executor.submit(HERE).asked.id;
  made.deliver({ source: "other", commands: [command("theirs", { ...NOOP, source: "other" })] });
  await eventually(() => made.state(here) === "succeeded" && made.state("theirs") === "succeeded");
  made.clock.forward(31 * DAY);
  made.deliver({ commands: [command("later", { ...NOOP, expiresAt: START + 40 * DAY })] });
  await eventually(() => made.state("later") === "succeeded");
  expect(made.executor.conditions()).toEqual([]);
});

test("a dry run of a command that was signed elsewhere is told when there is no room; others always have it", async () => {
  const told: (string | undefined)[] = [];
  const made = rig(
    {},
    {
      gates: {
        async verdicts(_record, { noRoom }) {
          told.push(noRoom?.code);
          return [];
        },
      },
    },
  );
  await month(made, "local", KEPT_ROWS, '{"signature":"x"}');
  const signed = command("signed", { ...NOOP, signature: "x", signedText: "{}" });
  await made.executor.dryRun({ ...HERE, signed });
  await made.executor.dryRun(HERE);
  expect(told).toEqual(["journal_full", undefined]);
  expect(() => made.executor.submit({ ...HERE, signed })).toThrow("all that it keeps of one source");
  const here = made.executor.submit(HERE).asked.id;
  await eventually(() => made.state(here) === "succeeded");
});

test("whoever stands on this host has room always: the oldest of its own give way", async () => {
  const made = rig();
  await month(made, "local", LOCAL_ROWS + 50);
  const id = made.executor.submit(HERE).asked.id;
  await eventually(() => made.state(id) === "succeeded");
  expect(made.store.journalUse("local", START).rows).toBe(LOCAL_ROWS);
  expect(made.state("local_0")).toBeUndefined();
});

test("no user of this host takes another's place among those that wait", async () => {
  const held = {
    gate: "hold",
    verdict: "wait" as const,
    why: { code: "held", text: "Held.", nextStep: null },
  };
  const made = rig({ gates: [held] });
  const other = { ...HERE, by: { uid: 1000, name: "anna" } };
  for (let at = 0; at < MAX_WAITING; at++) made.executor.submit(other);
  expect(() => made.executor.submit(other)).toThrow("wait already");
  expect((await made.executor.dryRun(other)).map(({ gate }) => gate)).toEqual(["hold"]);
  expect(() => made.executor.submit(HERE)).not.toThrow();
});

test("cancels of what was never seen, and known ones asked for again, are answered at a bounded rate", async () => {
  const made = rig();
  made.deliver({ commands: [command("done", NOOP)] });
  await eventually(() => made.state("done") === "succeeded");
  for (let answer = 0; answer < 100; answer++) {
    acknowledgeAll(made);
    made.deliver({
      commands: [command("done", NOOP), command("done", { type: "reboot" })],
      cancel: Array.from({ length: 100 }, (_none, at) => `u${answer}_${at}`),
      rejected: [{ id: `m${answer}`, code: "malformed", message: "no" }],
    });
  }
  expect(answers(made)).toBeLessThan(400);
  expect(made.store.commands(20_000).length).toBeLessThan(400);
  expect(made.executor.conditions()).toMatchObject([{ code: "command_flood", subject: "nodefoundry" }]);
});

test("what is carried out has its rate too: the rest comes again and has its turn", async () => {
  const made = rig();
  const wanted = Array.from({ length: 500 }, (_none, at) =>
    command(`n${at}`, { ...NOOP, expiresAt: START + DAY }),
  );
  for (let at = 0; at < 500; at += 100) {
    made.deliver({ commands: wanted.slice(at, at + 100) });
    await eventually(() => made.store.unfinishedCommands().length === 0);
  }
  expect(made.store.journalUse("nodefoundry", START).rows).toBe(300);
  made.clock.forward(HOUR);
  for (let at = 300; at < 500; at += 100) {
    made.deliver({ commands: wanted.slice(at, at + 100) });
    await eventually(() => made.store.unfinishedCommands().length === 0);
  }
  expect(made.state("n499")).toBe("succeeded");
});

test("a signed command brought by hand is remembered as those of the network are", () => {
  const made = rig();
  const signed = command("signed", { ...NOOP, signature: "x", signedText: "{}" });
  made.executor.submit({ ...HERE, signed });
  let code = "";
  try {
    made.executor.submit({ ...HERE, signed });
  } catch (error) {
    code = errorCode(error);
  }
  expect(code).toBe("known_command");
});
