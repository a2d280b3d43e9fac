/** `foundry-agent reset --identity`: become a new node. Asks first. */

import { EXIT, printJson } from "../output.ts";
import { type Input, makeSure } from "../prompt.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { nextStepHere } from "../text/next-step.ts";
import { type SubCommand, usageError } from "../usage.ts";

const AGAIN = "foundry-agent reset --identity";

/** @param input stdin; given in tests */
export function resetCommandWith(input: () => Input): SubCommand {
  return {
    name: "reset",
    summary: "make this a new node with a new identity",
    usage: "--identity [--yes] [--json] [--socket PATH]",
    options: {
      identity: { type: "boolean", help: "what is reset: the node's identity; the only thing there is" },
      yes: { type: "boolean", short: "y", help: "do not ask" },
      ...CLIENT_OPTIONS,
    },
    examples: [`${AGAIN}  # this system was copied from another node`],
    async run({ values }, io) {
      if (values.identity !== true) throw usageError("what is to be reset? only the identity can be", AGAIN);
      const client = await openClient(io, values, "control");
      const question =
        "This node forgets who it is: its tokens are deleted, its unfinished commands set aside, and it has to be enrolled anew. Go on?";
      await makeSure(question, AGAIN, { values, input: input(), io });
      const answer = await client.post("/v1/reset-identity");
      if (values.json === true) printJson(io, answer);
      else
        io.stdout(
          `This is a new node now. Register it: ${nextStepHere("foundry-agent enroll", values.socket)}\n`,
        );
      return EXIT.ok;
    },
  };
}

export const resetCommand: SubCommand = resetCommandWith(() => process.stdin);
