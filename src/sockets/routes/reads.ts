/** Handlers of the GET routes (routes.ts). None of them changes anything, all are fast. */
import { hash } from "node:crypto";
import { type Condition, conditionKey } from "../../model/condition.ts";
import { AgentError } from "../../model/errors.ts";
import type { Section } from "../../model/report.ts";
import { nearest } from "../../model/text/suggest.ts";
import { metricsText, PROMETHEUS_TYPE } from "../metrics/prometheus-text.ts";
import { commandWire, publicCommand, wholeCommandWire } from "../wire/command.ts";
import type { CheckWire, ConditionWire, HealthWire, StatusWire, WhyWire } from "../wire/schemas.ts";
import { checkWire, conditionWire, sectionHead, statusWire } from "../wire/wire.ts";
import type { Answer, Call, Data, RouteContext, Tagged } from "./route.ts";
import { everythingWrong } from "./why.ts";

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

export function readStatus({ view, texts, now }: RouteContext, { socket }: Call): Data<StatusWire> {
  const wire = statusWire(view.status(), now());
  if (socket === "control") return { data: wire };
  const { conditions, control_apis, running_command, waiting_commands, hold, ...rest } = wire;
  const sentences = {
    conditions,
    control_apis: control_apis.map((api) => ({ ...api, node_name: null })),
    running_command: running_command === null ? null : publicCommand(running_command),
    waiting_commands: waiting_commands.map(publicCommand),
  };
  return { data: { ...rest, ...texts.hide(sentences), hold: publicHold(hold) } };
}

/** That it is held is for everybody; who said what on control.sock is for those who may use that. */
function publicHold(hold: StatusWire["hold"]): StatusWire["hold"] {
  if (hold === null) return null;
  return { ...hold, by: "an administrator", reason: "shown on control.sock only" };
}

export function readReport({ texts }: RouteContext, call: Call): Tagged {
  return tagged(texts.report(audienceOf(call)), call);
}

export function readSection({ view, texts }: RouteContext, call: Call): Tagged {
  const name = call.params.section ?? "";
  const audience = audienceOf(call);
  const section = own(view.report().sections, name);
  if (section === undefined) {
    const names = Object.keys(view.report().sections);
    throw new AgentError(
      "no_such_section",
      names.length === 0
        ? "nothing was collected yet: the first collection is under way"
        : `there is no section "${name}" in the report, there is ${names.join(", ")}`,
      names.length === 0
        ? "foundry-agent report"
        : `foundry-agent report ${nearest(name, names) ?? names[0]}`,
    );
  }
  return tagged(texts.section(section, audience), call);
}

/**
 * With an ETag over what is sent, volatile values and times included (RFC 9110 section 8.8.1: a strong one
 * changes with the representation). The texts are made once a section, so what a poll costs is this hash:
 * a tenth of a millisecond for 100 KiB.
 */
function tagged(dataText: string, call: Call): Tagged {
  const etag = `"${hash("sha256", dataText, "base64url")}"`;
  return matches(call.ifNoneMatch, etag) ? { notModified: etag } : { dataText, etag };
}

export function readEvents(_context: RouteContext, { query }: Call): Answer {
  const since = query.get("since") ?? "";
  if (since !== "" && !ULID.test(since))
    throw new AgentError(
      "bad_request",
      `"since" is the id of an event (26 characters), not "${since}"`,
      "foundry-agent events --since all",
    );
  const limit = numberOf(query, "limit", Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return { events: { since, follow: isOn(query, "follow"), limit } };
}

export function readWhyAll({ view, texts }: RouteContext, { socket }: Call): Data<ConditionWire[]> {
  const conditions = everythingWrong(view);
  return { data: socket === "control" ? conditions : texts.hide(conditions) };
}

/** What is known about a condition (by code or id), a section or a command. */
export function readWhy({ view, texts }: RouteContext, { socket, params }: Call): Data<WhyWire> {
  const id = params.id ?? "";
  const conditions = view.status().conditions.filter((one) => isAbout(one, id));
  const section: Section | undefined = own(view.report().sections, id);
  const command = view.command(id);
  if (conditions.length === 0 && section === undefined && command === null)
    throw new AgentError(
      "nothing_known",
      `nothing is wrong by the name "${id}", and no section or command is called so`,
      "foundry-agent why",
    );
  const wire = {
    id,
    conditions: conditions.map(conditionWire),
    section: section === undefined ? null : sectionHead(section),
    command:
      command === null
        ? null
        : socket === "control"
          ? wholeCommandWire(command, view.commandHistory(command.id))
          : commandWire(command),
  };
  return { data: socket === "control" ? wire : { ...texts.hide(wire), id } };
}

export function readMetrics({ view, metrics, now }: RouteContext): Answer {
  return { text: metricsText(view, metrics, now()), type: PROMETHEUS_TYPE };
}

export function readHealth({ view, texts }: RouteContext, { socket }: Call): Data<HealthWire> {
  const { ok, reason } = view.healthy();
  if (ok) return { data: { ok, reason: null } };
  const why = reason ?? "no reason given";
  throw new AgentError("unhealthy", socket === "control" ? why : texts.hide(why), "foundry-agent status");
}

export async function readCheck({ view }: RouteContext, { query }: Call): Promise<Data<CheckWire[]>> {
  const found = await view.check(query.get("api") ?? undefined);
  return { data: found.map(({ name, results }) => ({ name, results: results.map(checkWire) })) };
}

export function readPreview({ view }: RouteContext, { params }: Call): Answer {
  return { text: view.preview(params.api ?? ""), type: "application/json" };
}

function audienceOf({ audience, socket, query }: Call): Call["audience"] {
  if (!isOn(query, "raw")) return audience;
  if (socket === "control") return "raw";
  throw new AgentError(
    "refused",
    "raw data is shown on control.sock only",
    "sudo foundry-agent report --raw",
  );
}

function isAbout(condition: Condition, id: string): boolean {
  return condition.code === id || conditionKey(condition) === id || condition.subject === id;
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** RFC 9110 section 13.1.2: a list, or `*`; compared weakly, since somebody on the way may have weakened it. */
function matches(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const strong = (one: string): string => one.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((one) => strong(one) === strong(etag));
}

/** A switch in a query: there, and neither 0 nor false. */
export function isOn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value !== "false";
}

export function numberOf(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const value = query.get(name);
  if (value === null) return fallback;
  if (!/^[1-9]\d{0,8}$/.test(value))
    throw new AgentError("bad_request", `"${name}" is a whole number from 1, not "${value.slice(0, 40)}"`);
  return Math.min(Number(value), max);
}
