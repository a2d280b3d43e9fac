/** `foundry-agent status`: how the agent and its node fare. A health block only when something is wrong. */

import { printable } from "../../model/text/scrub.ts";
import type { StatusWire } from "../../sockets/wire/schemas.ts";
import { EXIT, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { type View, whole } from "../text/fold.ts";
import { bytes as bytesText, duration, paint, relativeTime } from "../text/format.ts";
import { nextLine, nextStepHere } from "../text/next-step.ts";
import { terminalWidth, watch, watches } from "../text/watch.ts";
import { wrapText } from "../text/wrap.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { at, conditionRows, shownFor } from "./conditions.ts";
import { apisText, broken, isSilent, type Shower } from "./control-apis.ts";

const WATCH_MS = 2_000;

export const statusCommand: SubCommand = {
  name: "status",
  summary: "show how the agent and this node fare",
  usage: "[--fail-on error|warning|never] [--watch] [--json] [--socket PATH]",
  options: {
    "fail-on": {
      type: "string",
      value: "error|warning|never",
      help: "from which severity on it exits with 1 (error without it)",
    },
    watch: {
      type: "boolean",
      short: "w",
      help: "keep showing it until Ctrl-C; once where stdout is no terminal",
    },
    ...CLIENT_OPTIONS,
  },
  notes: [
    "Exits with 1 when something of that severity is wrong, also with --json. With --watch Ctrl-C ends it with 0.",
  ],
  examples: [
    "foundry-agent status",
    "foundry-agent status --json | jq .conditions",
    "foundry-agent status --fail-on warning > /dev/null  # for monitors",
  ],
  async run({ values }, io) {
    const failOn = levelOf(values["fail-on"]);
    const client = await openClient(io, values);
    const read = () => client.get("/v1/status");
    if (watches(values, io))
      return await watch(io, WATCH_MS, async () => statusView(await read(), io, values.socket));
    const status = await read();
    if (values.json === true) printJson(io, status);
    else io.stdout(whole(statusView(status, io, values.socket)));
    return isWell(status, failOn) ? EXIT.ok : EXIT.failed;
  },
};

const LEVELS = { error: ["error"], warning: ["error", "warning"], never: [] } as const;
type Level = keyof typeof LEVELS;

function levelOf(asked: unknown): Level {
  if (typeof asked !== "string") return "error";
  if (Object.hasOwn(LEVELS, asked)) return asked as Level;
  throw usageError(
    `--fail-on takes ${Object.keys(LEVELS).join(", ")}, not "${asked}"`,
    "foundry-agent status --help",
  );
}

/** By the conditions alone: `degraded` is what an error makes of the node, and `held` or `rebooting` may stand over it. */
function isWell({ conditions }: StatusWire, failOn: Level): boolean {
  const bad: readonly string[] = LEVELS[failOn];
  return !conditions.some(({ severity }) => bad.includes(severity));
}

/** Pure; ends with a line break. @param socket what `--socket` named */
function statusView(status: StatusWire, io: Shower, socket?: unknown): View {
  const head = headline(status, io);
  const below = belowText(status, io, socket);
  if (status.conditions.length === 0) return `${head}\n${below}`;
  return {
    before: `${head}\n${title("What is wrong or worth knowing", io.color)}`,
    rows: conditionRows(status.conditions, shownFor(io, socket)),
    after: `\n${below}`,
  };
}

function belowText(status: StatusWire, io: Shower, socket: unknown): string {
  const now = io.now();
  const parts: string[] = [];
  if (status.not_yet_known.length > 0) {
    const what = [...new Set(status.not_yet_known.map(({ text }) => text))].join(", ");
    parts.push(broken(`Not yet known, a minute after the start at the latest: ${what}`, io));
  }
  if (status.running_command !== null) {
    const { id, type, state, step, since } = status.running_command;
    const when = `${relativeTime(at(since), now)}`;
    const how = step === null || step === type ? state : `${state} (${step})`;
    parts.push(`Command under way: ${printable(`${type}, ${how}, ${when} (${id})`)}\n`);
  }
  if (status.waiting_commands.length > 0) {
    const waiting = status.waiting_commands.map(({ id, type, waiting: why }) => {
      const next = why?.next_step == null ? "" : `\n    ${nextLine(why.next_step, socket)}`;
      return `  ${type} (${id}): ${why?.text ?? "its turn comes"}${next}`
        .split("\n")
        .map(printable)
        .join("\n");
    });
    parts.push(`${title("Commands waiting", io.color)}${waiting.join("\n")}\n`);
  }
  if (status.hold !== null) {
    const until = at(status.hold.until);
    const long = until === null ? "until it is released" : `for ${duration(Math.max(0, until - now))} more`;
    parts.push(
      `${broken(`Held by ${status.hold.by} ${long}: ${status.hold.reason}`, io)}To end it: ${nextStepHere("foundry-agent release", socket)}\n`,
    );
  }
  parts.push(title("Control APIs", io.color) + apisText(status, io, socket));
  parts.push(title("Collectors", io.color) + collectorsText(status, io));
  const { events, bytes, dropped } = status.spool;
  if (dropped > 0 || events > 0)
    parts.push(
      `Events kept: ${events} (${bytesText(bytes)})${dropped > 0 ? `, ${dropped} dropped because there were too many` : ""}\n`,
    );
  return parts.join("\n");
}

function headline(status: StatusWire, io: Shower): string {
  const { color } = io;
  const asLine = (line: string): string => `${wrapText(line, terminalWidth(io), 0)}\n`;
  const word = paint(status.status, status.status === "online" ? "green" : "yellow", color);
  const ids = status.control_apis.filter((api) => api.node_id !== null);
  const node =
    status.node_id === null ? "not registered" : `node ${ids.map((api) => nodeText(api, status)).join(", ")}`;
  const mode =
    status.mode === "live" && status.hardware
      ? "live: commands may touch hardware"
      : status.mode === "read-only"
        ? "read-only: nothing is sent, hardware is never touched"
        : status.mode === "test"
          ? "test: hardware is never touched"
          : status.mode === null && status.hardware
            ? "hardware is touched only when asked on this host"
            : "hardware is never touched";
  const silent = status.control_apis
    .filter((api) => isSilent(api, status))
    .map(({ name }) => printable(name));
  const alone =
    silent.length === 0
      ? ""
      : `${status.status === "online" ? ", but" : " and"} does not report to ${silent.join(" and ")}`;
  const agent = `foundry-agent ${printable(status.version)}, running for ${status.uptime_s < 1 ? "less than 1 s" : duration(status.uptime_s * 1000)}, ${node} (${mode})`;
  return [`${printable(status.hostname)} is ${word}${alone}`, agent, armedLine(status.armed, color)]
    .map(asLine)
    .join("");
}

/** "node_1, named rack4-vm, at NAME": what is told by the first line already, or by there being one API, is left out. */
function nodeText(
  { name, node_id, node_name }: StatusWire["control_apis"][number],
  { hostname, control_apis }: StatusWire,
): string {
  const called = node_name == null || node_name === hostname ? "" : `, named ${printable(node_name)}`;
  const several = control_apis.filter((api) => api.node_id !== null).length > 1;
  return `${printable(node_id ?? "")}${called}${several ? `${called === "" ? "" : ","} at ${printable(name)}` : ""}`;
}

/** Which nodes are armed: one line that is the same everywhere, for people and for grep over a fleet. */
function armedLine({ armed, remote, hardware, mode, signed }: StatusWire["armed"], color: boolean): string {
  const signing = signed === null ? "unknown" : signed ? "required" : "not required";
  const word = armed ? paint("yes", "bold", color) : "no";
  return `Armed: ${word} (remote ${remote}, hardware ${hardware ? "yes" : "no"}, mode ${mode ?? "none"}, signing ${signing})`;
}

function title(text: string, color: boolean): string {
  return `${paint(text, "bold", color)}\n`;
}

/** One line a state: the many that work need no line each. */
function collectorsText(status: StatusWire, io: Shower): string {
  const words = {
    failed: "failing",
    stale: "out of date",
    pending: "not yet run",
    ok: "working",
    absent: "nothing there",
  };
  const lines = Object.entries(words).flatMap(([state, word]) => {
    const names = status.collectors.filter((one) => one.state === state).map(({ name }) => name);
    return names.length === 0
      ? []
      : `  ${wrapText(`${word}: ${printable(names.join(", "))}`, terminalWidth(io), 2)}\n`;
  });
  return lines.length === 0 ? "  none\n" : lines.join("");
}
