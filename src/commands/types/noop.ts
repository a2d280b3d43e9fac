/** `noop`: goes through everything a command goes through and does nothing. For trying out, and for tests. */
import * as v from "valibot";
import type { CommandType } from "../command-type.ts";

export const noopCommand: CommandType<Record<never, never>> = {
  type: "noop",
  params: v.strictObject({}),
  needs: { hardware: false, disruptive: false },
  timeoutMs: 10_000,
  says: () => "do nothing",
  steps: [{ name: "nothing", idempotent: true, hardware: false, run: async () => ({}) }],
};
