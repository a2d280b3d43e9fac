/** `foundry-agent drives ack` and `unack`: what a drive warns of is known, as far as it has come, or no longer. */
import { printable } from "../../model/text/scrub.ts";
import type { AckWire } from "../../sockets/wire/drive-schemas.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { openClient } from "../socket/client.ts";
import { nextStepHere } from "../text/next-step.ts";
import { usageError } from "../usage.ts";

const NOTE_MAX = 500;
const UNITS: Readonly<Record<string, string>> = { hot: " °C", wear_high: " %" };
/** Those whose counter is not what it is called by: lost helium, the hour of a test. */
const TOLD = /^(?!helium_low$|self_test_failed$)/;

/** @throws AgentError `usage`, or the daemon's: nothing to accept, failing, no such drive */
export async function ack(
  drive: string | undefined,
  reasons: readonly string[],
  values: Record<string, unknown>,
  io: Io,
): Promise<number> {
  if (drive === undefined)
    throw usageError(
      "drives ack needs a serial number or device, and reasons if wished",
      "foundry-agent drives",
    );
  const note = typeof values.note === "string" ? values.note.trim() : "";
  if (note.length > NOTE_MAX)
    throw usageError(
      `the note has ${note.length} characters, and at most ${NOTE_MAX} are kept`,
      "foundry-agent drives --help",
    );
  const client = await openClient(io, values, "control");
  const body = {
    ...(reasons.length === 0 ? {} : { reasons: reasons.map((code) => code.replaceAll("-", "_")) }),
    ...(note === "" ? {} : { note }),
  };
  const answer = await client.post("/v1/drives/{drive}/ack", { params: { drive }, body });
  if (values.json === true) printJson(io, answer);
  else io.stdout(ackText(answer, drive, values.socket));
  return EXIT.ok;
}

/** @throws AgentError `usage`, or the daemon's: nothing was accepted of it */
export async function unack(
  drive: string | undefined,
  more: readonly string[],
  values: Record<string, unknown>,
  io: Io,
): Promise<number> {
  if (drive === undefined || more.length > 0)
    throw usageError("drives unack needs one serial number or device", "foundry-agent drives");
  const client = await openClient(io, values, "control");
  const answer = await client.post("/v1/drives/{drive}/unack", { params: { drive } });
  if (values.json === true) printJson(io, answer);
  else io.stdout(`Nothing of the drive ${printable(drive)} is accepted any more: it warns as before.\n`);
  return EXIT.ok;
}

function ackText({ reasons }: AckWire, drive: string, socket: unknown): string {
  const list = reasons.map(({ code, attribute, value }) => {
    const of = attribute === null ? code : `${code} of attribute ${attribute}`;
    if (value === null || (attribute !== null && code !== "hot") || !TOLD.test(code)) return of;
    return `${of} up to ${value}${UNITS[code] ?? ""}`;
  });
  const end = nextStepHere(`foundry-agent drives unack ${drive}`, socket);
  return `Known and accepted of ${printable(drive)}: ${printable(list.join(", "))}.
It warns again when one of these grows or another reason comes; a failing drive is always told.
To take it back: ${printable(end)}
`;
}
