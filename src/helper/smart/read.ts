/** `smart.read`: all that one drive tells of itself, without waking it. */
import * as v from "valibot";
import type { SmartReadAnswer } from "../../model/smart.ts";
import type { Operation } from "../operation.ts";
import { checkDevice, deviceArg, smartLanes, typeArg } from "./device.ts";
import { factsOfJson } from "./json.ts";
import { smartctlJson } from "./json-text.ts";
import { runSmartctl } from "./run.ts";

const TIMEOUT_MS = 30_000;

export interface SmartReadArgs {
  readonly device: string;
  readonly type: string;
  /** smartctl's whole JSON too. */
  readonly raw?: boolean | undefined;
}

/**
 * @throws AgentError `drive_unknown`, `drive_hangs`, `smartctl_*` (missing, not_allowed, too_old, empty, garbage,
 * endless, killed)
 */
export const smartRead: Operation<SmartReadArgs, SmartReadAnswer> = {
  name: "smart.read",
  args: v.strictObject({ device: deviceArg, type: typeArg, raw: v.optional(v.boolean()) }),
  // Beyond smartctl's own, so that its end is always ours to see.
  timeoutMs: TIMEOUT_MS + 5_000,
  lanes: ({ device, type }) => smartLanes(device, type),
  policy: null,
  async perform({ device, type, raw }, context) {
    checkDevice(context.files, context.kept, device);
    // `standby,3`: a drive that sleeps is left asleep, and said so with an exit status of its own.
    const args = ["--json=c", "-n", "standby,3", "-x", "-d", type, device];
    const { stdout, status } = await runSmartctl(context, device, args, TIMEOUT_MS);
    const json = smartctlJson(stdout);
    const facts = factsOfJson(json, status);
    return raw === true ? { facts, raw: json } : { facts };
  },
};
