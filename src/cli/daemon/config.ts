/** `foundry-agent config check` and `config show`: what the daemon would make of its configuration. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { excludeWarnings } from "../../agent/reporting/exclude-check.ts";
import {
  defaultConfigFile,
  type KnownCollector,
  type LoadedConfig,
  loadConfig,
  problemText,
  SYSTEM_FOLDER,
} from "../../config/config.ts";
import { effectiveValues } from "../../config/effective.ts";
import { labelled } from "../../model/text/next-step.ts";
import { printable } from "../../model/text/scrub.ts";
import { plural } from "../../model/text/sentence.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { nearest } from "../../model/text/suggest.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { calledHere } from "../text/program-name.ts";
import { displayWidth, table } from "../text/table.ts";
import { terminalWidth } from "../text/watch.ts";
import { type SubCommand, usageError } from "../usage.ts";

/** @param collectors those there are, so that misspelt tables are found */
export function configCommand(collectors: readonly KnownCollector[]): SubCommand {
  return {
    name: "config",
    summary: "check the configuration, or show each value and where it comes from",
    usage: "check|show [--config FILE] [--json]",
    words: true,
    options: {
      config: { type: "string", value: "FILE", help: "this file and conf.d beside it" },
      json: { type: "boolean", help: "as JSON" },
    },
    examples: [
      "foundry-agent config check  # exits with 1 when something is wrong",
      "foundry-agent config show --config /etc/foundry-agent/config.toml",
    ],
    async run({ values, positionals }, io) {
      const [what, ...more] = positionals;
      if ((what !== "check" && what !== "show") || more.length > 0) throw wrongUse(what, more, values.config);
      const file = typeof values.config === "string" ? resolve(values.config) : undefined;
      const uid = process.geteuid?.() ?? 0;
      const options = { uid, env: io.env, collectors, ...(file === undefined ? {} : { file }) };
      const loaded = loadConfig(options);
      const json = values.json === true;
      const main = file ?? defaultConfigFile(options);
      const next = checkCommandLine(values.config);
      if (what === "check") check(loaded, collectors, { main, json, next }, io);
      else show(loaded, collectors, { json, next }, io);
      return loaded.problems.length === 0 ? EXIT.ok : EXIT.failed;
    },
  };
}

function wrongUse(what: string | undefined, more: readonly string[], file: unknown): Error {
  const next = checkCommandLine(file);
  if (what === undefined) return usageError("config needs check or show", next);
  if (more.length > 0) return usageError(`config takes one word, found "${more[0]}" too`, next);
  const meant = nearest(what, ["check", "show"]);
  return usageError(
    `config has no "${what}"${meant === null ? ", expected check or show" : `, did you mean "${meant}"?`}`,
    checkCommandLine(file, meant === "show" ? meant : "check"),
  );
}

/** A warning is no problem: the agent starts with it, and the exit code stays 0. */
function check(
  loaded: LoadedConfig,
  collectors: readonly KnownCollector[],
  { main, json, next }: { main: string; json: boolean; next: string },
  io: Io,
): void {
  const { files } = loaded;
  // Where "check it again" is the next step, it is to be this file and not the service's.
  const problems = loaded.problems.map((problem) => ({
    ...problem,
    nextStep: problem.nextStep.replace(/foundry-agent config check$/, () => next),
  }));
  const warnings = excludeWarnings(loaded, collectors);
  if (json) {
    const found = problems.map(({ nextStep, ...rest }) => ({ ...rest, next_step: nextStep }));
    const warned = warnings.map(({ file, line, code, text, nextStep }) => {
      return { file, line, key: "report.exclude", code, message: text, next_step: nextStep };
    });
    printJson(io, { ok: problems.length === 0, files, problems: found, warnings: warned });
    return;
  }
  for (const problem of problems) io.stdout(`${printable(calledHere(problemText(problem)))}\n`);
  for (const { file, line, text, nextStep } of warnings)
    io.stdout(
      `${printable(calledHere(`${file}:${line}: warning: ${text}${nextStep === null ? "" : ` ${labelled(nextStep)}`}`))}\n`,
    );
  if (problems.length > 0) {
    io.stderr(`${plural(problems.length, "problem")}\n`);
    return;
  }
  const set = `${plural(loaded.given.size, "key")} set${warnings.length === 0 ? "" : `, ${plural(warnings.length, "warning")}`}`;
  if (files.length > 0) io.stdout(`ok: ${files.map(printable).join(", ")} (${set})\n`);
  else {
    io.stdout(`ok: there is no ${printable(main)}, so every default holds and nothing is reported\n`);
    const system = `${SYSTEM_FOLDER}/config.toml`;
    if (main !== system && existsSync(system))
      io.stderr(calledHere(`The service reads ${system}. Next: ${checkCommandLine(system)}\n`));
  }
}

/** The line that tells every problem of the file that `--config` named, or shows it. */
export function checkCommandLine(file: unknown, what: "check" | "show" = "check"): string {
  const named = typeof file === "string" ? ` --config ${shellWord(file)}` : "";
  return `foundry-agent config ${what}${named}`;
}

/** In columns; where they don't fit, value and origin below the key. Nothing is cut: it may be copied. */
function valuesText(rows: readonly string[][], width: number | undefined): string {
  const drawn = table(["key", "value", "from"], rows);
  const widest = Math.max(...drawn.split("\n").map(displayWidth));
  if (width === undefined || widest <= width) return drawn;
  return rows
    .map((row) => {
      const [key = "", value = "", from = ""] = row.map(printable);
      const gap = displayWidth(`${key} = ${value}`) <= width ? " " : "\n  ";
      return `${key} =${gap}${value}\n    from ${from}\n`;
    })
    .join("");
}

function show(
  loaded: LoadedConfig,
  collectors: readonly KnownCollector[],
  { json, next }: { json: boolean; next: string },
  io: Io,
): void {
  const found = effectiveValues(loaded, collectors);
  if (json) {
    const list = found.map(({ key, value, origin, note }) => ({ key, value, origin, note }));
    printJson(io, { files: loaded.files, problems: loaded.problems.length, values: list });
  } else {
    const rows = found.map(({ key, value, origin, note }) => [
      key,
      value === null ? `(${note})` : `${JSON.stringify(value)}${note === null ? "" : ` (${note})`}`,
      origin === null ? "default" : `${origin.file}:${origin.line}`,
    ]);
    io.stdout(valuesText(rows, terminalWidth(io)));
  }
  if (loaded.problems.length > 0)
    io.stderr(
      `${plural(loaded.problems.length, "problem")}, what is wrong is left at its default. Next: ${calledHere(next)}\n`,
    );
}
