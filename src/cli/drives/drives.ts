/** `foundry-agent drives`: the table of drives, one drive whole, its light, and forgetting one that will not come back. */

import { printable } from "../../model/text/scrub.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { whole } from "../text/fold.ts";
import { watch, watches } from "../text/watch.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { ack, unack } from "./acks.ts";
import { driveText } from "./detail.ts";
import { locate } from "./locate.ts";
import { drivesView, openTrend } from "./table.ts";

const WATCH_MS = 5_000;

export const drivesCommand: SubCommand = {
  name: "drives",
  summary: "show the drives of this node and how healthy they are",
  usage:
    "[DEVICE|SERIAL [--raw] | locate DEVICE|SERIAL [--for TIME] [--off] | forget SERIAL | ack DEVICE|SERIAL [REASON…] [--note TEXT] | unack DEVICE|SERIAL] [--watch] [--json] [--socket PATH]",
  words: true,
  options: {
    watch: { type: "boolean", short: "w", help: "keep showing them, with the course of the temperature" },
    raw: { type: "boolean", help: "of one drive: what smartctl says of it now, as JSON" },
    for: {
      type: "string",
      value: "TIME",
      help: "locate: how long the light blinks (90s, 30m, 2h; 10m without it)",
    },
    off: { type: "boolean", help: "locate: end the blinking" },
    note: { type: "string", value: "TEXT", help: "ack: why it is accepted, for whoever looks later" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    "foundry-agent drives",
    "foundry-agent drives sda  # all that is known of it, and what to do",
    "foundry-agent drives locate WD-1234 --for 30m  # its light blinks",
    "foundry-agent drives forget WD-1234  # it was taken out for good",
    'foundry-agent drives ack WD-1234 --note "old scars" # no warning until more comes',
  ],
  async run({ values, positionals }, io) {
    const [first, second, ...more] = positionals;
    if (first === "locate") return await locate(second, more, values, io);
    for (const name of ["for", "off"])
      if (values[name] !== undefined)
        throw usageError(`--${name} belongs to drives locate`, "foundry-agent drives --help");
    if (first === "ack") return await ack(second, more, values, io);
    if (values.note !== undefined)
      throw usageError("--note belongs to drives ack", "foundry-agent drives --help");
    if (first === "unack") return await unack(second, more, values, io);
    if (first === "forget") return await forget(second, more, values, io);
    if (second !== undefined)
      throw usageError(`drives takes one drive, found "${second}" too`, "foundry-agent drives --help");
    if (first !== undefined) return await one(first, values, io);
    if (values.raw === true)
      throw usageError("--raw is for one drive: which?", "foundry-agent drives --help");
    return await all(values, io);
  },
};

async function all(values: Record<string, unknown>, io: Io): Promise<number> {
  const client = await openClient(io, values);
  const read = () => client.get("/v1/drives");
  if (watches(values, io)) {
    const trend = openTrend();
    return await watch(io, WATCH_MS, async () =>
      drivesView(trend.add(await read()), io, trend.of, values.socket),
    );
  }
  const drives = await read();
  if (values.json === true) printJson(io, drives);
  else io.stdout(whole(drivesView(drives, io, null, values.socket)));
  return EXIT.ok;
}

async function one(name: string, values: Record<string, unknown>, io: Io): Promise<number> {
  const raw = values.raw === true;
  const client = await openClient(io, values, raw ? "control" : "any");
  const query = { raw: raw ? "1" : undefined };
  const read = () => client.get("/v1/drives/{drive}", { params: { drive: name }, query });
  const shown = async () => {
    const drive = await read();
    return "smartctl" in drive
      ? `${JSON.stringify(drive)}\n` // only with raw, which is not drawn
      : driveText(drive, io, { socket: values.socket, kind: client.socket.kind });
  };
  if (raw || values.json === true) printJson(io, await read());
  else if (watches(values, io)) return await watch(io, WATCH_MS, shown);
  else io.stdout(await shown());
  return EXIT.ok;
}

async function forget(
  serial: string | undefined,
  more: readonly string[],
  values: Record<string, unknown>,
  io: Io,
): Promise<number> {
  if (serial === undefined || more.length > 0)
    throw usageError("drives forget needs one serial number", "foundry-agent drives");
  const client = await openClient(io, values, "control");
  const answer = await client.post("/v1/drives/{serial}/forget", { params: { serial } });
  if (values.json === true) printJson(io, answer);
  else io.stdout(`The drive ${printable(serial)} is forgotten: it is no longer missing.\n`);
  return EXIT.ok;
}
