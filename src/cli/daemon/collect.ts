/** `foundry-agent collect NAME`: run one collector now and show what it found, in its own table where it has one. */
import { drivesView } from "../drives/table.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { genericText } from "../show/generic-view.ts";
import { networkText } from "../show/network.ts";
import { sectionHeadline } from "../show/section-text.ts";
import { CLIENT_OPTIONS, type Client, openClient } from "../socket/client.ts";
import { whole } from "../text/fold.ts";
import { listing } from "../text/listing.ts";
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
    const failed = found.state !== "ok" && found.state !== "absent";
    if (values.json === true) printJson(io, found);
    else if (name in VIEWS && found.data !== null && !failed)
      io.stdout(await (VIEWS[name] as View)(client, io, values.socket));
    else {
      io.stdout(`${sectionHeadline(found, io.now())}\n`);
      const width = terminalWidth(io);
      const rows = found.table?.rows.filter(saysSomething) ?? [];
      if (found.table !== null && rows.length > 0)
        io.stdout(`\n${tableText(found.table.columns, rows, width)}`);
      else if (found.data !== null) io.stdout(`\n${genericText(found.data, { now: io.now() })}`);
    }
    return failed ? EXIT.failed : EXIT.ok;
  },
};

type View = (client: Client, io: Io, socket: unknown) => Promise<string>;

/** Sections with a sub-command of their own are shown as that shows them: one table for one thing. */
const VIEWS: Readonly<Record<string, View>> = {
  async drives(client, io, socket) {
    return whole(drivesView(await client.get("/v1/drives"), io, null, socket));
  },
  async network(client, io, socket) {
    const { data } = await client.get("/v1/report/network");
    return data === null ? "" : networkText(data, io, socket);
  },
};

/** Labels with what they say, which may be a sentence, are broken and not cut. */
function tableText(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
  width: number | undefined,
): string {
  if (columns.length !== 2) return table(columns, rows, width === undefined ? {} : { width });
  const told = rows.map(([label = null, text]) => ({ cells: [label], text: text ?? "" }));
  return listing(columns, told, { color: false, width });
}

/** A label with nothing behind it is no row. */
function saysSomething(row: readonly (string | null)[]): boolean {
  return row.length === 1 || row.slice(1).some((cell) => cell !== null && cell !== "");
}
