/** A hold, which is there so that nothing happens: it outlives whatever becomes of the state, and `release` tells the truth. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Rig, rig } from "../../support/commands/executor-rig.ts";
import { eventually } from "../../support/eventually.ts";
import { START } from "../../support/store/store.ts";

const HOLD = { reason: "replacing a fan", by: "ada", until: null };
const WHOLE = { ...HOLD, since: START };

const fileOf = ({ folder }: Rig): string => join(folder, "hold.json");
const conditions = ({ host }: Rig): string[] => host.conditions.map(({ code }) => code);

it("is a file for its owner alone that says who holds what since when", () => {
  const made = rig();
  made.executor.hold({ ...HOLD, until: START + 3_600_000 });
  expect(statSync(fileOf(made)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(fileOf(made), "utf8"))).toEqual({
    reason: "replacing a fan",
    by: "ada",
    since: new Date(START).toISOString(),
    until: new Date(START + 3_600_000).toISOString(),
  });
});

const damage: Record<string, (folder: string) => void> = {
  "is deleted": (folder) => {
    for (const name of readdirSync(folder)) if (name !== "hold.json") rmSync(join(folder, name));
  },
  "is emptied": (folder) => truncateSync(join(folder, "state.db"), 0),
  "is nonsense": (folder) => writeFileSync(join(folder, "state.db"), "no database\n".repeat(500)),
};
for (const [what, harm] of Object.entries(damage))
  it(`outlives a state.db that ${what}`, async () => {
    const made = rig();
    made.executor.hold(HOLD);
    await made.restart(harm);
    expect(made.executor.held()).toEqual(WHOLE);
  });

it("is over when its time is, also in the file", async () => {
  const made = rig();
  made.executor.hold({ ...HOLD, until: START + 1_000 });
  made.clock.forward(1_000);
  await made.restart();
  expect([made.executor.held(), made.executor.release("ada")]).toEqual([null, null]);
  expect(existsSync(fileOf(made))).toBe(false);
});

const unreadable: Record<string, (path: string) => void> = {
  "an empty file": (path) => writeFileSync(path, ""),
  "half of one": (path) => writeFileSync(path, '{"reason": "replacing'),
  "another shape": (path) => writeFileSync(path, '{"reason": 1}'),
  "a list": (path) => writeFileSync(path, "[]"),
  "no time": (path) => writeFileSync(path, '{"reason": "a", "by": "b", "since": "yesterday", "until": null}'),
  zeros: (path) => writeFileSync(path, Buffer.alloc(4096)),
  "what is no UTF-8": (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00])),
  "more than a sentence": (path) =>
    writeFileSync(path, JSON.stringify({ ...HOLD, reason: "x".repeat(20_000) })),
  "a link": (path) => symlinkSync("/etc/hostname", path),
  "a link to nothing": (path) => symlinkSync("/nowhere", path),
};
for (const [what, put] of Object.entries(unreadable))
  it(`counts as one and says so when its file is ${what}; a release takes it away`, async () => {
    const made = rig();
    await made.restart((folder) => put(join(folder, "hold.json")));
    expect(made.executor.held()).toMatchObject({ by: "somebody", until: null });
    await eventually(() => conditions(made).includes("hold_unreadable"));
    expect(made.executor.release("ada")).toMatchObject({ by: "somebody" });
    expect(conditions(made)).toEqual([]);
    await made.restart();
    expect(made.executor.held()).toBeNull();
  });

it("goes on when it can't be removed, and says so; removed later it is over", async () => {
  const made = rig();
  await made.restart((folder) => mkdirSync(join(folder, "hold.json")));
  expect(() => made.executor.release("ada")).toThrow(
    expect.objectContaining({
      code: "hold_not_released",
      message: expect.stringMatching(/held as before.*hold\.json/),
    }),
  );
  expect(made.executor.held()).not.toBeNull();
  await made.restart();
  expect(made.executor.held()).not.toBeNull();
  rmdirSync(fileOf(made));
  expect(made.executor.release("ada")).toMatchObject({ by: "somebody" });
  expect(made.executor.release("ada")).toBeNull();
});

it("that the disk does not take holds in memory, says so, and is on the disk as soon as it can be", async () => {
  const made = rig();
  mkdirSync(`${fileOf(made)}.new`);
  expect(() => made.executor.hold(HOLD)).toThrow(
    expect.objectContaining({
      code: "hold_not_durable",
      message: expect.stringContaining("only until the agent ends"),
    }),
  );
  expect([made.executor.held(), conditions(made)]).toEqual([WHOLE, ["hold_not_durable"]]);
  rmdirSync(`${fileOf(made)}.new`);
  made.clock.forward(30_000);
  expect(made.executor.held()).toEqual(WHOLE);
  expect(conditions(made)).toEqual([]);
  await made.restart();
  expect(made.executor.held()).toEqual(WHOLE);
});

it("of a version that kept it in the state is carried over", async () => {
  const made = rig();
  made.store.values("commands").set("hold", JSON.stringify(WHOLE));
  await made.restart();
  expect(made.executor.held()).toEqual(WHOLE);
  expect([existsSync(fileOf(made)), made.store.values("commands").get("hold")]).toEqual([true, null]);
  expect(made.executor.release("ada")).toEqual(WHOLE);
  await made.restart();
  expect(made.executor.held()).toBeNull();
});

it("of such a version stays in the state while it can't be carried over, and is released there too", async () => {
  const made = rig();
  made.store.values("commands").set("hold", JSON.stringify(WHOLE));
  mkdirSync(`${fileOf(made)}.new`);
  await made.restart();
  expect([made.executor.held(), made.store.values("commands").get("hold")]).toEqual([
    WHOLE,
    JSON.stringify(WHOLE),
  ]);
  made.executor.release("ada");
  await made.restart();
  expect(made.executor.held()).toBeNull();
});
