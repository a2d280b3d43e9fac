/** `remote = "rehearse"`: a command from the network goes through every gate, and the answer says what would be done. */
import * as v from "valibot";
import type { Policy } from "../../helper/policy/policy.ts";
import { ended } from "../../model/text/sentence.ts";
import type { AnyCommandType } from "../command-type.ts";
import type { GateVerdict } from "../gates/gate.ts";
import { decide, isRehearsal } from "../gates/gates.ts";
import type { Input } from "../machine.ts";
import type { CommandRecord } from "../record.ts";

/** @returns null when it is none, or a gate refuses it anyway: then that is the answer */
export function rehearsal(
  { asked }: CommandRecord,
  type: AnyCommandType,
  policy: Policy | null,
  verdicts: readonly GateVerdict[],
): Extract<Input, { kind: "rehearsed" }> | null {
  const subject = { type: asked.type, source: asked.source, mode: asked.mode, needs: type.needs };
  if (policy === null || !isRehearsal(subject, policy) || decide(verdicts).verdict === "refuse") return null;
  const waits = verdicts
    .filter(({ verdict }) => verdict === "wait")
    .flatMap(({ why }) => (why === null ? [] : [why.text]));
  const would = type.says(v.parse(type.params, asked.params));
  return {
    kind: "rehearsed",
    why: {
      code: "rehearsed",
      text: ended(
        `Rehearsed, nothing was done: it would ${would}${waits.length === 0 ? " now" : `, after waiting: ${waits.join(" ")}`}`,
      ),
      nextStep: 'write remote = "on" below [commands] in /etc/foundry-agent/policy.toml',
    },
    result: {
      rehearsed: true,
      would,
      gates: verdicts.map(({ gate, verdict, why }) => ({
        gate,
        verdict,
        ...(why !== null && { code: why.code, text: why.text }),
      })),
    },
  };
}
