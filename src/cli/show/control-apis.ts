/** The control APIs in `foundry-agent status`: what each does, what comes next, and what is to be done about it. */
import { controlSections } from "../../control/index.ts";
import { printable } from "../../model/text/scrub.ts";
import { clause, plural } from "../../model/text/sentence.ts";
import type { StatusWire } from "../../sockets/wire/schemas.ts";
import type { Io } from "../output.ts";
import { bytes as bytesText, duration, relativeTime } from "../text/format.ts";
import { nextLine, nextStepHere } from "../text/next-step.ts";
import { calledHere } from "../text/program-name.ts";
import { type Cell, type Column, table } from "../text/table.ts";
import { terminalWidth } from "../text/watch.ts";
import { wrapText } from "../text/wrap.ts";
import { at } from "./conditions.ts";

/** What is needed of Io to show it. */
export type Shower = Pick<Io, "color" | "now" | "isTty" | "env">;

/** Narrower than this, what was sent and received is left out, so that names stay whole. */
const NARROW = 90;
/** And narrower than this what is next and what waits. */
const NARROWEST = 60;
const API_COLUMNS: readonly (string | Column)[] = [
  "name",
  "state",
  "last sync",
  "next",
  { title: "events waiting", align: "right" },
  { title: "sent this month", align: "right" },
  { title: "received", align: "right" },
];

/** As `status` shows them, a table and what is to be said of each below it; ends with a line break. */
export function apisText(status: StatusWire, io: Shower, socket: unknown): string {
  if (status.control_apis.length === 0)
    return `  none: this node is local only. To report, write ${controlSections()} and enabled = true into\n  conf.d/site.toml beside the file that ${calledHere("foundry-agent config check")} names, then: ${nextStepHere("foundry-agent enroll", socket)}\n`;
  const now = io.now();
  const rows = status.control_apis.map((api): Cell[] => [
    api.name,
    apiState(api),
    relativeTime(at(api.last_sync_at), now),
    api.next_due_at === null || waitsForKey(api.name, status)
      ? null
      : relativeTime(Math.max(now, at(api.next_due_at) ?? now), now),
    String(api.pending_events),
    bytesText(api.sent_bytes_this_month),
    bytesText(api.received_bytes_this_month),
  ]);
  const width = terminalWidth(io);
  const columns = API_COLUMNS.slice(
    0,
    width === undefined || width >= NARROW ? undefined : width >= NARROWEST ? -2 : 3,
  );
  const drawn = table(columns, rows, {
    color: io.color,
    ...(width === undefined ? {} : { width: width - 2 }),
  });
  const remarks = status.control_apis.flatMap(({ name, note, last_error, breaker, enrolled }) => {
    // Before the first round there is no condition yet that would say it.
    const known = note !== null || status.conditions.some(({ subject }) => subject === name);
    const register =
      enrolled || known ? null : `not enrolled yet. ${nextLine("foundry-agent enroll", socket)}`;
    const told = status.conditions.some(
      ({ code, subject }) => code === "reporting_failed" && subject === name,
    );
    const error =
      last_error !== null && breaker === "open" && !told
        ? `${clause(last_error.text)} (${relativeTime(at(last_error.at), now)})`
        : null;
    const left = status.conditions.some(({ code, subject }) => code === "left" && subject === name);
    return [left ? null : note, register, error]
      .filter((text) => text !== null)
      .map((text) => broken(`${name}: ${text}`, io, 2));
  });
  return indented(drawn) + remarks.join("") + meteredText(status, io);
}

/** On a metered network nothing is held open, so what is asked for meanwhile waits for the next round. */
function meteredText({ network_profile, control_apis }: StatusWire, io: Shower): string {
  const now = io.now();
  if (network_profile !== "metered") return "";
  return control_apis
    .filter(({ enrolled, breaker, next_due_at }) => enrolled && breaker === "closed" && next_due_at !== null)
    .map(({ name, next_due_at, interval_s }) => {
      const arrives = relativeTime(Math.max(now, at(next_due_at) ?? now), now);
      const every = duration(interval_s * 1000);
      const text = `${name}: on a metered network it is asked every ${every}; a command from there arrives ${arrives} at the latest`;
      return broken(text, io, 2);
    })
    .join("");
}

/** No round will come before somebody types: a time of the next one would say that there is nothing to do. */
function waitsForKey(api: string, { conditions }: StatusWire): boolean {
  return conditions.some(({ code, subject }) => subject === api && /^(enrol_key_needed|left)$/.test(code));
}

/** One round that fails is the business of the table: the next one may do. */
export function isSilent(api: StatusWire["control_apis"][number], { conditions }: StatusWire): boolean {
  const told = conditions.some(({ subject, severity }) => subject === api.name && severity !== "info");
  return (
    (api.breaker === "open" && (told || api.failures > 1)) || (!api.enrolled && api.mode !== "read-only")
  );
}

function apiState(api: StatusWire["control_apis"][number]): Cell {
  if (!api.enrolled && api.mode === "read-only" && api.breaker !== "open") return "looking on";
  if (!api.enrolled) return { text: "not enrolled", color: "yellow" };
  if (api.breaker === "open") return { text: `failing (${plural(api.failures, "time")})`, color: "red" };
  if (api.last_sync_at === null) return "not yet asked";
  return { text: "working", color: "green" };
}

/** A sentence at the terminal's edge. @param indent of all its lines */
export function broken(text: string, io: Shower, indent = 0): string {
  return `${" ".repeat(indent)}${wrapText(printable(text), terminalWidth(io), indent)}\n`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
