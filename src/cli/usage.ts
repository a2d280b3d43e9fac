/**
 * How a sub-command declares itself, and what follows from the declaration: `--help`, the overview,
 * parsing, and a suggestion for what was mistyped. commands.ts holds the table of all of them.
 */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { AgentError } from "../model/errors.ts";
import { sentence } from "../model/text/sentence.ts";
import { shellWord } from "../model/text/shell-word.ts";
import { nearest } from "../model/text/suggest.ts";
import { EXIT, EXIT_MEANINGS, exitCodeOf, type Io, printError } from "./output.ts";
import { toSocket, typedAgain } from "./text/next-step.ts";
import { calledHere, PROGRAM } from "./text/program-name.ts";
import { terminalWidth } from "./text/watch.ts";
import { hasRoom, wrapText } from "./text/wrap.ts";

export type { Io } from "./output.ts";

export interface OptionDeclaration {
  type: "string" | "boolean";
  short?: string;
  multiple?: boolean;
  /** What stands for the value in the help: FILE, SECONDS. */
  value?: string;
  help: string;
}

export interface SubCommand {
  /** One word; what is typed after `foundry-agent`. */
  name: string;
  /** One line of the overview, without a full stop. */
  summary: string;
  /** What follows the name: "[--json] [NAME]"; one line. */
  usage: string;
  options: Record<string, OptionDeclaration>;
  /** Whether words may follow that are no options; it judges them itself. Without it each is a mistake. */
  words?: boolean;
  /** Whole command lines; what follows " # " explains. */
  examples: readonly string[];
  /** Sentences that its help and the manual have beside the options. */
  notes?: readonly string[];
  /** Not in the overview (the helper, which systemd starts). */
  hidden?: boolean;
  /**
   * @returns the exit code (EXIT)
   * @throws AgentError: printed as "foundry-agent: <sentence>. Next: <command>", exit code by its code
   */
  run(args: { values: Record<string, unknown>; positionals: string[] }, io: Io): Promise<number>;
}

/** Name → the sub-command, loaded when it is asked for: a question to the daemon need not load the daemon. */
export type CommandTable = Readonly<Record<string, () => Promise<SubCommand>>>;

const HELP: OptionDeclaration = { type: "boolean", short: "h", help: "print this and end" };

/** A mistake on the command line: exit 2. */
export function usageError(sentence: string, nextStep = `${PROGRAM} --help`): AgentError {
  return new AgentError("usage", sentence, nextStep);
}

/**
 * Find the sub-command, parse its options, run it, print what went wrong.
 * @param argv what follows the program's name
 * @returns the exit code; never throws
 */
export async function runCommandLine(
  commands: CommandTable,
  argv: readonly string[],
  io: Io,
): Promise<number> {
  try {
    return await dispatch(commands, argv, io);
  } catch (error) {
    printError(io, typable(error, argv));
    return exitCodeOf(error);
  }
}

/** A next step that can be typed as it stands. */
function typable(error: unknown, argv: readonly string[]): unknown {
  if (!(error instanceof AgentError) || error.nextStep === null) return error;
  const { code, message, nextStep, cause } = error;
  const at = argv.indexOf("--socket");
  const inline = argv.find((word) => word.startsWith("--socket="))?.slice("--socket=".length);
  const socket = at === -1 ? inline : argv[at + 1];
  return new AgentError(code, message, toSocket(typedAgain(nextStep, argv), socket), { cause });
}

async function dispatch(commands: CommandTable, argv: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    io.stderr(calledHere(overview(await loadAll(commands), terminalWidth(io))));
    return EXIT.usage;
  }
  if (first === "--version" || first === "-V") return await dispatch(commands, ["version", ...rest], io);
  if (first === "--help" || first === "-h" || first === "help") {
    const topic = rest.find((word) => !word.startsWith("-"));
    const width = terminalWidth(io);
    const text =
      topic === undefined
        ? overview(await loadAll(commands), width)
        : help(await find(commands, topic), width);
    io.stdout(calledHere(text));
    return EXIT.ok;
  }
  if (first.startsWith("-")) throw await optionFirst(commands, argv);
  const command = await find(commands, first);
  const parsed = parse(command, rest);
  if (parsed === "help") {
    io.stdout(calledHere(help(command, terminalWidth(io))));
    return EXIT.ok;
  }
  const [word] = parsed.positionals;
  if (word !== undefined && command.words !== true)
    throw usageError(
      `${command.name} takes options only, found "${word}"`,
      `${PROGRAM} ${command.name} --help`,
    );
  return await command.run(parsed, io);
}

/** Options follow the sub-command they are for: say so, with the line as it is to be typed. */
async function optionFirst(commands: CommandTable, argv: readonly string[]): Promise<AgentError> {
  const [first = ""] = argv;
  const at = argv.findIndex((word) => Object.hasOwn(commands, word));
  if (at === -1) return usageError(`there is no sub-command, only the option "${first}"`);
  const name = argv[at] as string;
  const command = await find(commands, name);
  const long = /^--([^=]+)/.exec(first)?.[1];
  const isKnown = Object.entries(command.options).some(
    ([option, { short }]) => option === long || (short !== undefined && first === `-${short}`),
  );
  if (!isKnown)
    return usageError(`${name} has no option "${first}", and options follow it`, `${PROGRAM} ${name} --help`);
  const line = [name, ...argv.slice(0, at), ...argv.slice(at + 1)].map(shellWord).join(" ");
  return usageError(`"${first}" is an option of ${name} and follows it`, `${PROGRAM} ${line}`);
}

async function find(commands: CommandTable, name: string): Promise<SubCommand> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load !== undefined) return await load();
  const shown = (await loadAll(commands)).filter((command) => !command.hidden);
  const meant = nearest(
    name,
    shown.map((command) => command.name),
  );
  throw meant === null
    ? usageError(`there is no sub-command "${name}"`)
    : usageError(`there is no sub-command "${name}", did you mean "${meant}"?`, `${PROGRAM} ${meant} --help`);
}

function loadAll(commands: CommandTable): Promise<SubCommand[]> {
  return Promise.all(Object.values(commands).map((load) => load()));
}

/** Node's parser in its tolerant mode, and our own checks of its tokens: its messages can't be relied on. */
function parse(
  command: SubCommand,
  args: readonly string[],
): { values: Record<string, unknown>; positionals: string[] } | "help" {
  const declared: Record<string, OptionDeclaration> = { ...command.options, help: HELP };
  const options: ParseArgsOptionsConfig = {};
  for (const [name, { type, short, multiple }] of Object.entries(declared))
    options[name] = { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) };
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (values.help === true) return "help";
  const next = `${PROGRAM} ${command.name} --help`;
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(declared, token.name) ? declared[token.name] : undefined;
    if (!option) {
      const meant = nearest(token.name, Object.keys(declared));
      const hint = meant === null ? "" : `, did you mean "--${meant}"?`;
      throw usageError(`${command.name} has no option "${token.rawName}"${hint}`, next);
    }
    if (option.type === "boolean") {
      if (token.value !== undefined) throw usageError(`"${token.rawName}" takes no value`, next);
      continue;
    }
    // `--socket --json` is a forgotten value; one that does start with a dash can be given as --socket=-x.
    const forgotten = token.value === undefined || (!token.inlineValue && /^-./.test(token.value));
    if (forgotten) throw usageError(`"${token.rawName}" needs a value (${option.value ?? "VALUE"})`, next);
  }
  return { values: { ...values }, positionals };
}

/** All sub-commands, one line each where there is room. @param width of the terminal; undefined: nothing is broken */
export function overview(commands: readonly SubCommand[], width?: number): string {
  const shown = commands.filter((command) => !command.hidden);
  const lines = described(
    shown.map((command) => [command.name, command.summary]),
    width,
  );
  const codes = `Exit codes: ${EXIT_MEANINGS.map(([code, meaning]) => `${code} ${meaning}`).join(", ")}.`;
  return `Usage: ${PROGRAM} SUB-COMMAND [OPTIONS]\n\n${lines}\n\n${PROGRAM} SUB-COMMAND --help says more.\n${wrapText(codes, width, 0)}\n`;
}

/** What `foundry-agent NAME --help` prints. */
function help(command: SubCommand, width: number | undefined): string {
  const rows = Object.entries({ ...command.options, help: HELP }).map(([name, option]) => {
    const value = option.type === "string" ? ` ${option.value ?? "VALUE"}` : "";
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    return [
      `${short}--${name}${value}`,
      option.help + (option.multiple ? " (may be repeated)" : ""),
    ] as const;
  });
  // As it is called here, which may be longer, before it is broken.
  const line = calledHere(`${PROGRAM} ${command.name} ${command.usage}`.trimEnd());
  const usage = `Usage: ${wrapText(line, width, 7)}`;
  const options = described(rows, width);
  const notes = (command.notes ?? []).map((note) => `\n${wrapText(note, width, 0)}\n`).join("");
  const examples = command.examples.map((example) => `  ${example}`).join("\n");
  return `${wrapText(sentence(command.summary), width, 0)}\n\n${usage}\n\nOptions:\n${options}\n${notes}${examples === "" ? "" : `\nExamples:\n${examples}\n`}`;
}

/** Words and what they mean: beside each other, or below where the terminal has no room for that. */
function described(rows: readonly (readonly [string, string])[], width: number | undefined): string {
  const beside = Math.max(...rows.map(([left]) => left.length), 0);
  const indent = beside + 4;
  return rows
    .map(([left, right]) =>
      hasRoom(width, indent)
        ? `  ${left.padEnd(beside)}  ${wrapText(right, width, indent)}`
        : `  ${left}\n      ${wrapText(right, width, 6)}`,
    )
    .join("\n");
}
