/** `diagnostics`: report, conditions, journal and the last log lines as one archive without secrets. */
import * as v from "valibot";
import type { CommandType } from "../command-type.ts";

export const diagnosticsCommand: CommandType<Record<never, never>> = {
  type: "diagnostics",
  params: v.strictObject({}),
  needs: { hardware: false, disruptive: false },
  timeoutMs: 5 * 60_000,
  says: () => "make a diagnostics bundle",
  steps: [
    {
      name: "make the bundle",
      idempotent: true,
      hardware: false,
      run: async ({ acts, id, source, signal }) => await acts.diagnostics(id, source, signal),
    },
  ],
};
