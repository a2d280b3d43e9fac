/** `foundry-agent sync`: one round with the control APIs now, and what came of it. */
import { printable } from "../model/scrub.ts";
import { CLIENT_OPTIONS, openClient } from "./client.ts";
import { paint } from "./format.ts";
import { nextStepHere } from "./next-step.ts";
import { EXIT, printJson } from "./output.ts";
import { type SubCommand, usageError } from "./usage.ts";

/** The daemon's sentence ends in the next step. */
function here(text: string, socket: unknown): string {
  const [, said = text, next] = /^(.*?) Next: (.*)$/s.exec(text) ?? [];
  return next === undefined ? said : `${said} Next: ${nextStepHere(next, socket)}`;
}

export const syncCommand: SubCommand = {
  name: "sync",
  summary: "report to the control APIs now",
  usage: "[API] [--json] [--socket PATH]",
  words: true,
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent sync", "foundry-agent sync nodefoundry"],
  async run({ values, positionals }, io) {
    const [api, ...more] = positionals;
    if (more.length > 0)
      throw usageError(`sync takes one control API, found "${more[0]}" too`, "foundry-agent sync");
    const client = await openClient(io, values, "control");
    const outcomes = (await client.post("/v1/sync", { query: { api } })) as {
      name: string;
      ok: boolean;
      text: string;
    }[];
    if (values.json === true) printJson(io, outcomes);
    else if (outcomes.length === 0)
      io.stdout("No control API is configured, so there is nobody to report to.\n");
    for (const { name, ok, text } of values.json === true ? [] : outcomes)
      io.stdout(
        `${printable(name)}: ${paint(ok ? "done" : "failed", ok ? "green" : "red", io.color)}${ok ? ", " : ". "}${printable(here(text, values.socket))}\n`,
      );
    return outcomes.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
  },
};
