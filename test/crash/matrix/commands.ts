/** The commands of the matrix: the real reboot, one of two steps whose first is taken back, and both in one. */
import { rmSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import type { AnyCommandType, CommandType, Step } from "../../../src/commands/command-type.ts";
import { rebootCommand } from "../../../src/commands/types/reboot.ts";
import type { Command } from "../../../src/model/command.ts";
import type { Points } from "./points.ts";
import { COMMAND_ID, type Job, places, SOURCE } from "./types.ts";

export function commandTypes({ world }: Job, { point }: Points): readonly AnyCommandType[] {
  const mark: Step<unknown> = {
    name: "mark",
    idempotent: true,
    hardware: true,
    async run({ undo }) {
      undo("mark", {}, 3_600_000);
      point("main: mark");
      writeFileSync(places(world).mark, "");
      point("main: after mark");
      return {};
    },
  };
  const act: Step<unknown> = {
    name: "act",
    idempotent: false,
    hardware: true,
    run: async ({ helper }) => (await helper("act", {})) as Record<string, unknown>,
  };
  const common = {
    params: v.strictObject({}),
    needs: { hardware: true, disruptive: false },
    timeoutMs: 60_000,
    says: () => "mark and act",
  };
  const twoSteps: CommandType<unknown> = { ...common, type: "two_steps", steps: [mark, act] };
  const marked: CommandType<unknown> = {
    ...common,
    type: "marked_reboot",
    steps: [mark],
    reboot: () => "graceful",
  };
  return [rebootCommand, twoSteps, marked];
}

/** How a mark is taken back; that there is none is as good. */
export function unmark({ world }: Job, { point }: Points): Record<string, () => Promise<void>> {
  return {
    async mark() {
      point("main: unmark");
      rmSync(places(world).mark, { force: true });
      point("main: after unmark");
    },
  };
}

export function theCommand({ kind }: Job): Command {
  return {
    id: COMMAND_ID,
    source: SOURCE,
    nodeId: "node_1",
    mode: "live",
    type: kind,
    params: {},
    operationId: "op_1",
    epoch: "e1",
    seq: 1,
    issuedAt: null,
    expiresAt: null,
    signature: null,
    signedText: null,
  };
}
