/**
 * `remote = "rehearse"`: a command from the network goes through every gate, and the answer says what would be done. All
 * of it in the conditional: what a gate says of a command that waits would be wrong of one that is over.
 */
import * as v from "valibot";
import { ended } from "../../model/text/sentence.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import type { AnyCommandType } from "../command-type.ts";
import type { GateVerdict } from "../gates/gate.ts";
import { decide, isRehearsal } from "../gates/gates.ts";
import { conditional, listed } from "../gates/text.ts";
import type { Input } from "../machine.ts";
import type { CommandRecord } from "../record.ts";
import type { PolicyLook } from "./ports.ts";

/** @returns null when it is none, or a gate refuses it anyway: then that is the answer */
export function rehearsal(
  { asked }: CommandRecord,
  type: AnyCommandType,
  { policy, file: policyFile }: PolicyLook,
  verdicts: readonly GateVerdict[],
): Extract<Input, { kind: "rehearsed" }> | null {
  const subject = { type: asked.type, source: asked.source, mode: asked.mode, needs: type.needs };
  if (policy === null || !isRehearsal(subject, policy) || decide(verdicts).verdict === "refuse") return null;
  const waits = verdicts
    .filter(({ verdict }) => verdict === "wait")
    .flatMap(({ would: what }) => (what == null ? [] : [`for ${what}`]));
  const would = type.says(v.parse(type.params, asked.params));
  const then = waits.length === 0 ? `${would} at once` : `wait ${listed(waits)}, then ${would}`;
  return {
    kind: "rehearsed",
    why: {
      code: "rehearsed",
      text: ended(`Nothing was done, this host only rehearses. It would ${then}`),
      nextStep: `write remote = "on" below [commands] in ${shellWord(policyFile)}`,
    },
    result: {
      rehearsed: true,
      would,
      gates: verdicts.map(({ gate, verdict, why, would: what }) => ({
        gate,
        verdict,
        ...(why !== null && { code: why.code, text: conditional({ verdict, why, would: what ?? null }) }),
      })),
    },
  };
}
