/** `foundry-agent hold` and `release`: commands from the network wait while somebody works on this node. */

import { printable } from "../../model/text/scrub.ts";
import { ended } from "../../model/text/sentence.ts";
import type { HoldWire } from "../../sockets/wire/command-schemas.ts";
import { EXIT, printJson } from "../output.ts";
import { at } from "../show/conditions.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { nextStepHere } from "../text/next-step.ts";
import { timeText } from "../text/time.ts";
import { type SubCommand, usageError } from "../usage.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400 };
const MAX_SECONDS = 30 * 86_400;

export const holdCommand: SubCommand = {
  name: "hold",
  summary: "let every command from the network wait",
  usage: "--reason TEXT [--for DURATION] [--json] [--socket PATH]",
  options: {
    reason: { type: "string", value: "TEXT", help: "why; everybody who wonders reads it" },
    for: { type: "string", value: "DURATION", help: "30m, 4h, 2d (at most 30d); without it until released" },
    ...CLIENT_OPTIONS,
  },
  examples: ['foundry-agent hold --for 4h --reason "replacing a fan"'],
  async run({ values }, io) {
    const { reason } = values;
    if (typeof reason !== "string" || reason.trim() === "")
      throw usageError("hold needs a reason", 'foundry-agent hold --for 4h --reason "replacing a fan"');
    const seconds = typeof values.for === "string" ? secondsOf(values.for) : null;
    const client = await openClient(io, values, "control");
    // Asked before: the daemon's answer tells the new one only, and there is room for one.
    const { hold: before } = await client.get("/v1/status");
    const body = { reason, ...(seconds === null ? {} : { for_s: seconds }) };
    const hold = await client.post("/v1/hold", { body });
    const end = nextStepHere("foundry-agent release", values.socket);
    const until = at(hold.until);
    if (values.json === true) printJson(io, hold);
    else {
      io.stdout(
        `Commands from the network wait ${untilWhen(until)}, over restarts and reboots too. What runs already goes on, and commands of this host are not held.\nTo end it${until === null ? "" : " before"}: ${printable(end)}\n`,
      );
      if (before !== null) io.stdout(`${printable(replacedText(before))}\n`);
    }
    return EXIT.ok;
  },
};

export const releaseCommand: SubCommand = {
  name: "release",
  summary: "end a hold: commands from the network are carried out again",
  usage: "[--json] [--socket PATH]",
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent release"],
  async run({ values }, io) {
    const client = await openClient(io, values, "control");
    const answer = await client.post("/v1/release");
    if (values.json === true) printJson(io, answer);
    else if (answer.released === null) io.stdout("Nothing was held.\n");
    else {
      const { by, since, reason } = answer.released;
      io.stdout(`${printable(`Released what ${by} held since ${timeText(at(since))}: ${reason}`)}\n`);
    }
    return EXIT.ok;
  },
};

function untilWhen(until: number | null): string {
  return until === null ? "until it is released" : `until ${timeText(until)}`;
}

function replacedText({ by, until, reason }: HoldWire): string {
  return ended(`This replaces what ${by} held ${untilWhen(at(until))}: ${reason}`);
}

function secondsOf(text: string): number {
  const [, count, unit = ""] = /^(\d{1,7})\s*(s|m|min|h|d)$/.exec(text) ?? [];
  const seconds = Number(count) * (UNIT_SECONDS[unit] ?? Number.NaN);
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw usageError(
    `"${text}" is no time from 1s to 30d, such as 30m, 4h or 2d`,
    'foundry-agent hold --for 4h --reason "replacing a fan"',
  );
}
