/**
 * `reboot.announce`: tell everybody at a terminal that a reboot is coming and how to stop it. The words are the
 * helper's own: what root writes on other people's terminals is not for its client to say.
 *
 * Nor is how often. It is told once for an id, of a reboot that this helper would do for this very call if it were asked
 * for now (policy, signature, limits, host), no more than an hour ahead, and no more often than the policy lets the
 * host reboot. All of that is in the record, fsynced, before a word is written.
 */
import * as v from "valibot";
import { ANNOUNCED_AHEAD_S } from "../../model/command.ts";
import type { Operation } from "../operation.ts";
import type { Changes } from "../policy/changes.ts";
import type { LimitsRecord } from "../policy/limits.ts";
import { admitReboot, coversReboot, rebootMethod } from "./reboot.ts";
import { attempt, hasSystemd, transientUnit } from "./systemd.ts";
import type { StatePlace } from "./volatile-state.ts";
import { commandId, commandSource } from "./words.ts";

const WALL_MS = 8_000;
/** In the record, apart from the reboots themselves. */
const WORD = "reboot_announce";

export interface RebootAnnounceArgs {
  /** Of the command that the reboot will be asked for with. */
  readonly id: string;
  /** Seconds from now. */
  readonly in_s: number;
  readonly source: string;
  readonly method: v.InferOutput<typeof rebootMethod>;
}

export interface Announced {
  /** False where there is no `wall`, or it failed: no reason not to go on. */
  readonly told: boolean;
}

/**
 * With the signed command where the policy names a key.
 * @throws AgentError as `reboot` before it is begun; `helper_refused` where it was announced before, or too often
 */
export function rebootAnnounceOperation(parts: {
  readonly changes: Changes;
  readonly record: LimitsRecord;
  readonly state: StatePlace;
}): Operation<RebootAnnounceArgs, Announced> {
  const { changes, record, state } = parts;
  return {
    name: "reboot.announce",
    args: v.strictObject({
      id: commandId,
      in_s: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(ANNOUNCED_AHEAD_S)),
      source: commandSource,
      method: v.optional(rebootMethod, "graceful"),
    }),
    timeoutMs: 12_000,
    lanes: () => [{ name: "announce", limit: 1 }],
    policy: null,
    acts: WORD,
    async perform({ id, in_s, source, method }, context) {
      const { files, signed, clock } = context;
      const policy = changes.foresee(
        { id, source, signed },
        "reboot",
        (found) => admitReboot(state, method, found, files),
        (params) => coversReboot(method, params),
      );
      record.check(WORD, policy.limits.reboot, source);
      // Refused where it is there: once for an id.
      record.begin({
        id: `announce:${id}`,
        word: WORD,
        operation: "reboot.announce",
        source,
        at: clock.now(),
      });
      context.begun();
      const text = announcement(id, in_s, source);
      // From a unit of its own: in the helper's sandbox there are no terminals.
      const { said } = hasSystemd(files)
        ? await attempt(context, transientUnit("wall", WALL_MS, ["wall", text]), WALL_MS + 2_000)
        : await attempt(context, ["wall", text], WALL_MS);
      return { told: said === "ok" };
    },
  };
}

function announcement(id: string, seconds: number, source: string): string {
  const when = seconds === 0 ? "now" : `in ${seconds} s`;
  return `This host reboots ${when} (command ${id} from ${source}). To stop it: foundry-agent commands cancel ${id}`;
}
