/**
 * Every number that comes with a command at its largest, once: the commands after it are taken all the same
 * (docs/adr/0012-numbers-from-outside.md).
 */
import { describe, expect, test } from "vitest";
import type { Command } from "../../src/model/command.ts";
import { command, rig } from "../support/commands/executor-rig.ts";
import { START } from "../support/store/store.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");
const NOOP = { type: "noop", params: {} } as const;

interface Poison {
  readonly command?: Partial<Command>;
  readonly serverNow?: number;
}

const POISONS: readonly (readonly [string, Poison])[] = [
  ["a huge number", { command: { seq: LARGEST } }],
  ["a number of 2^50", { command: { seq: 2 ** 50 } }],
  ["issued at the end of time", { command: { issuedAt: LATEST, expiresAt: LATEST, seq: LARGEST } }],
  ["good until the end of time", { command: { expiresAt: LATEST, seq: LARGEST } }],
  ["a server that says the end of time", { serverNow: LATEST }],
  ["a server that says 2099", { serverNow: Date.UTC(2099, 11, 31) }],
  ["a server that says 1970", { serverNow: 0 }],
  [
    "2099, and a command of then",
    {
      serverNow: Date.UTC(2099, 11, 31),
      command: { seq: LARGEST, issuedAt: Date.UTC(2099, 11, 31), expiresAt: LATEST },
    },
  ],
];

describe.each(POISONS)("%s", (_name, poison) => {
  const spoilt = { commands: [command("bad", { ...NOOP, ...poison.command })] };
  const bad = poison.serverNow === undefined ? spoilt : { ...spoilt, serverNow: poison.serverNow };
  const next = (id: string, seconds: number) =>
    command(id, { ...NOOP, seq: 7 + seconds, issuedAt: START + seconds * 1000 });

  test("shuts out nothing that was issued at the same moment", () => {
    const { deliver, told } = rig();
    deliver(bad);
    deliver({ commands: [next("good", 0)] });
    expect(told("good")[0]).toBe("accepted");
  });

  test("is over with the next answer, and over a restart", async () => {
    const { deliver, told, restart } = rig();
    deliver(bad);
    deliver({ commands: [next("good", 1)] });
    expect(told("good")[0]).toBe("accepted");
    await restart();
    deliver({ commands: [next("later", 2)] });
    expect(told("later")[0]).toBe("accepted");
    // What the order is for goes on as well.
    deliver({ commands: [next("late", 1)] });
    expect(told("late")).toEqual(["refused!out_of_order"]);
  });

  test("is over with leaving, for what is asked for on this host", async () => {
    const made = rig();
    made.deliver(bad);
    made.executor.forgetTime();
    expect(made.executor.time()).toEqual({ atLeast: null, exact: false });
    await made.restart();
    expect(made.executor.time()).toEqual({ atLeast: null, exact: false });
  });
});
