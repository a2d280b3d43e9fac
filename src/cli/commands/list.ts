/** `foundry-agent commands`: what this node was asked to do and what came of it; cancel, submit, sign, and take what a reboot left. */
import { createReadStream } from "node:fs";
import { isFinal } from "../../model/command.ts";
import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import { nearest } from "../../model/text/suggest.ts";
import { systemWords } from "../../model/text/system-words.ts";
import type { CommandWire } from "../../sockets/wire/command-schemas.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { type Input, readAllInput } from "../prompt.ts";
import { at, shownFor } from "../show/conditions.ts";
import { CLIENT_OPTIONS, type Client, openClient } from "../socket/client.ts";
import { type FoldRow, type View, whole } from "../text/fold.ts";
import { relativeTime } from "../text/format.ts";
import { listingRows } from "../text/listing.ts";
import { terminalWidth, watch, watches } from "../text/watch.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { exitOf } from "./follow.ts";
import { SIGN_OPTIONS, signCommand } from "./sign.ts";
import { commandStory } from "./story.ts";
import { submitCommand } from "./submit.ts";
import { commandSentence, stateColor } from "./text.ts";

const HELP = "foundry-agent commands --help";
const WATCH_MS = 2_000;
const SHOWN = "20";
/** Columns from which on a source has room beside the rest. */
const WIDE = 120;
const MAX_BYTES = 60 * 1024;

/** @param input stdin; given in tests */
export function commandsCommandWith(input: () => Input): SubCommand {
  return {
    name: "commands",
    summary: "show commands and what came of them; cancel, submit or sign one",
    usage: "[ID | cancel ID | ack ID | submit FILE|- | sign] [--watch] [--json] [--socket PATH]",
    words: true,
    options: {
      watch: {
        type: "boolean",
        short: "w",
        help: "keep showing it until Ctrl-C; once where stdout is no terminal",
      },
      ...CLIENT_OPTIONS,
      ...SIGN_OPTIONS,
    },
    examples: [
      "foundry-agent commands",
      "foundry-agent commands cmd_01J…  # its whole story",
      "foundry-agent commands cancel cmd_01J…",
      "foundry-agent commands ack cmd_01J…  # what is missed since this reboot is meant to be so",
      "foundry-agent commands sign --make-key fleet.pem",
      "foundry-agent commands sign --key fleet.pem --node node_1 --type reboot > reboot.json",
      "foundry-agent commands submit reboot.json",
    ],
    async run({ values, positionals }, io) {
      const [word, name, ...more] = positionals;
      if (word === "sign") {
        if (name !== undefined) throw usageError(`commands sign takes options only, found "${name}"`, HELP);
        return signCommand(values, io);
      }
      const signing = Object.keys(SIGN_OPTIONS).find((option) => values[option] !== undefined);
      if (signing !== undefined) throw usageError(`--${signing} is for commands sign only`, HELP);
      const takesName = word === "cancel" || word === "ack" || word === "submit";
      if (takesName && name === undefined)
        throw usageError(
          word === "submit" ? "commands submit needs a file, or -" : `commands ${word} needs an id`,
          HELP,
        );
      const meant =
        word === undefined || takesName || /\d/.test(word)
          ? null
          : nearest(word, ["cancel", "ack", "submit", "sign"]);
      if (meant !== null) throw usageError(`commands has no "${word}", did you mean "${meant}"?`, HELP);
      const surplus = takesName ? more[0] : name;
      if (surplus !== undefined) throw usageError(`commands takes one command, found "${surplus}" too`, HELP);
      if (word === "cancel") return await cancel(name as string, values, io);
      if (word === "ack") return await ack(name as string, values, io);
      if (word === "submit") return await submit(name as string, input, values, io);
      return await show(word, values, io);
    },
  };
}

async function show(id: string | undefined, values: Record<string, unknown>, io: Io): Promise<number> {
  const client = await openClient(io, values);
  const read = async (): Promise<CommandWire[] | CommandWire> => await readOf(client, id);
  const view = (found: CommandWire[] | CommandWire): View =>
    Array.isArray(found) ? listView(found, io) : commandStory(found, shownFor(io, values.socket));
  if (watches(values, io)) return await watch(io, WATCH_MS, async () => view(await read()));
  const found = await read();
  if (values.json === true) printJson(io, found);
  else io.stdout(whole(view(found)));
  return EXIT.ok;
}

async function readOf(client: Client, id: string | undefined): Promise<CommandWire[] | CommandWire> {
  return id === undefined
    ? await client.get("/v1/commands", { query: { limit: SHOWN } })
    : await client.get("/v1/commands/{id}", { params: { id } });
}

/** Pure; ends with a line break. */
export function listView(
  commands: readonly CommandWire[],
  io: Pick<Io, "color" | "now" | "isTty" | "env">,
): View {
  if (commands.length === 0) return "This node was not asked to do anything yet.\n";
  const why = (one: CommandWire): string =>
    one.waiting?.text ?? one.error?.message ?? one.rehearsal?.text ?? one.step ?? "";
  const width = terminalWidth(io);
  const columns = [
    "id",
    "type",
    "state",
    "since",
    ...(width === undefined || width >= WIDE ? ["source"] : []),
  ];
  const rows = commands.map((one) => ({
    cells: [
      one.id,
      one.mode === "test" ? `${one.type} (test)` : one.type,
      { text: one.state, color: stateColor(one.state) },
      relativeTime(at(one.since ?? one.received_at), io.now()),
      one.source,
    ].slice(0, columns.length),
    text: why(one),
  }));
  const [head = "", ...drawn] = listingRows([...columns, "why"], rows, { color: io.color, width });
  return {
    before: head,
    rows: commands.map(
      ({ state }, at): FoldRow => ({ text: drawn[at] ?? "", rank: isFinal(state) ? 1 : 0, word: state }),
    ),
    after: "",
  };
}

async function cancel(id: string, values: Record<string, unknown>, io: Io): Promise<number> {
  const client = await openClient(io, values, "control");
  const after = await client.post("/v1/commands/{id}/cancel", { params: { id } });
  if (values.json === true) printJson(io, after);
  else if (after.state === "cancelled") io.stdout(`${printable(`${after.type} ${id}`)} is cancelled.\n`);
  else
    io.stdout(
      `${printable(`${after.type} ${id}`)} is being cancelled: it ends at the next point where it can.\n`,
    );
  return EXIT.ok;
}

async function ack(id: string, values: Record<string, unknown>, io: Io): Promise<number> {
  const client = await openClient(io, values, "control");
  const done = await client.post("/v1/commands/{id}/ack", { params: { id } });
  if (values.json === true) printJson(io, done);
  else io.stdout(`What was missed since ${printable(id)} is taken as meant to be so.\n`);
  return EXIT.ok;
}

async function submit(
  file: string,
  input: () => Input,
  values: Record<string, unknown>,
  io: Io,
): Promise<number> {
  const command = parsed(
    file === "-" ? await readAllInput(input(), MAX_BYTES, "a command") : await readFile(file),
    file,
  );
  const client = await openClient(io, values, "control");
  const taken = await submitCommand(client, { command });
  if (values.json === true) printJson(io, taken);
  else io.stdout(`Taken. ${commandSentence(taken, shownFor(io, values.socket))}`);
  return exitOf(taken);
}

async function readFile(file: string): Promise<string> {
  try {
    const chunks: Buffer[] = [];
    // No more of it than tells that it is too long: the name may be that of a device.
    for await (const chunk of createReadStream(file, { end: MAX_BYTES })) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    if (bytes.length > MAX_BYTES) throw usageError(`${file} is too long for a command`, HELP);
    return bytes.toString("utf8");
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw usageError(`${file} can't be read: ${systemWords(error)}`, HELP);
  }
}

function parsed(text: string, file: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError(
      `${file === "-" ? "what came on stdin" : file} is no JSON, as commands sign prints it`,
      HELP,
    );
  }
}

export const commandsCommand: SubCommand = commandsCommandWith(() => process.stdin);
