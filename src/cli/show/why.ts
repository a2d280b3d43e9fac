/** `foundry-agent why`: everything that is wrong in sentences, or what is known about one thing. */
import type { WhyWire } from "../../sockets/wire/schemas.ts";
import { commandSentence } from "../commands/text.ts";
import { EXIT, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { conditionLines, type Shown, shownFor } from "./conditions.ts";
import { sectionHeadline } from "./section-text.ts";

export const whyCommand: SubCommand = {
  name: "why",
  summary: "say what is wrong, since when, and what to do",
  usage: "[ID] [--json] [--socket PATH]",
  words: true,
  options: CLIENT_OPTIONS,
  examples: [
    "foundry-agent why",
    "foundry-agent why smart  # a section; the code of what is wrong or a command's id are taken too",
  ],
  async run({ values, positionals }, io) {
    const [id, ...more] = positionals;
    if (more.length > 0) throw usageError(`why takes one thing, found "${more[0]}" too`, "foundry-agent why");
    const client = await openClient(io, values);
    if (id === undefined) {
      const conditions = await client.get("/v1/why");
      if (values.json === true) {
        printJson(io, conditions);
        return EXIT.ok;
      }
      const shown = shownFor(io, values.socket);
      const { waiting_commands: waiting } = await client.get("/v1/status");
      const wrong = conditions.length === 0 ? "Nothing is wrong.\n" : conditionLines(conditions, shown);
      io.stdout([wrong, ...waiting.map((command) => commandSentence(command, shown))].join("\n"));
      return EXIT.ok;
    }
    const found = await client.get("/v1/why/{id}", { params: { id } });
    if (values.json === true) printJson(io, found);
    else io.stdout(whyText(found, shownFor(io, values.socket)));
    return EXIT.ok;
  },
};

/** Pure; ends with a line break. */
function whyText(found: WhyWire, shown: Shown): string {
  const { now } = shown;
  const parts: string[] = [];
  if (found.conditions.length > 0) parts.push(conditionLines(found.conditions, shown));
  if (found.section !== null) parts.push(`${sectionHeadline(found.section, now)}\n`);
  if (found.command !== null) parts.push(commandSentence(found.command, shown));
  return parts.join("\n");
}
