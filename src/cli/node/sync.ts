/** `foundry-agent sync`: one round with the control APIs now, and what came of it. */
import { printable } from "../../model/text/scrub.ts";
import { ended } from "../../model/text/sentence.ts";
import type { SyncWire } from "../../sockets/wire/schemas.ts";
import { EXIT, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { paint } from "../text/format.ts";
import { nextLine } from "../text/next-step.ts";
import { type SubCommand, usageError } from "../usage.ts";

/** Where the daemon knows no next step, each step of the way is looked at. */
function here({ name, ok, text, next_step }: SyncWire[number], socket: unknown): string {
  const next = next_step ?? (ok ? null : `foundry-agent check ${name}`);
  return next === null ? text : `${ended(text)} ${nextLine(next, socket)}`;
}

export const syncCommand: SubCommand = {
  name: "sync",
  summary: "report to the control APIs now",
  usage: "[API] [--json] [--socket PATH]",
  words: true,
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent sync", "foundry-agent sync --json"],
  async run({ values, positionals }, io) {
    const [api, ...more] = positionals;
    if (more.length > 0)
      throw usageError(`sync takes one control API, found "${more[0]}" too`, "foundry-agent sync");
    const client = await openClient(io, values, "control");
    const outcomes = await client.post("/v1/sync", { query: { api } });
    if (values.json === true) printJson(io, outcomes);
    else if (outcomes.length === 0)
      io.stdout("No control API is configured, so there is nobody to report to.\n");
    for (const one of values.json === true ? [] : outcomes) {
      const word = one.ok ? paint("done", "green", io.color) : paint("failed", "red", io.color);
      const said = printable(here(one, values.socket));
      io.stdout(`${printable(one.name)}: ${word}${one.ok ? ", " : ". "}${said}\n`);
    }
    return outcomes.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
  },
};
