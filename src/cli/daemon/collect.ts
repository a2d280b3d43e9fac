/** `foundry-agent collect NAME`: run one collector now and show what it found, in its own table where it has one. */
import { EXIT, printJson } from "../output.ts";
import { genericText } from "../show/generic-view.ts";
import { sectionHeadline } from "../show/section-text.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { table } from "../text/table.ts";
import { terminalWidth } from "../text/watch.ts";
import { type SubCommand, usageError } from "../usage.ts";

export const collectCommand: SubCommand = {
  name: "collect",
  summary: "collect one section now and show it",
  usage: "NAME [--json] [--socket PATH]",
  words: true,
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent collect drives", "foundry-agent collect system --json"],
  async run({ values, positionals }, io) {
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0)
      throw usageError("collect needs the name of one section", "foundry-agent report  # lists them");
    const client = await openClient(io, values, "control");
    const found = await client.post("/v1/collect", { query: { name } });
    if (values.json === true) printJson(io, found);
    else {
      io.stdout(`${sectionHeadline(found, io.now())}\n`);
      const width = terminalWidth(io);
      if (found.table !== null && found.table.rows.length > 0)
        io.stdout(`\n${table(found.table.columns, found.table.rows, width === undefined ? {} : { width })}`);
      else if (found.data !== null) io.stdout(`\n${genericText(found.data, { now: io.now() })}`);
    }
    return found.state === "ok" || found.state === "absent" ? EXIT.ok : EXIT.failed;
  },
};
