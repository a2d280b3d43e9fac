/** Handlers of POST /v1/drives/{drive}/ack and /unack (table.ts): on control.sock only. */
import * as v from "valibot";
import type { Ack } from "../../collectors/smart/acks/acks.ts";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { AckWire } from "../wire/drive-schemas.ts";
import { findDrive, wantedOf } from "./drives.ts";
import type { Call, Data, RouteContext } from "./route.ts";

const NOTE_MAX = 500;
const REASONS_MAX = 32;

/** Body of POST /v1/drives/{drive}/ack. */
export const ackBody = v.strictObject({
  reasons: v.pipe(
    v.optional(v.pipe(v.array(v.pipe(v.string(), v.regex(/^[a-z0-9_]{1,64}$/))), v.maxLength(REASONS_MAX))),
    v.description("Codes of its reasons; all there are without it"),
  ),
  note: v.pipe(
    v.optional(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(NOTE_MAX))),
    v.description("For whoever looks at it later; at most 500 characters"),
  ),
});

export async function ackDrive(context: RouteContext, call: Call): Promise<Data<AckWire>> {
  const body = v.safeParse(ackBody, call.body ?? {});
  if (!body.success)
    throw new AgentError(
      "bad_request",
      `expected, if wished, "reasons" (codes such as reallocated_sectors, at most ${REASONS_MAX}) and "note" (at most ${NOTE_MAX} characters)`,
      "foundry-agent drives --help",
    );
  const { drive } = findDrive(context, call);
  const { reasons: codes = [], note = null } = body.output;
  const id = drive.smart?.id ?? drive.id;
  const wish = { id, codes: codes.length === 0 ? null : codes, note, by: call.caller.name };
  return { data: ackWire(await context.view.ackDrive(wish)) };
}

export async function unackDrive(context: RouteContext, call: Call): Promise<Data<AckWire>> {
  const wanted = wantedOf(call);
  const found = await context.view.unackDrive([...idsOf(context, call), wanted], call.caller.name);
  if (found !== null) return { data: ackWire(found) };
  throw new AgentError(
    "ack_nothing_there",
    `nothing is accepted of the drive "${wanted}"`,
    "foundry-agent drives",
  );
}

/** A drive that is gone can still be known under its serial number. */
function idsOf(context: RouteContext, call: Call): string[] {
  try {
    const { drive } = findDrive(context, call);
    return [drive.smart?.id ?? drive.id];
  } catch (error) {
    if (errorCode(error) === "no_such_drive") return [];
    throw error;
  }
}

function ackWire({ drive, by, at, note, reasons }: Ack): AckWire {
  return { drive, by, at, note, reasons: reasons.map((reason) => ({ ...reason })) };
}
