/**
 * `foundry-agent adopt`: an operator says that this is still the same node, though its board changed, or what it knew
 * was lost. It says what follows from that, and asks first.
 */

import { printable } from "../../model/text/scrub.ts";
import { EXIT, printJson } from "../output.ts";
import { type Input, makeSure } from "../prompt.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { nextStepHere } from "../text/next-step.ts";
import type { SubCommand } from "../usage.ts";

/** By condition: what adopting means then, and what is said when it is done. */
// biome-ignore format: a table is read by its columns
const MEANINGS: readonly { readonly code: string; readonly will: string; readonly done: string }[] = [
  { code: "state_lost", will: "Commands from the network are carried out again, though this node does not know what it was asked before; nothing is done that it finds unfinished from then.", done: "Settled: this node goes on from what it knows now." },
  { code: "identity_cloned", will: "This hardware becomes the node that was set aside, with its token; unfinished commands stay set aside.", done: "Adopted: this hardware is this node from now on." },
  { code: "identity_unverified", will: "This hardware counts as this node from now on.", done: "Adopted: this hardware is this node from now on." },
];
const UNDO = {
  will: "This node becomes again what it was before the last adopt; its commands are set aside.",
  done: "Undone: this node is again what it was before it was adopted.",
};

/** @param input stdin; given in tests */
export function adoptCommandWith(input: () => Input): SubCommand {
  return {
    name: "adopt",
    summary: "say that this is still the same node after its hardware was changed or its state was lost",
    usage: "[--undo] [--yes] [--json] [--socket PATH]",
    options: {
      undo: { type: "boolean", help: "it was not: be again what this node was before the last adopt" },
      yes: { type: "boolean", short: "y", help: "do not ask" },
      ...CLIENT_OPTIONS,
    },
    examples: ["foundry-agent adopt  # the mainboard was replaced"],
    async run({ values }, io) {
      const client = await openClient(io, values, "control");
      const undo = values.undo === true;
      const { conditions } = await client.get("/v1/status");
      const found = MEANINGS.filter(({ code }) => conditions.some((one) => one.code === code));
      const meanings = undo ? [UNDO] : found;
      // With nothing to adopt there is nothing to ask about: the daemon says so.
      if (meanings.length > 0) {
        const question = `${meanings.map(({ will }) => will).join("\n")}\nGo on?`;
        await makeSure(question, `foundry-agent adopt${undo ? " --undo" : ""}`, {
          values,
          input: input(),
          io,
        });
      }
      const answer = await client.post("/v1/adopt", undo ? { query: { undo: "1" } } : {});
      if (values.json === true) printJson(io, answer);
      else {
        const done = [...new Set(meanings.map((one) => one.done))];
        io.stdout(
          `${printable(done.join(" "))}\nSee how it goes: ${nextStepHere("foundry-agent status", values.socket)}\n`,
        );
      }
      return EXIT.ok;
    },
  };
}

export const adoptCommand: SubCommand = adoptCommandWith(() => process.stdin);
