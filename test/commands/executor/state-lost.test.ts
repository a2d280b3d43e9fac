/** A journal that is gone or older than it should be: nothing that it or a server has open is carried out on doubt. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import type { OwnFacts } from "../../../src/commands/executor/ports.ts";
import { command, type Rig, rig } from "../../support/commands/executor-rig.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const WAITS = [
  { gate: "window", verdict: "wait", why: { code: "outside_window", text: "Not now.", nextStep: null } },
] as const;
const BY = { uid: 0, name: "root" };
const codes = ({ host }: Rig): string[] => host.conditions.map(({ code }) => code);

/** `made` goes back to how it is now, when it has lived on. */
function backup(made: Rig): (folder: string) => void {
  const copy = join(temporaryFolder(), "copy");
  cpSync(made.folder, copy, { recursive: true });
  return (folder) => {
    for (const suffix of ["", "-wal"]) {
      rmSync(join(folder, `state.db${suffix}`), { force: true });
      cpSync(join(copy, `state.db${suffix}`), join(folder, `state.db${suffix}`));
    }
  };
}

it("what waits in a journal that came back from a backup is failed and told, local ones too, and not carried out", async () => {
  const made = rig({ gates: [...WAITS], operations: { "reboot.announce": () => ({}), reboot: () => ({}) } });
  made.deliver({ commands: [command("c1", { type: "noop", params: {} })] });
  const local = { type: "noop", params: {}, mode: "live", reason: null, by: BY, signed: null } as const;
  const { asked } = made.executor.submit(local);
  await eventually(() => made.state("c1") === "waiting");
  const putBack = backup(made);
  made.executor.cancel("c1", "nodefoundry");
  await eventually(() => made.state("c1") === "cancelled");
  made.host.gates = [];
  await made.restart(putBack);
  await eventually(() => made.state("c1") === "failed");
  await eventually(() => made.state(asked.id) === "failed");
  expect(made.told("c1").at(-1)).toBe("failed!state_lost");
  expect(made.store.command("c1")?.error?.code).toBe("state_lost");
  await eventually(() => codes(made).includes("state_lost"));

  // What comes after it is not touched by it: not by another start either.
  made.host.gates = [...WAITS];
  made.deliver({ commands: [command("c2", { type: "noop", params: {} })] });
  await made.restart();
  await eventually(() => made.state("c2") === "waiting");
  // An answer says nothing about what was open before; one to a registration does.
  made.deliver({});
  expect(codes(made)).toContain("state_lost");
  made.deliver({ registered: true });
  expect([made.store.lost, codes(made)]).toEqual([null, []]);
});

it("in a journal that came back a command of a type that only another version knows is failed too", async () => {
  const made = rig({ gates: [...WAITS] });
  made.deliver({ commands: [command("c1", { type: "noop", params: {} })] });
  await eventually(() => made.state("c1") === "waiting");
  const putBack = backup(made);
  made.executor.cancel("c1", "nodefoundry");
  await eventually(() => made.state("c1") === "cancelled");
  await made.restart((folder) => {
    putBack(folder);
    const db = new DatabaseSync(join(folder, "state.db"));
    db.exec("UPDATE command SET type = 'later', command = json_set(command, '$.type', 'later')");
    db.close();
  });
  await eventually(() => made.store.command("c1")?.state === "failed");
  expect(made.store.command("c1")?.error?.code).toBe("state_lost");
});

it("a journal that is gone is settled by the first answer, when all it names is written down", async () => {
  const looks: OwnFacts["lost"][] = [];
  const made = rig(
    {},
    {
      gates: {
        verdicts: async (_record, own) => {
          looks.push(own.lost);
          return [];
        },
      },
    },
  );
  await made.restart((folder) => rmSync(join(folder, "state.db")));
  await eventually(() => codes(made).includes("state_lost"));
  expect(made.store.lost?.settledBy).toEqual([]);
  made.deliver({
    openCommands: [{ id: "c1", type: "reboot", state: "waiting", fromBootId: "boot-1" }],
    commands: [command("c2", { type: "noop", params: {} })],
  });
  expect([made.state("c1"), made.store.lost, codes(made)]).toEqual(["failed", null, []]);
  await eventually(() => made.state("c2") === "succeeded");
  expect(looks).toEqual([null]);
  await made.restart();
  expect([made.store.lost, made.state("c1")]).toEqual([null, "failed"]);
});

it("is settled by an operator, once", async () => {
  const made = rig();
  await made.restart((folder) => rmSync(join(folder, "state.db")));
  await eventually(() => codes(made).includes("state_lost"));
  expect([made.executor.settleLost(), made.executor.settleLost()]).toEqual([true, false]);
  expect(codes(made)).toEqual([]);
  await made.restart();
  expect(made.store.lost).toBeNull();
});
