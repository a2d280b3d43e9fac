/**
 * All that root does for the rest of the agent: this table, nothing else. An operation reads or starts something;
 * its arguments are names that it looks up itself (a drive's, say): what it opens or starts is what it found, never an
 * argument as it came.
 */
import * as v from "valibot";
import { AgentError } from "../model/errors.ts";
import { bmcInfo, bmcLan, bmcSel, bmcSensors } from "./bmc/operations.ts";
import { systemdLook } from "./host/systemd-look.ts";
import { throttledOperation } from "./host/throttled.ts";
import { inventory } from "./inventory/inventory.ts";
import { lldp } from "./lldp/lldp.ts";
import { locateOperation } from "./locate/locate.ts";
import type { LocateRecord } from "./locate/record.ts";
import type { Operation } from "./operation.ts";
import type { Changes } from "./policy/changes.ts";
import type { LimitsRecord } from "./policy/limits.ts";
import type { Policy } from "./policy/policy.ts";
import { rebootAnnounceOperation } from "./reboot/announce.ts";
import { rebootLookOperation } from "./reboot/look.ts";
import { rebootOperation } from "./reboot/reboot.ts";
import type { StatePlace } from "./reboot/volatile-state.ts";
import { smartRead } from "./smart/read.ts";
import { smartScan } from "./smart/scan.ts";
import { smartTest } from "./smart/test.ts";

export interface OperationParts {
  readonly lights: LocateRecord;
  /** @throws AgentError `policy_unusable` */
  readonly policy: () => Policy;
  readonly record: LimitsRecord;
  readonly changes: Changes;
  readonly state: StatePlace;
}

/** Every operation, by name unique. */
export function helperOperations(parts: OperationParts): readonly Operation[] {
  return [
    noopOperation,
    policyOperation(parts.policy),
    inventory as Operation,
    smartScan as Operation,
    smartRead as Operation,
    smartTest as Operation,
    locateOperation(parts.lights) as Operation,
    bmcLan as Operation,
    bmcInfo as Operation,
    bmcSensors as Operation,
    bmcSel as Operation,
    lldp as Operation,
    throttledOperation as Operation,
    systemdLook as Operation,
    rebootOperation({ state: parts.state }) as Operation,
    rebootLookOperation(parts) as Operation,
    rebootAnnounceOperation(parts) as Operation,
  ];
}

/** `noop`: whether somebody answers. */
const noopOperation: Operation = {
  name: "noop",
  args: v.strictObject({}),
  timeoutMs: 5_000,
  policy: null,
  lanes: () => [],
  perform: async () => ({}),
};

/** What `policy.show` gives: the policy in effect, or why there is none. */
export type ShownPolicy =
  | { readonly usable: true; readonly policy: Policy }
  | { readonly usable: false; readonly sentence: string; readonly next_step: string | null };

/** `policy.show`: what would be allowed, so that a bad file is a condition before somebody needs it. */
function policyOperation(read: () => Policy): Operation {
  return {
    name: "policy.show",
    args: v.strictObject({}),
    timeoutMs: 5_000,
    policy: null,
    lanes: () => [],
    async perform(): Promise<ShownPolicy> {
      try {
        return { usable: true, policy: read() };
      } catch (error) {
        if (!(error instanceof AgentError)) throw error;
        return { usable: false, sentence: error.message, next_step: error.nextStep };
      }
    },
  };
}
