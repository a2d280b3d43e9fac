/**
 * `smart.scan`: which devices smartctl can be asked about. `--scan-open` opens each one to tell SATA behind
 * SCSI apart, so a drive that hangs, hangs the scan; then the list is made without opening any.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { SmartDevice, SmartScanAnswer } from "../../model/smart.ts";
import type { Operation, OperationContext } from "../operation.ts";
import { isNeverAsked, isTypeKnown, notPassedOn, SCAN_KEPT } from "./device.ts";
import { versionOf } from "./json.ts";
import { scanJsonSchema } from "./json-schema.ts";
import { smartctlJson } from "./json-text.ts";
import { runSmartctl } from "./run.ts";

const OPEN_MS = 25_000;
const LIST_MS = 10_000;
/** Kept while a smartctl that was killed in a scan still lives: another one would hang beside it. */
const LINGERING = "smart.scan lingering";

export interface SmartScanArgs {
  /** false: list the devices only. For a caller who knows that one of them hangs. */
  readonly open?: boolean | undefined;
}

/** @throws AgentError `smartctl_*` as `smart.read`, `drive_hangs` when not even listing them comes to an end */
export const smartScan: Operation<SmartScanArgs, SmartScanAnswer> = {
  name: "smart.scan",
  args: v.strictObject({ open: v.optional(v.boolean()) }),
  timeoutMs: OPEN_MS + LIST_MS + 5_000,
  // Room for two: a lane for one would stay taken by a scan that can't be killed, and no list be had.
  lanes: () => [{ name: "smart scan", limit: 2 }],
  policy: null,
  async perform({ open }, context) {
    const answer = open !== false && !context.kept.has(LINGERING) ? await opened(context) : null;
    const found = answer ?? (await listed(context));
    context.kept.set(SCAN_KEPT, found);
    return found;
  },
};

/** null: a drive hangs in it. */
async function opened(context: OperationContext): Promise<SmartScanAnswer | null> {
  const { kept } = context;
  try {
    const args = ["--scan-open", "--json=c"];
    const { stdout } = await runSmartctl(context, "a drive", args, OPEN_MS, (gone) => {
      kept.set(LINGERING, true);
      void gone.then(() => kept.delete(LINGERING));
    });
    return scanOf(stdout, true);
  } catch (error) {
    if (error instanceof AgentError && error.code === "drive_hangs") return null;
    throw error;
  }
}

async function listed(context: OperationContext): Promise<SmartScanAnswer> {
  const { stdout } = await runSmartctl(context, "a drive", ["--scan", "--json=c"], LIST_MS);
  const answer = scanOf(stdout, false);
  return {
    ...answer,
    // Unopened, a SATA drive is listed as SCSI; smartctl itself looks which it is when it reads it.
    devices: answer.devices.map((device) => (device.type === "scsi" ? { ...device, type: "auto" } : device)),
  };
}

/**
 * The JSON of a scan as devices; those that have no SMART are left out, and of types
 * that we do not know it is said that they are not asked. Pure.
 * @throws AgentError as json-text.ts says
 */
function scanOf(stdout: string, opened: boolean): SmartScanAnswer {
  const parsed = v.parse(scanJsonSchema, smartctlJson(stdout));
  const devices = (parsed.devices ?? []).flatMap(({ name, type, protocol, open_error }): SmartDevice[] => {
    if (name === undefined || type === undefined || isNeverAsked(name)) return [];
    const why = isTypeKnown(type) ? (open_error ?? null) : notPassedOn(type);
    return [{ name, type, protocol: protocol ?? null, open_error: why }];
  });
  return { smartctl_version: versionOf(parsed.smartctl), devices, opened };
}
