/** `foundry-agent leave`: forget a control API's token and node id. Asks first. */

import { controlApi } from "../../control/index.ts";
import { printable } from "../../model/text/scrub.ts";
import { EXIT, printJson } from "../output.ts";
import { type Input, makeSure } from "../prompt.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { nextStepHere } from "../text/next-step.ts";
import { type SubCommand, usageError } from "../usage.ts";

/** @param input stdin; given in tests */
export function leaveCommandWith(input: () => Input): SubCommand {
  return {
    name: "leave",
    summary: "take this node out of a control API",
    usage: "[API] [--yes] [--json] [--socket PATH]",
    words: true,
    options: { yes: { type: "boolean", short: "y", help: "do not ask" }, ...CLIENT_OPTIONS },
    examples: ["foundry-agent leave", "foundry-agent leave --yes"],
    async run({ values, positionals }, io) {
      const [api, ...more] = positionals;
      if (more.length > 0)
        throw usageError(`leave takes one control API, found "${more[0]}" too`, "foundry-agent leave --help");
      const whom = api === undefined ? "all control APIs" : printable(api);
      const client = await openClient(io, values, "control");
      const { control_apis: apis } = await client.get("/v1/status");
      if (api === undefined && apis.length === 0 && values.json !== true) {
        io.stdout("No control API is configured, so there is none to leave.\n");
        return EXIT.ok;
      }
      const does = whatLeavingDoes(api === undefined ? apis.map(({ name }) => name) : [api]);
      const question = `This node ${does} at ${whom} and reports there no longer until it is enrolled again. What it was asked from there and has not done is cancelled. Go on?`;
      await makeSure(question, `foundry-agent leave${api === undefined ? "" : ` ${api}`}`, {
        values,
        input: input(),
        io,
      });
      const answer = await client.post("/v1/leave", { query: { api } });
      if (values.json === true) printJson(io, answer);
      else
        io.stdout(
          `Left ${whom}. To come back: ${nextStepHere(api === undefined ? "foundry-agent enroll" : `foundry-agent enroll ${api}`, values.socket)}\n`,
        );
      return EXIT.ok;
    },
  };
}

export const leaveCommand: SubCommand = leaveCommandWith(() => process.stdin);

/** Of those left together: what it does at each, once. */
function whatLeavingDoes(names: readonly string[]): string {
  return [...new Set(names.map((name) => controlApi(name)?.leave ?? "forgets what it knows"))].join(" or ");
}
