/** `foundry-agent adopt`: an operator says that this is still the same node, though its board changed. */

import { EXIT, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import type { SubCommand } from "../usage.ts";

export const adoptCommand: SubCommand = {
  name: "adopt",
  summary: "say that this is still the same node after its hardware was changed",
  usage: "[--undo] [--json] [--socket PATH]",
  options: {
    undo: { type: "boolean", help: "it was not: be again what this node was before the last adopt" },
    ...CLIENT_OPTIONS,
  },
  examples: ["foundry-agent adopt  # the mainboard was replaced"],
  async run({ values }, io) {
    const client = await openClient(io, values, "control");
    const undo = values.undo === true;
    const answer = await client.post("/v1/adopt", undo ? { query: { undo: "1" } } : {});
    if (values.json === true) printJson(io, answer);
    else
      io.stdout(
        `${undo ? "Undone: this node is again what it was before it was adopted." : "Adopted: this hardware is this node from now on."}\nSee how it goes: foundry-agent status\n`,
      );
    return EXIT.ok;
  },
};
