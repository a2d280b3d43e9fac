/**
 * One line of JSON for each thing the helper was asked for: what, with which arguments, how it ended, how long it
 * took. Where it is written is the business of whoever opened the helper: the journal of its service, or the agent's log.
 */
import { scrubSecrets } from "../../model/text/scrub.ts";
import type { HelperRequest } from "../link/request.ts";

export interface AuditEntry {
  /** Null: what came was no request. */
  readonly request: HelperRequest | null;
  /** Pid, uid and gid of the client where the kernel tells. */
  readonly peer: object | null;
  /** `ok` or the code of the error. */
  readonly outcome: string;
  readonly message: string | null;
  readonly durationMs: number;
  /** Whether the signature that came along was found to hold; what came without one says nothing. */
  readonly verified?: boolean;
}

export type Audit = (entry: AuditEntry) => void;

const MAX_ARGUMENT_CHARS = 2_000;
const SECRET_NAME = /secret|token|password|passphrase|private|credential|(?:^|_)key$/i;

/** Of syslog: 4 warning, 5 notice, 6 information. */
export type Priority = 4 | 5 | 6;

/** For standard error where that is the journal's: `<6>` is what `journalctl -p info` goes by (sd-daemon(3)). */
export function journalLine(priority: Priority, text: string): string {
  return `<${priority}>${text}\n`;
}

/** Without line break. Arguments are those of a client that is not trusted: cut and scrubbed. */
export function auditText({ request, peer, outcome, message, durationMs, verified }: AuditEntry): string {
  const line = {
    audit: request?.operation ?? null,
    id: request?.id ?? null,
    source: request?.source ?? null,
    args: request === null ? null : shownArguments(request.args),
    ...(request === null || request.signed === null
      ? {}
      : { signed: verified ? "verified" : "not verified" }),
    outcome,
    ...(message === null ? {} : { message: scrubSecrets(message) }),
    duration_ms: Math.round(durationMs),
    peer,
  };
  return asciiOnly(JSON.stringify(line));
}

/** No control, hidden or direction-changing character of a client reaches a terminal through the journal. */
function asciiOnly(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function shownArguments(args: HelperRequest["args"]): unknown {
  const json = JSON.stringify(args, (key, value: unknown) => {
    if (SECRET_NAME.test(key)) return "[hidden]";
    return typeof value === "string" ? scrubSecrets(value) : value;
  });
  return json.length > MAX_ARGUMENT_CHARS ? `${json.slice(0, MAX_ARGUMENT_CHARS)}...` : JSON.parse(json);
}
