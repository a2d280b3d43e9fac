/** `foundry-agent drives locate`: the light on a drive's slot blinks for a time, so that the right one is pulled. */
import { printable } from "../../model/text/scrub.ts";
import type { LocateWire } from "../../sockets/wire/schemas.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { at } from "../show/conditions.ts";
import { openClient } from "../socket/client.ts";
import { duration } from "../text/format.ts";
import { nextStepHere } from "../text/next-step.ts";
import { timeCell } from "../text/time.ts";
import { usageError } from "../usage.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600 };
const MAX_SECONDS = 86_400;

/** @throws AgentError `usage`, or the daemon's: not allowed, no such drive, no light */
export async function locate(
  drive: string | undefined,
  more: readonly string[],
  values: Record<string, unknown>,
  io: Io,
): Promise<number> {
  if (drive === undefined || more.length > 0)
    throw usageError("drives locate needs one device or serial number", "foundry-agent drives");
  const off = values.off === true;
  if (off && values.for !== undefined)
    throw usageError("--off ends the blinking now, so --for says nothing", "foundry-agent drives --help");
  const seconds = typeof values.for === "string" ? secondsOf(values.for) : null;
  const client = await openClient(io, values, "control");
  const body = { on: !off, ...(seconds === null ? {} : { for_s: seconds }) };
  const answer = await client.post("/v1/drives/{drive}/locate", { params: { drive }, body });
  if (values.json === true) printJson(io, answer);
  else io.stdout(locatedText(answer, drive, values.socket));
  return EXIT.ok;
}

function locatedText({ name, on, for_s, off_at }: LocateWire, drive: string, socket: unknown): string {
  const what = printable(name === drive || drive === `/dev/${name}` ? name : `${name} (${drive})`);
  if (!on) return `The light of ${what} is off.\n`;
  const when = for_s === null ? "" : ` and goes off by itself in ${duration(for_s * 1_000)}${clock(off_at)}`;
  const end = nextStepHere(`foundry-agent drives locate ${drive} --off`, socket);
  return `The light of ${what} blinks${when}.\nTo end it before: ${printable(end)}\n`;
}

/** To the minute: nobody waits for the second at which a light goes off. */
function clock(time: string | null): string {
  const ms = at(time);
  return ms === null ? "" : `, at ${timeCell(ms).slice("2026-11-21 ".length, -":00".length)} UTC`;
}

function secondsOf(text: string): number {
  const [, count, unit = "s"] = /^(\d{1,6})\s*(s|m|min|h)?$/.exec(text) ?? [];
  const seconds = Number(count) * (UNIT_SECONDS[unit] ?? Number.NaN);
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw usageError(
    `"${text}" is no time from 1s to 24h, such as 90s, 30m or 2h`,
    "foundry-agent drives locate SERIAL --for 30m",
  );
}
