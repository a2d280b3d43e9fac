/** `foundry-agent events`: what happened, oldest first, one line an event; `--follow` goes on. */

import { clause } from "../../model/text/sentence.ts";
import { nextUlid } from "../../model/ulid.ts";
import type { EventWire } from "../../sockets/wire/schemas.ts";
import { isTime, nameText, valueText } from "../commands/values.ts";
import { EXIT, type Io } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { driveSize, severityWord } from "../text/format.ts";
import { listing, listingRow } from "../text/listing.ts";
import { calledHere } from "../text/program-name.ts";
import { TIME_TITLE, timeCell } from "../text/time.ts";
import { terminalWidth } from "../text/watch.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { at } from "./conditions.ts";
import { fieldText } from "./generic-view.ts";

const DEFAULT_SINCE = "24h";
const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export const eventsCommand: SubCommand = {
  name: "events",
  summary: "show what happened on this node",
  usage: "[--since ID|TIME|all] [--follow] [--json] [--socket PATH]",
  options: {
    since: {
      type: "string",
      value: "ID|TIME",
      help: `after this event, or of the last 30min, 12h, 7d (${DEFAULT_SINCE} without it), or all`,
    },
    follow: { type: "boolean", short: "f", help: "go on with what comes, until Ctrl-C" },
    ...CLIENT_OPTIONS,
    json: { type: "boolean", help: "one JSON object a line" },
  },
  examples: [
    "foundry-agent events --since 7d",
    "foundry-agent events --follow",
    "foundry-agent events --since all --json",
  ],
  async run({ values }, io) {
    const asked = typeof values.since === "string" ? values.since : DEFAULT_SINCE;
    const query = { since: sinceId(asked, io.now()), follow: values.follow === true ? "1" : undefined };
    const client = await openClient(io, values);
    let count = 0;
    await client.lines("/v1/events", { query }, (line, event) => {
      count++;
      if (values.json === true) return io.stdout(`${line}\n`);
      if (count === 1) io.stdout(headLine(io));
      io.stdout(eventLine(event, io));
    });
    if (count === 0 && !io.signal.aborted && values.json !== true) {
      const older =
        values.since === undefined
          ? ` in the last 24 hours. All that are kept: ${calledHere("foundry-agent events --since all")}`
          : " since then.";
      io.stderr(`Nothing happened${older}\n`);
    }
    return EXIT.ok;
  },
};

/** What is needed of Io to show it. */
type Shower = Pick<Io, "color" | "now" | "isTty" | "env">;

/** What the socket takes for `since`: an event's id as it is, a time as the lowest id of that moment. */
function sinceId(asked: string, now: number): string | undefined {
  if (asked === "all") return undefined;
  if (/^[0-9A-HJKMNP-TV-Z]{26}$/i.test(asked)) return asked.toUpperCase();
  const [, count, unit] = /^(\d{1,6})\s*(s|min|m|h|d)$/.exec(asked) ?? [];
  const ms = unit === undefined ? undefined : UNITS[unit];
  if (count === undefined || ms === undefined)
    throw usageError(
      `"${asked}" is no event id and no time such as 30min, 12h or 7d`,
      "foundry-agent events --since 7d",
    );
  return nextUlid("", now - Number(count) * ms, new Uint8Array(10));
}

/** Widths of the columns before the sentence: a stream can't know its longest. */
const WIDTHS = [19, 7, 18];
const TITLES = [TIME_TITLE, "kind", "event", "what"];

/** The titles; before the first event. */
function headLine(io: Shower): string {
  return listing(TITLES, [], { color: io.color, width: terminalWidth(io), widths: WIDTHS });
}

/** Pure; ends with a line break. */
export function eventLine(event: EventWire, io: Shower): string {
  // What ended is no warning any more, whatever it was.
  const kind =
    event.type === "condition.cleared"
      ? ({ text: "over", color: "green" } as const)
      : severityWord(event.severity);
  const cells = [timeCell(at(event.at)), kind, event.type];
  const row = { cells, text: sentenceOf(event.data, io.now()) };
  return listingRow(row, { color: io.color, width: terminalWidth(io), widths: WIDTHS });
}

/** Its own words where it has some, else its plain fields. */
function sentenceOf(data: EventWire["data"], now: number): string {
  if (typeof data.text === "string") return data.text;
  const { command_id: command, type, state, message } = data;
  if (typeof command === "string" && typeof state === "string") {
    const what = typeof type === "string" ? `${type} ${command}` : command;
    // "accepted: Accepted." says it twice.
    const more = typeof message === "string" && clause(message).toLowerCase() !== state ? `: ${message}` : "";
    return `${what} ${state}${more}`;
  }
  return Object.entries(data)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) =>
      typeof value === "object" || isTime(value)
        ? `${nameText(name)} ${valueText(value)}`
        : fieldText(name, value, { now, size: driveSize }),
    )
    .join(", ");
}
