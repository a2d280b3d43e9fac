/**
 * `reboot.announce`: tell everybody at a terminal that a reboot is coming and how to stop it. The words are the
 * helper's own: what root writes on other people's terminals is not for its client to say.
 *
 * Asked for by whom the policy lets reboot, but neither counted nor recorded: announcing twice is no harm.
 */
import * as v from "valibot";
import type { Operation } from "../operation.ts";
import type { Changes } from "../policy/changes.ts";
import { attempt, hasSystemd, transientUnit } from "./systemd.ts";
import { commandId, commandSource } from "./words.ts";

const WALL_MS = 8_000;

export interface RebootAnnounceArgs {
  readonly id: string;
  /** Seconds from now. */
  readonly in_s: number;
  readonly source: string;
}

export interface Announced {
  /** False where there is no `wall`, or it failed: no reason not to go on. */
  readonly told: boolean;
}

/** @throws AgentError `policy_unusable`, `helper_refused` where the source may not reboot */
export function rebootAnnounceOperation(changes: Changes): Operation<RebootAnnounceArgs, Announced> {
  return {
    name: "reboot.announce",
    args: v.strictObject({
      id: commandId,
      in_s: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400)),
      source: commandSource,
    }),
    timeoutMs: 12_000,
    lanes: () => [{ name: "announce", limit: 1 }],
    policy: null,
    async perform({ id, in_s, source }, context) {
      changes.permit("reboot", source);
      const text = announcement(id, in_s, source);
      // From a unit of its own: in the helper's sandbox there are no terminals.
      const { said } = hasSystemd(context.files)
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
