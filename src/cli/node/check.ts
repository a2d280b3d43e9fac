/** `foundry-agent check`: each step on the way to a control API, with a verdict and what to do next. */

import { printable } from "../../model/text/scrub.ts";
import type { CheckWire } from "../../sockets/wire/schemas.ts";
import { EXIT, printJson } from "../output.ts";
import { type Shown, shownFor } from "../show/conditions.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { type Color, paint } from "../text/format.ts";
import { nextLine } from "../text/next-step.ts";
import { hasRoom, wrapText } from "../text/wrap.ts";
import { type SubCommand, usageError } from "../usage.ts";

const COLORS: Readonly<Record<CheckWire["results"][number]["verdict"], Color>> = {
  ok: "green",
  warning: "yellow",
  failed: "red",
  skipped: "dim",
};

export const checkCommand: SubCommand = {
  name: "check",
  summary: "check each step of the way to the control APIs, from names to permission",
  usage: "[API] [--json] [--socket PATH]",
  words: true,
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent check", "foundry-agent check --json"],
  async run({ values, positionals }, io) {
    const [api, ...more] = positionals;
    if (more.length > 0)
      throw usageError(`check takes one control API, found "${more[0]}" too`, "foundry-agent check");
    const client = await openClient(io, values, "control");
    const checked = await client.get("/v1/check", { query: { api } });
    if (values.json === true) printJson(io, checked);
    else if (checked.length === 0) io.stdout("No control API is configured, so there is nothing to check.\n");
    else io.stdout(checked.map((one) => checkText(one, shownFor(io, values.socket))).join("\n"));
    const failed = checked.some(({ results }) => results.some(({ verdict }) => verdict === "failed"));
    return failed ? EXIT.failed : EXIT.ok;
  },
};

/** Pure; ends with a line break. */
function checkText({ name, results }: CheckWire, { color, width, socket }: Shown): string {
  const verdicts = Math.max(0, ...results.map(({ verdict }) => verdict.length));
  const whats = Math.max(0, ...results.map(({ what }) => what.length));
  const lines = results.map(({ what, verdict, text, next_step: next }) => {
    const indent = 2 + verdicts + 2 + whats + 2;
    const beside = hasRoom(width, indent);
    const said = wrapText(printable(text), width, beside ? indent : 4);
    const head = `  ${paint(verdict.padEnd(verdicts), COLORS[verdict] ?? "dim", color)}  ${printable(what).padEnd(beside ? whats : 0)}`;
    const first = `${head}${beside ? "  " : "\n    "}${said}`;
    return next === null ? first : `${first}\n${" ".repeat(indent)}${printable(nextLine(next, socket))}`;
  });
  return `${printable(name)}\n${lines.join("\n")}\n`;
}
