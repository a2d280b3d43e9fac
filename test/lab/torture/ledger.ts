/** What was asked and what arrived, kept beside a server that is made to forget, and what must hold of it in the end. */
import { type CommandState, isFinal } from "../../../src/model/command.ts";
import type { LabNode } from "../commands/node.ts";

export interface Ledger {
  asked(id: string, type: string): void;
  /** Take down what has arrived. */
  look(): void;
  /** Ids of commands whose result has not arrived. */
  open(): string[];
  /**
   * @param journal what the node itself has of its commands
   * @param rebooted ids of which the helper wrote down that it did their reboot
   * @param boots how often the host went down and came back
   * @returns a line for people, and a sentence for each thing that must not be
   */
  judge(
    journal: readonly { readonly id: string; readonly state: string }[],
    rebooted: readonly (string | undefined)[],
    boots: number,
  ): { results: string; problems: string[] };
}

export function openLedger(node: Pick<LabNode, "arrived">): Ledger {
  const types = new Map<string, string>();
  /** Command → its final states as told, one each event. */
  const finals = new Map<string, Map<string, string>>();

  const statesOf = (id: string) => new Set(finals.get(id)?.values());

  return {
    asked: (id, type) => void types.set(id, type),
    look() {
      for (const event of node.arrived()) {
        if (event.type !== "command.state") continue;
        const { command_id: id, state } = event.data as { command_id: string; state: CommandState };
        if (!isFinal(state)) continue;
        const known = finals.get(id) ?? new Map<string, string>();
        finals.set(id, known.set(event.id, state));
      }
    },
    open: () => [...types.keys()].filter((id) => !finals.has(id)),
    judge(journal, rebooted, boots) {
      const problems: string[] = [];
      const ids = [...types.keys()];
      for (const id of new Set([...ids, ...finals.keys()])) {
        const states = [...statesOf(id)];
        if (states.length > 1) problems.push(`${types.get(id)} ${id} ended as ${states.join(" and ")}`);
      }
      for (const { id, state } of journal)
        if (!statesOf(id).has(state)) problems.push(`${id} is ${state} here, and nobody was told`);
      if (new Set(rebooted).size !== rebooted.length)
        problems.push(`a reboot was written down twice: ${rebooted.join(", ")}`);
      if (rebooted.length !== boots)
        problems.push(`${boots} boots, and ${rebooted.length} reboots written down: ${rebooted.join(", ")}`);
      for (const id of ids) {
        const did = rebooted.includes(id);
        const [state] = statesOf(id);
        if (types.get(id) === "reboot" && did && state !== undefined && state !== "succeeded")
          problems.push(`${id} rebooted this host, and it ${state}`);
        if (!did && types.get(id) === "reboot" && state === "succeeded")
          problems.push(`${id} did not reboot this host, and it succeeded`);
        if (types.get(id) === "wipe" && state !== undefined && state !== "refused")
          problems.push(`${id}, which is not allowed, ${state}`);
      }
      const counts = new Map<string, number>();
      for (const id of ids) {
        const key = `${types.get(id)} ${[...statesOf(id)][0] ?? "forgotten by a restored server"}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      const results = [...counts].sort().map(([what, count]) => `${count} ${what}`);
      return { results: results.join(", "), problems };
    },
  };
}
