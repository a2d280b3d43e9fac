/** Handlers of the POST routes (routes.ts): on control.sock only. What they ask of the daemon may take a while. */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { templateProblem } from "../../model/text/name-template.ts";
import { nearest } from "../../model/text/suggest.ts";
import type { CollectWire, DoneWire, EnrollWire, ReloadWire, SyncWire } from "../wire/schemas.ts";
import { sectionHead } from "../wire/wire.ts";
import { isOn } from "./reads.ts";
import type { Call, Data, RouteContext } from "./route.ts";

const KEY_MAX = 8 * 1024;

/** Body of POST /v1/enroll. The key is used once; it is in no log, no error and no answer. */
export const enrollBody = v.strictObject({
  api: v.pipe(
    v.optional(v.string()),
    v.description("Name of a control API; not needed where a key can be for one only"),
  ),
  key: v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1),
    v.maxLength(KEY_MAX),
    v.regex(/^[\x21-\x7e]+$/),
    v.description("Of the kind that the control API asks for; used once, never kept"),
  ),
  name: v.pipe(
    v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(253))),
    v.description("Name to register under; {hostname} and {serial} stand for this node's own"),
  ),
});

const ENROLL_SHAPE = 'expected {"key": "…"} and, if wished, "api" and "name"';

export async function enroll({ view }: RouteContext, { body }: Call): Promise<Data<EnrollWire>> {
  const parsed = v.safeParse(enrollBody, body);
  // Valibot's own messages quote what was given: a key must not get into one.
  if (!parsed.success) {
    const field = parsed.issues.map((issue) => v.getDotPath(issue)).find((path) => path !== null);
    const where = field === undefined ? "the body" : `"${field?.slice(0, 40)}" in the body`;
    throw new AgentError(
      "bad_request",
      `${where} is not as it should be: ${ENROLL_SHAPE}`,
      "foundry-agent enroll --help",
    );
  }
  const { api = null, key, name } = parsed.output;
  const problem = name === undefined ? null : templateProblem(name);
  if (problem !== null) throw new AgentError("bad_request", problem, "foundry-agent enroll --help");
  const { nodeId, mode, nodeName } = await view.enroll(api, key, name === undefined ? {} : { name });
  return { data: { node_id: nodeId, node_name: nodeName, mode } };
}

/** Collects and shows; where the collector declares a table, that too, so that any client can print it. */
export async function collect(
  { view, texts, now }: RouteContext,
  { query }: Call,
): Promise<Data<CollectWire>> {
  const collectors = view.collectors();
  const name = query.get("name");
  const collector = collectors.find((one) => one.name === name);
  const names = collectors.map((one) => one.name);
  if (name === null || collector === undefined)
    throw new AgentError(
      name === null ? "bad_request" : "no_such_collector",
      name === null
        ? 'which collector? "name" is missing'
        : `there is no collector "${name.slice(0, 60)}", there is ${names.join(", ")}`,
      `foundry-agent collect ${nearest(name ?? "", names) ?? names[0] ?? "NAME"}`,
    );
  const section = await view.collect(name);
  const table =
    collector.table === undefined || section.data === null
      ? null
      : { columns: [...collector.table.columns], rows: collector.table.rows(section.data, now()) };
  return { data: { ...sectionHead(section), data: texts.data(section, "control"), table } };
}

export async function sync({ view }: RouteContext, { query }: Call): Promise<Data<SyncWire>> {
  const outcomes = await view.sync(query.get("api") ?? undefined);
  return { data: outcomes.map(({ name, ok, text, nextStep }) => ({ name, ok, text, next_step: nextStep })) };
}

export async function reload({ view }: RouteContext): Promise<Data<ReloadWire>> {
  const { ok, problems } = await view.reload();
  return { data: { ok, problems } };
}

export async function forgetDrive({ view }: RouteContext, { params }: Call): Promise<Data<DoneWire>> {
  await view.forgetDrive(params.serial ?? "");
  return { data: { done: true } };
}

export async function adopt({ view }: RouteContext, { query }: Call): Promise<Data<DoneWire>> {
  await view.adopt(isOn(query, "undo"));
  return { data: { done: true } };
}

export async function resetIdentity({ view }: RouteContext): Promise<Data<DoneWire>> {
  await view.resetIdentity();
  return { data: { done: true } };
}

export async function leave({ view }: RouteContext, { query }: Call): Promise<Data<DoneWire>> {
  await view.leave(query.get("api") ?? undefined);
  return { data: { done: true } };
}
