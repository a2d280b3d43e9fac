/**
 * `reboot`: the one operation after which nothing can be corrected. Everything that makes it happen at most once for an
 * id stands in changes.ts; here is only what is done.
 *
 * Its end is seldom seen: the helper is ended with the host. So an id that stays "begun" is the usual trace of a hard
 * reboot, and "done" says that systemd took a graceful one, never that the host was up again.
 */
import * as v from "valibot";
import type { Files } from "../../system/files.ts";
import { checkDevice } from "../bmc/ipmitool.ts";
import type { Operation } from "../operation.ts";
import type { Policy } from "../policy/policy.ts";
import { rebootGracefully } from "./graceful.ts";
import { climbLadder, LADDER_MS, SETTLE_MS } from "./ladder.ts";
import { hasSystemd, noSystemd } from "./systemd.ts";
import { refuseVolatile, type StatePlace } from "./volatile-state.ts";

/** `graceful`: services are stopped first. `hard`: they are not; for a host that does not go down otherwise. */
export const rebootMethod = v.picklist(["graceful", "hard"]);

export type RebootMethod = v.InferOutput<typeof rebootMethod>;

export interface RebootArgs {
  readonly method: RebootMethod;
}

/** The graceful one was taken; the host goes down now. A hard one has no answer. */
export interface RebootTaken {
  readonly method: "graceful";
  readonly how: "systemctl reboot";
}

export interface RebootParts {
  readonly state: StatePlace;
  /** Milliseconds the host may take to be gone after a rung of the ladder said yes; 20 s. */
  readonly settleMs?: number;
}

/**
 * Ask with a deadline of 30 s for `graceful` (its own limits end it after 25 s) and of 160 s for `hard`: with less, rungs are left
 * out at its end.
 * @throws AgentError before it is begun `state_volatile`, `no_systemd`; afterwards `no_systemd`, `reboot_failed` (certainly not begun),
 * `reboot_unanswered` (unknown)
 */
export function rebootOperation(parts: RebootParts): Operation<RebootArgs, RebootTaken> {
  return {
    name: "reboot",
    args: v.strictObject({ method: rebootMethod }),
    timeoutMs: LADDER_MS,
    lanes: () => [{ name: "reboot", limit: 1 }],
    policy: "reboot",
    admit: ({ method }, policy, files) => admitReboot(parts.state, method, policy, files),
    covers: ({ method }, params) => coversReboot(method, params),
    async perform({ method }, context) {
      if (method === "hard") return await climbLadder(context, parts.settleMs ?? SETTLE_MS);
      await rebootGracefully(context);
      return { method, how: "systemctl reboot" };
    },
  };
}

/** As the command has it: without a method it is the graceful one, and a word for one is none for the other. */
export function coversReboot(method: RebootMethod, params: Readonly<Record<string, unknown>>): boolean {
  return method === (Object.hasOwn(params, "method") ? params.method : "graceful");
}

/** What speaks against it on this host, whoever asks. @throws AgentError `state_volatile`, `no_systemd` */
export function admitReboot(state: StatePlace, method: RebootMethod, policy: Policy, files: Files): void {
  refuseVolatile(state, policy);
  if (hasSystemd(files)) return;
  if (method === "graceful") throw noSystemd("it can't be rebooted from here");
  try {
    checkDevice(files);
  } catch {
    throw noSystemd("and without a BMC it can't be rebooted from here");
  }
}
