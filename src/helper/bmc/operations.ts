/**
 * `bmc.lan`, `bmc.info`, `bmc.sensors`, `bmc.sel`: the helper's readings of the BMC in this machine. One at a
 * time among all of them; always in-band: no argument names a host, a file or a command.
 */
import * as v from "valibot";
import type { Lane, Operation, OperationContext } from "../operation.ts";
import { BMC_BUDGET_MS, checkDevice, type Ipmitool, openIpmitool } from "./ipmitool.ts";
import {
  type BmcInfoResult,
  type BmcLanResult,
  type BmcSelResult,
  type BmcSensorsResult,
  readBmcInfo,
  readBmcLan,
  readBmcSel,
  readBmcSensors,
  type SelArguments,
  selArguments,
} from "./reads.ts";

const BMC_LANE: readonly Lane[] = [{ name: "bmc", limit: 1 }];
/** The budget of the commands, a second for the kill, and room to say so. */
const TIMEOUT_MS = BMC_BUDGET_MS + 3_000;

const NOTHING = v.strictObject({});
type Nothing = Record<never, never>;

export const bmcLan: Operation<Nothing, BmcLanResult> = reading("bmc.lan", (ipmitool) =>
  readBmcLan(ipmitool, null),
);
export const bmcInfo: Operation<Nothing, BmcInfoResult> = reading("bmc.info", (ipmitool) =>
  readBmcInfo(ipmitool, null),
);
export const bmcSensors: Operation<Nothing, BmcSensorsResult> = reading("bmc.sensors", (ipmitool) =>
  readBmcSensors(ipmitool, null),
);
export const bmcSel: Operation<SelArguments, BmcSelResult> = {
  name: "bmc.sel",
  args: selArguments,
  timeoutMs: TIMEOUT_MS,
  lanes: () => BMC_LANE,
  policy: null,
  perform: async (args, context) => await readBmcSel(inBand(context), null, args),
};

function reading<R>(name: string, read: (ipmitool: Ipmitool) => Promise<R>): Operation<Nothing, R> {
  return {
    name,
    args: NOTHING,
    timeoutMs: TIMEOUT_MS,
    lanes: () => BMC_LANE,
    policy: null,
    perform: async (_args, context) => await read(inBand(context)),
  };
}

/** @throws AgentError `bmc_device_missing`, `bmc_not_allowed` */
function inBand({ files, run, signal, clock }: OperationContext): Ipmitool {
  checkDevice(files);
  return openIpmitool({ run, signal, now: () => clock.monotonic(), target: null });
}
