/** `foundry-agent report`: what was collected last, whole or one section, and the very bytes an API would get. */
import type { ReportWire } from "../../sockets/wire/schemas.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { type Color, duration, relativeTime } from "../text/format.ts";
import { type ListingRow, listing } from "../text/listing.ts";
import { nextStepHere } from "../text/next-step.ts";
import { terminalWidth } from "../text/watch.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { at } from "./conditions.ts";
import { genericText } from "./generic-view.ts";
import { sectionHeadline } from "./section-text.ts";

const TITLES = ["section", "state", "collected", "took", "why"];
const COLORS: Readonly<Record<string, Color>> = { failed: "red", stale: "yellow" };

export const reportCommand: SubCommand = {
  name: "report",
  summary: "show what was collected last, or what a control API would be sent",
  usage: "[SECTION] [--all] [--as API] [--raw] [--json] [--socket PATH]",
  words: true,
  options: {
    as: { type: "string", value: "API", help: "the very bytes this control API would be sent" },
    raw: { type: "boolean", help: "with the devices' own answers" },
    all: { type: "boolean", help: "of one section, every field of every list, empty ones too" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    "foundry-agent report",
    "foundry-agent report drives --json",
    "foundry-agent report network --all",
    "foundry-agent report system --raw",
  ],
  async run({ values, positionals }, io) {
    const [name, ...more] = positionals;
    if (more.length > 0)
      throw usageError(`report takes one section, found "${more[0]}" too`, "foundry-agent report");
    if (typeof values.as === "string") {
      if (name !== undefined)
        throw usageError("--as shows the whole report, so no section can be named with it");
      const client = await openClient(io, values, "control");
      const bytes = await client.text("/v1/preview/{api}", { params: { api: values.as } });
      // Into a pipe not one byte more; on a terminal the prompt must not stand behind it.
      io.stdout(io.isTty ? `${bytes}\n` : bytes);
      return EXIT.ok;
    }
    const raw = values.raw === true ? "1" : undefined;
    const client = await openClient(io, values, raw === undefined ? "any" : "control");
    if (name === undefined) {
      const report = await client.get("/v1/report", { query: { raw } });
      if (values.json === true) printJson(io, report);
      else io.stdout(overview(report, io, values.socket));
      return EXIT.ok;
    }
    const section = await client.get("/v1/report/{section}", { params: { section: name }, query: { raw } });
    if (values.json === true) printJson(io, section);
    else {
      io.stdout(`${sectionHeadline(section, io.now())}\n`);
      if (section.data !== null)
        io.stdout(`\n${genericText(section.data, { now: io.now(), all: values.all === true })}`);
    }
    return EXIT.ok;
  },
};

function overview(report: ReportWire, io: Io, socket: unknown): string {
  const sections = Object.values(report.sections).filter((section) => section !== undefined);
  if (sections.length === 0) return "Nothing was collected yet. Look again in a few seconds.\n";
  const now = io.now();
  const rows = sections.map((section): ListingRow => {
    const color = COLORS[section.state];
    const state = color === undefined ? section.state : { text: section.state, color };
    const collected = relativeTime(at(section.collected_at), now);
    const took = duration(section.duration_ms);
    return { cells: [section.name, state, collected, took], text: section.reason?.text ?? "" };
  });
  const one = nextStepHere(`foundry-agent report ${sections[0]?.name ?? "SECTION"}`, socket);
  const shown = listing(TITLES, rows, { color: io.color, width: terminalWidth(io) });
  return `${shown}\nOne of them whole: ${one}\n`;
}
