/**
 * One line of JSON for each thing the helper was asked for: what, with which arguments, how it ended, how long it
 * took. Where it is written: audit-trail.ts.
 */
import { cutTo, scrubSecrets } from "../../model/text/scrub.ts";
import type { HelperRequest } from "../link/request.ts";

export interface AuditEntry {
  /** Null: what came was no request. */
  readonly request: HelperRequest | null;
  /** Pid, uid and gid of the client where the kernel tells. */
  readonly peer: object | null;
  /** `ok`, `begun`, `step`, or the code of the error. */
  readonly outcome: string;
  readonly message: string | null;
  readonly durationMs: number;
  /** Whether the signature that came along was found to hold; what came without one says nothing. */
  readonly verified?: boolean;
  /** Word of the policy for the change that was begun; without it nothing was changed. */
  readonly act?: string;
  /** It was carried out, and only looked. */
  readonly isRead?: boolean;
}

/** Of an act on disk when it returns. @throws AgentError `record_unusable`, for `begun` only: then it is not done */
export type Audit = (entry: AuditEntry) => void;

const MAX_ARGUMENT_CHARS = 200;
const MAX_MESSAGE_CHARS = 300;
const SECRET_NAME = /secret|token|password|passphrase|private|credential|(?:^|_)key$/i;

/** Of syslog: 4 warning, 5 notice, 6 information. */
export type Priority = 4 | 5 | 6;

/** For standard error where that is the journal's: `<6>` is what `journalctl -p info` goes by (sd-daemon(3)). */
export function journalLine(priority: Priority, text: string): string {
  return `<${priority}>${text}\n`;
}

/** Without line break. Arguments are those of a client that is not trusted: cut and scrubbed. */
export function auditText({ request, peer, outcome, message, durationMs, verified }: AuditEntry): string {
  return asciiOnly(
    JSON.stringify({
      audit: request?.operation ?? null,
      id: request?.id ?? null,
      source: request?.source ?? null,
      args: request === null ? null : shownArguments(request.args),
      ...(request === null || request.signed === null
        ? {}
        : { signed: verified ? "verified" : "not verified" }),
      outcome,
      ...(message === null ? {} : { message: cutTo(MAX_MESSAGE_CHARS, scrubSecrets(message)) }),
      duration_ms: Math.round(durationMs),
      peer,
    }),
  );
}

/** No control, hidden or direction-changing character of a client reaches a terminal through the journal. */
export function asciiOnly(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** As they stand in a line: scrubbed, and a cut text where they are long. */
export function shownArguments(args: HelperRequest["args"]): unknown {
  const json = JSON.stringify(args, (key, value: unknown) => {
    if (SECRET_NAME.test(key)) return "[hidden]";
    return typeof value === "string" ? scrubSecrets(value) : value;
  });
  const cut = cutTo(MAX_ARGUMENT_CHARS, json);
  return cut === json ? JSON.parse(json) : cut;
}
