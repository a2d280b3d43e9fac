/** A command in words: one sentence for `status` and `why`, its whole story for `commands ID`, its gates for a dry run. */

import { type CommandState, isFinal } from "../../model/command.ts";
import { printable } from "../../model/text/scrub.ts";
import type { CommandWire, DryRunWire, HistoryWire } from "../../sockets/wire/command-schemas.ts";
import { at, type Shown } from "../show/conditions.ts";
import { localTime } from "../show/events.ts";
import { type Color, duration, paint, relativeTime } from "../text/format.ts";
import { nextStepHere } from "../text/next-step.ts";
import { table } from "../text/table.ts";
import { wrapText } from "../text/wrap.ts";
import { checkedLines } from "./checked.ts";

/** What stands elsewhere in the story. */
const TOLD = new Set(["boot_id", "from_boot_id", "cause", "way", "regressed", "regressed_more", "not_seen"]);

/** What a sentence says of a command in this state. */
const STATE_WORDS: Readonly<Record<CommandState, string>> = {
  received: "was received",
  accepted: "is accepted",
  waiting: "waits",
  running: "is being carried out",
  rebooting: "is rebooting this host",
  verifying: "is being verified",
  succeeded: "has succeeded",
  failed: "has failed",
  cancelled: "was cancelled",
  refused: "was refused",
  expired: "has expired",
};

export function stateColor(state: CommandState): Color {
  if (state === "succeeded") return "green";
  if (state === "failed" || state === "refused" || state === "expired") return "red";
  return state === "cancelled" ? "dim" : "yellow";
}

/** "reboot from local (ID) waits, since 3 min ago: Packages are being installed." and what to type; ends with a line break. */
export function commandSentence(command: CommandWire, shown: Shown): string {
  const { id, type, source, state, step, waiting, error, since } = command;
  const ago = relativeTime(at(since ?? command.received_at), shown.now, isFinal(state) ? "now" : "");
  const long = ago === "" ? "" : `, ${isFinal(state) ? "" : "since "}${ago}`;
  const why = waiting?.text ?? (error === null ? null : errorWords(command, error));
  const how = step === null || step === type ? "" : ` (${step})`;
  const next =
    waiting?.next_step ?? error?.next_step ?? (why === null ? `foundry-agent commands ${id}` : null);
  const sentence = `${type} from ${source} (${id}) ${STATE_WORDS[state]}${how}${long}${why === null ? "." : `: ${why}`}`;
  const line = wrapText(printable(sentence), shown.width, 0);
  return `${line}\n${next === null ? "" : `Next: ${printable(nextStepHere(next, shown.socket))}\n`}`;
}

/** The whole story of one command; ends with a line break. */
export function commandStory(command: CommandWire, shown: Shown): string {
  const { id, type, source, state, error, waiting, mode, by, reason, params = null, history } = command;
  const test = mode === "test" ? ", a test: no hardware is touched" : "";
  const lines = [
    `${paint(type, "bold", shown.color)} ${printable(id)}: ${paint(state, stateColor(state), shown.color)}${test}`,
  ];
  const who = by == null ? source : `${by.name}${by.uid < 0 ? "" : ` (uid ${by.uid})`} on this host`;
  const why = reason == null ? "" : `: ${reason}`;
  lines.push(
    printable(
      `Asked by ${who} at ${localTime(at(command.received_at))}${command.signed ? ", signed" : ""}${why}`,
    ),
  );
  if (command.expires_at != null && !isFinal(state))
    lines.push(`Good until ${localTime(at(command.expires_at))}`);
  if (params !== null && Object.keys(params).length > 0)
    lines.push(
      `With ${printable(
        Object.entries(params)
          .map(([name, value]) => `${name}=${plain(value)}`)
          .join(", "),
      )}`,
    );
  if (history !== undefined && history.length > 0)
    lines.push("", historyText(history, state, shown).trimEnd());
  lines.push(...outcome(command), ...checkedLines(command, shown));
  if (history === undefined)
    lines.push(`Its history is shown to administrators: sudo foundry-agent commands ${printable(id)}`);
  const next = error?.next_step ?? waiting?.next_step ?? null;
  if (waiting !== null) lines.push("", `Waits: ${wrapText(printable(waiting.text), shown.width, 7)}`);
  if (error !== null)
    lines.push("", `${state === "cancelled" ? "" : "Because: "}${printable(errorWords(command, error))}`);
  if (next !== null) lines.push(`Next: ${printable(nextStepHere(next, shown.socket))}`);
  return `${lines.join("\n")}\n`;
}

function errorWords({ state }: CommandWire, { message, code }: NonNullable<CommandWire["error"]>): string {
  return state === code ? message : `${message} (${code})`;
}

/** One line an entry: when, which state, how long it stayed so, in which words. */
function historyText(history: readonly HistoryWire[], state: CommandState, shown: Shown): string {
  const rows = history.map((entry, index) => {
    const [start, end] = [at(entry.at), at(history[index + 1]?.at)];
    const last = index === history.length - 1;
    const until = end ?? (last && !isFinal(state) ? shown.now : null);
    const long = start === null || until === null || until < start ? "" : duration(until - start);
    return [localTime(start), { text: entry.state, color: stateColor(entry.state) }, long, entry.text];
  });
  return table(["time", "state", { title: "for", align: "right" }, { title: "what", shrink: true }], rows, {
    color: shown.color,
  });
}

function outcome({ result = {}, reboot }: CommandWire): string[] {
  const { from_boot_id: from = reboot?.from_boot_id, boot_id: to, cause, way } = result;
  const lines: string[] = [];
  if (typeof from === "string" && from === to) lines.push(`On boot ${from}, before and after`);
  else if (typeof from === "string")
    lines.push(
      typeof to === "string"
        ? `From boot ${from} to boot ${to}${way === "kexec" ? ", by kexec" : ""}`
        : `Asked on boot ${from}`,
    );
  if (cause === "unverified")
    lines.push(
      "That this command caused it is not verified: the host may have gone down by itself at that moment.",
    );
  const rest = Object.entries(result).filter(([name]) => !TOLD.has(name));
  if (rest.length > 0)
    lines.push(`Result: ${rest.map(([name, value]) => `${name}=${plain(value)}`).join(", ")}`);
  return lines.length === 0 ? [] : ["", ...lines.map(printable)];
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Every gate, those that let through without a word in one line; ends with a line break. */
export function gatesText({ gates, verdict }: DryRunWire, shown: Shown): string {
  const words = { pass: "passes", wait: "waits", refuse: "refuses" } as const;
  const colors = { pass: "green", wait: "yellow", refuse: "red" } as const;
  const said = gates.flatMap((one) => {
    if (one.why === null) return [];
    const word = paint(words[one.verdict].padEnd(7), colors[one.verdict], shown.color);
    const next =
      one.why.next_step === null
        ? ""
        : `\n           Next: ${printable(nextStepHere(one.why.next_step, shown.socket))}`;
    return [
      `  ${word}  ${printable(one.gate)}: ${wrapText(printable(one.why.text), shown.width, 11)}${next}\n`,
    ];
  });
  const silent = gates.filter(({ why }) => why === null).map(({ gate }) => gate);
  const open =
    silent.length === 0
      ? ""
      : `  ${paint("passes ", "green", shown.color)}  ${printable(silent.join(", "))}\n`;
  const end = {
    pass: "It would begin now.",
    wait: "It would be taken and wait.",
    refuse: "It would be refused.",
  }[verdict];
  return `${said.join("")}${open}${end} Nothing was done.\n`;
}
