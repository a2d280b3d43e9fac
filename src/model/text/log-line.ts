/**
 * A log's record as one line, the same for the daemon and the helper: for the journal, a terminal, or as JSON. Whatever
 * is logged, secrets are taken out of the finished record, at any depth: fields by name, tokens by look.
 */
import { printable, scrubSecrets } from "./scrub.ts";

export type LogFormat = "journal" | "terminal" | "json";

/** syslog(3): 2 critical, 3 error, 4 warning, 6 informational, 7 debug. */
const PRIORITIES: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };
const NAMES: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** One finished JSON record of pino as the line to write (without line break), secrets taken out. */
export function formatRecord(json: string, format: LogFormat): string {
  let record: Record<string, unknown>;
  try {
    record = withoutSecrets(JSON.parse(json)) as Record<string, unknown>;
  } catch {
    return printable(scrubSecrets(json)); // pino always writes JSON; if not, still show it
  }
  if (format === "json") return JSON.stringify(record);
  const { level, time, msg, err, error, ...rest } = record;
  const number = typeof level === "number" ? level : 30;
  const parts = [typeof msg === "string" ? msg : ""];
  for (const thrown of [err, error]) {
    if (thrown === undefined) continue;
    const text = messageOf(thrown);
    // pino takes an error's message for the line's where none is given; the error's own has its causes too.
    if (parts[0] !== undefined && text.startsWith(parts[0])) parts[0] = text;
    else parts.push(text);
  }
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${fieldText(value)}`);
  const sentence = parts.filter((part) => part !== "").join(": ");
  const text = printable([sentence, ...fields].join(" ").trim());
  if (format === "journal") return `<${PRIORITIES[number] ?? 6}>${text}`;
  const clock = typeof time === "string" ? time.slice(11, 19) : "";
  return `${clock} ${(NAMES[number] ?? "info").padEnd(5)} ${text}`;
}

function messageOf(thrown: unknown): string {
  if (thrown !== null && typeof thrown === "object" && "message" in thrown) return String(thrown.message);
  return fieldText(thrown);
}

function fieldText(value: unknown): string {
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? "null";
}

/** Fields that hold nothing else than a secret, whatever it looks like. */
const SECRET_FIELD =
  /^(?:(?:proxy[-_]?)?authorization|(?:set[-_])?cookie|.*password|.*passphrase|.*secret|(?:.*[-_])?token|.*[a-z]Token|(?:api|account|enrol|private|bearer)[-_]?key|credentials?)$/i;
const MAX_DEPTH = 20;

/** A copy with every secret hidden: values of telling names, and whatever looks like one in any text or name. */
export function withoutSecrets(value: unknown): unknown {
  return clean(value, 0);
}

/** Whether a field of this name holds nothing else than a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_FIELD.test(name);
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === "string") return scrubSecrets(value);
  if (value === null || typeof value !== "object") return value;
  if (depth > MAX_DEPTH) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      scrubSecrets(key),
      SECRET_FIELD.test(key) && inner !== null && inner !== "" ? "[hidden]" : clean(inner, depth + 1),
    ]),
  );
}
