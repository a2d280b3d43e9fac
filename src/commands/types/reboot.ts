/** `reboot`: the host goes down and comes back, proven by its boot id. What makes it happen once is machine.ts. */
import * as v from "valibot";
import type { CommandType } from "../command-type.ts";

const paramsSchema = v.strictObject({
  /** graceful: services are stopped; hard: by the BMC, or at once. */
  method: v.optional(v.picklist(["graceful", "hard"]), "graceful"),
  /** Move Ceph's OSDs out of the way first. */
  drain_osds: v.optional(v.boolean(), true),
  /** Past windows, sessions and inhibitors, where the policy lets it. */
  force: v.optional(v.boolean(), false),
});

export const rebootCommand: CommandType<v.InferOutput<typeof paramsSchema>> = {
  type: "reboot",
  params: paramsSchema,
  needs: { hardware: true, disruptive: true },
  timeoutMs: 60_000,
  says: ({ method }) => `reboot this host (${method})`,
  steps: [],
  reboot: ({ method }) => method,
};
