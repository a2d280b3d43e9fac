/**
 * The whole story of one command for `commands ID`: a head, then sections with a blank line between, each of them a
 * function of the command that has something to say or has not. Nothing is said twice: a sentence that the history ends
 * with has no second line below it.
 */

import { isFinal } from "../../model/command.ts";
import { printable } from "../../model/text/scrub.ts";
import type { CommandWire } from "../../sockets/wire/command-schemas.ts";
import { at, type Shown } from "../show/conditions.ts";
import { duration, paint } from "../text/format.ts";
import { listing } from "../text/listing.ts";
import { nextLine } from "../text/next-step.ts";
import { TIME_TITLE, timeCell, timeText } from "../text/time.ts";
import { wrapText } from "../text/wrap.ts";
import { gateTable, rehearsedGates } from "./gates.ts";
import { lookedAt } from "./looked-at.ts";
import { stateColor } from "./text.ts";
import { nameText, rowsText, valueText } from "./values.ts";

/** Lines of one section, ending in a line break; null: there is none. */
type Section = (command: CommandWire, shown: Shown) => string | null;

/** What has a section of its own. */
const ELSEWHERE = new Set([
  "boot_id",
  "from_boot_id",
  "cause",
  "gates",
  "would",
  "rehearsed",
  "way",
  "regressed",
  "regressed_more",
  "not_seen",
]);

const SECTIONS: readonly Section[] = [history, gates, boots, lookedAt, result, standing];

/** Ends with a line break. */
export function commandStory(command: CommandWire, shown: Shown): string {
  const parts = [head(command, shown), ...SECTIONS.map((section) => section(command, shown))];
  return parts.filter((part) => part !== null).join("\n");
}

function head(command: CommandWire, { color, width }: Shown): string {
  const { id, type, source, state, error, mode, by, reason, params = null } = command;
  const code = error === null || error.code === state ? "" : ` (${error.code})`;
  const test = mode === "test" ? ", a test: no hardware is touched" : "";
  const who = by == null ? source : `${by.name}${by.uid < 0 ? "" : ` (uid ${by.uid})`} on this host`;
  const why = reason == null ? "" : `: ${reason}`;
  const signed = command.signed === true ? ", signed" : "";
  const given = Object.entries(params ?? {}).map(([name, value]) => `${nameText(name)} ${valueText(value)}`);
  const lines = [
    `Asked by ${who} at ${timeText(at(command.received_at))}${signed}${why}`,
    command.expires_at != null && !isFinal(state) ? `Good until ${timeText(at(command.expires_at))}` : null,
    given.length > 0 ? `With ${given.join(", ")}` : null,
    command.history === undefined
      ? `Its history is shown to administrators: sudo foundry-agent commands ${id}`
      : null,
  ];
  const plain = wrapText(`${printable(`${type} ${id}`)}: ${state}${printable(code)}${test}`, width, 0);
  // Painted when it is broken: colours take no columns.
  const first = plain
    .replace(printable(type), () => paint(printable(type), "bold", color))
    .replace(/(?<=:[ \n])\S+?(?=,|\s|$)/, (word) => paint(word, stateColor(state), color));
  return [first, ...lines.flatMap((line) => (line === null ? [] : [wrapText(printable(line), width, 0)]))]
    .map((line) => `${line}\n`)
    .join("");
}

/** One row an entry: when, which state, how long it stayed so, in which words. */
function history({ history: entries = [], state }: CommandWire, shown: Shown): string | null {
  if (entries.length === 0) return null;
  const rows = entries.map((entry, index) => {
    const [start, end] = [at(entry.at), at(entries[index + 1]?.at)];
    const last = index === entries.length - 1;
    const until = end ?? (last && !isFinal(state) ? shown.now : null);
    const long = start === null || until === null || until < start ? "" : duration(until - start);
    return {
      cells: [timeCell(start), { text: entry.state, color: stateColor(entry.state) }, long],
      text: entry.text,
    };
  });
  return listing([TIME_TITLE, "state", "for", "what"], rows, shown);
}

function gates({ result: found = {} }: CommandWire, shown: Shown): string | null {
  const all = rehearsedGates(found);
  return all === null ? null : gateTable(all, shown);
}

function boots({ result: found = {}, reboot }: CommandWire, { width }: Shown): string | null {
  const { from_boot_id: from = reboot?.from_boot_id, boot_id: to, cause, way: how } = found;
  if (typeof from !== "string") return null;
  const way =
    from === to
      ? `On boot ${from}, before and after`
      : typeof to === "string"
        ? `From boot ${from} to boot ${to}${how === "kexec" ? ", by kexec" : ""}`
        : `Asked on boot ${from}`;
  const doubt =
    cause === "unverified"
      ? "That this command caused it is not verified: the host may have gone down by itself at that moment."
      : null;
  return [way, doubt]
    .flatMap((line) => (line === null ? [] : [`${wrapText(printable(line), width, 0)}\n`]))
    .join("");
}

function result({ result: found = {} }: CommandWire, shown: Shown): string | null {
  const rows = Object.entries(found).filter(([name]) => !ELSEWHERE.has(name));
  if (rows.length === 0) return null;
  return `Result\n${rowsText(rows, shown)}`;
}

/** Why it waits, or why it ended so, where the history does not say it already; and what to type. */
function standing(command: CommandWire, { width, socket }: Shown): string | null {
  const { waiting, error, rehearsal, history: entries = [] } = command;
  const text = waiting?.text ?? error?.message ?? rehearsal?.text ?? null;
  const next = waiting?.next_step ?? error?.next_step ?? rehearsal?.next_step ?? null;
  const told = entries.at(-1)?.text === text;
  const word = waiting === null ? "" : "Waits: ";
  const lines = [
    text === null || told ? null : wrapText(printable(`${word}${text}`), width, 0),
    next === null ? null : printable(nextLine(next, socket)),
  ].filter((line) => line !== null);
  return lines.length === 0 ? null : `${lines.join("\n")}\n`;
}
