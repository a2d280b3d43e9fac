/**
 * The shapes of what the two sockets answer (the `data` of the envelope), and their types. Not loaded at run time:
 * see answers.ts.
 */
import * as v from "valibot";
import type { AnyCollector } from "../../collectors/index.ts";
import { commandSchema, holdSchema } from "./command-schemas.ts";

const time = v.pipe(v.nullable(v.string()), v.description("RFC 3339, UTC"));
const severity = v.picklist(["info", "warning", "error"]);
const text = (description: string) => v.pipe(v.string(), v.description(description));
const maybe = (description: string) => v.pipe(v.nullable(v.string()), v.description(description));
const mode = v.pipe(
  v.nullable(v.picklist(["live", "test", "read-only"])),
  v.description("Anything but live never touches hardware"),
);

export const conditionSchema = v.strictObject({
  id: text("The code, with the subject in brackets where there is one; what /v1/why/{id} takes"),
  code: text("Stable, snake_case"),
  subject: maybe("What it is about when there can be several at once: a drive, a control API"),
  severity,
  text: text("One sentence"),
  next_step: maybe("What to type or do next"),
  since: time,
});

const armedSchema = v.pipe(
  v.strictObject({
    armed: v.pipe(v.boolean(), v.description("remote is on, hardware may be touched, a live key")),
    remote: v.pipe(
      v.picklist(["off", "rehearse", "on", "unusable"]),
      v.description("Of the policy; unusable: missing or wrong, so nothing from the network is carried out"),
    ),
    hardware: v.boolean(),
    mode,
    signed: v.pipe(
      v.nullable(v.boolean()),
      v.description("Whether commands must be signed; null: the policy can't be used"),
    ),
  }),
  v.description("Whether a command from the network could change this host, and by which switches"),
);

const apiSchema = v.strictObject({
  name: v.string(),
  enrolled: v.boolean(),
  node_id: v.nullable(v.string()),
  node_name: maybe(
    "What this node is called there; on control.sock only, since it may have a serial number in it",
  ),
  mode,
  note: maybe("One sentence when something is to be known"),
  last_sync_at: time,
  last_error: v.nullable(v.strictObject({ code: v.string(), text: v.string(), at: time })),
  next_due_at: time,
  breaker: v.pipe(
    v.picklist(["closed", "open"]),
    v.description("closed: working; open: failing, waiting before the next try"),
  ),
  failures: v.pipe(v.number(), v.description("In a row")),
  interval_s: v.number(),
  pending_events: v.pipe(v.number(), v.description("Not yet acknowledged by this API")),
  sent_bytes_this_month: v.number(),
  received_bytes_this_month: v.number(),
  requests_this_month: v.number(),
});

const collectorSchema = v.strictObject({
  name: v.string(),
  state: v.picklist(["ok", "stale", "failed", "absent", "pending"]),
  every_ms: v.number(),
  duration_ms: v.pipe(v.nullable(v.number()), v.description("Of the last run")),
  runs: v.number(),
  failures: v.number(),
  last_run_at: time,
  next_run_at: time,
});

export const statusSchema = v.strictObject({
  version: v.string(),
  started_at: time,
  uptime_s: v.pipe(v.number(), v.description("Of the agent, not of the machine")),
  boot_id: v.string(),
  hostname: v.string(),
  node_id: v.nullable(v.string()),
  mode,
  local_only: v.pipe(v.boolean(), v.description("No control API is configured")),
  status: v.picklist(["online", "degraded", "draining", "rebooting", "maintenance", "held"]),
  hardware: v.pipe(v.boolean(), v.description("Whether the agent may touch hardware")),
  armed: armedSchema,
  network_profile: v.pipe(
    v.picklist(["normal", "metered"]),
    v.description("metered: rounds are far apart, and commands arrive with them only"),
  ),
  state_folder: v.string(),
  conditions: v.array(conditionSchema),
  not_yet_known: v.pipe(
    v.array(v.strictObject({ code: v.string(), subject: v.nullable(v.string()), text: v.string() })),
    v.description(
      'What is absent since the agent\'s start and may still come: no condition before a minute is over. text: the end of "not yet known: …"',
    ),
  ),
  control_apis: v.array(apiSchema),
  collectors: v.array(collectorSchema),
  spool: v.strictObject({ events: v.number(), bytes: v.number(), dropped: v.number() }),
  running_command: v.pipe(v.nullable(commandSchema), v.description("What is being carried out")),
  waiting_commands: v.pipe(v.array(commandSchema), v.description("Accepted and not begun, in their order")),
  hold: v.nullable(holdSchema),
});

export const reasonSchema = v.strictObject({
  code: v.string(),
  text: v.string(),
  next_step: v.nullable(v.string()),
});

const sectionHeadSchema = v.strictObject({
  name: v.string(),
  state: v.pipe(
    v.picklist(["ok", "stale", "failed", "absent"]),
    v.description(
      "stale: the last good value, no longer fresh; failed: never a good value; absent: no such thing here",
    ),
  ),
  reason: v.pipe(v.nullable(reasonSchema), v.description("Why it is not ok")),
  collected_at: time,
  duration_ms: v.nullable(v.number()),
});

/** A section whose data is of this shape. */
export function sectionSchema<T>(data: v.GenericSchema<unknown, T>) {
  return v.strictObject({ ...sectionHeadSchema.entries, data: v.nullable(data) });
}

/** The section of any of these collectors; of any shape where there are none. */
export function anySectionSchema(collectors: readonly AnyCollector[]) {
  const known = collectors.map((collector) => collector.schema);
  return sectionSchema(known.length === 0 ? v.unknown() : v.union(known));
}

export function reportSchema(collectors: readonly AnyCollector[]) {
  return v.strictObject({
    boot_id: v.string(),
    sections: v.object(
      Object.fromEntries(collectors.map(({ name, schema }) => [name, v.optional(sectionSchema(schema))])),
    ),
  });
}

export const locateSchema = v.strictObject({
  name: text("Kernel name of the drive"),
  how: v.picklist(["enclosure", "ledctl"]),
  on: v.boolean(),
  for_s: v.pipe(v.nullable(v.number()), v.description("Seconds until it goes off; null when it is off")),
  off_at: time,
});

export const selfTestSchema = v.strictObject({
  name: text("Kernel name of the drive"),
  test: v.picklist(["short", "long", "abort"]),
  minutes: v.pipe(
    v.nullable(v.number()),
    v.description("How long it takes, as the drive says; null: it does not say"),
  ),
});

export const collectSchema = v.strictObject({
  ...sectionHeadSchema.entries,
  data: v.unknown(),
  table: v.pipe(
    v.nullable(
      v.strictObject({ columns: v.array(v.string()), rows: v.array(v.array(v.nullable(v.string()))) }),
    ),
    v.description("The collector's own table, finished texts"),
  ),
});

export const eventSchema = v.strictObject({
  id: text("ULID, rising"),
  type: v.string(),
  severity,
  at: time,
  data: v.record(v.string(), v.unknown()),
});

export const whySchema = v.strictObject({
  id: v.string(),
  conditions: v.array(conditionSchema),
  section: v.nullable(sectionHeadSchema),
  command: v.nullable(commandSchema),
});

export const syncSchema = v.array(
  v.strictObject({
    name: v.string(),
    ok: v.boolean(),
    text: text("One sentence"),
    next_step: maybe("What to type or do next"),
  }),
);

export const checkSchema = v.array(
  v.strictObject({
    name: v.string(),
    results: v.array(
      v.strictObject({
        what: v.string(),
        verdict: v.picklist(["ok", "warning", "failed", "skipped"]),
        text: v.string(),
        next_step: v.nullable(v.string()),
      }),
    ),
  }),
);

export const reloadSchema = v.strictObject({ ok: v.boolean(), problems: v.array(v.string()) });
export const enrollSchema = v.strictObject({
  node_id: v.string(),
  node_name: maybe("What it is called there"),
  mode: v.string(),
});
export const doneSchema = v.strictObject({ done: v.pipe(v.literal(true), v.description("It is so now")) });
export const healthSchema = v.strictObject({ ok: v.literal(true), reason: v.null() });

export const errorSchema = v.strictObject({
  code: text("Stable, snake_case"),
  message: text("One sentence"),
  next_step: maybe("What to type next"),
});

export type StatusWire = v.InferOutput<typeof statusSchema>;
export type ConditionWire = v.InferOutput<typeof conditionSchema>;
export type ReasonWire = v.InferOutput<typeof reasonSchema>;
/** Everything of a section but its data. */
export type SectionHeadWire = v.InferOutput<typeof sectionHeadSchema>;
export type ReportWire = v.InferOutput<ReturnType<typeof reportSchema>>;
export type LocateWire = v.InferOutput<typeof locateSchema>;
export type SelfTestWire = v.InferOutput<typeof selfTestSchema>;
export type CollectWire = v.InferOutput<typeof collectSchema>;
export type EventWire = v.InferOutput<typeof eventSchema>;
export type WhyWire = v.InferOutput<typeof whySchema>;
export type SyncWire = v.InferOutput<typeof syncSchema>;
export type CheckWire = v.InferOutput<typeof checkSchema>[number];
export type ReloadWire = v.InferOutput<typeof reloadSchema>;
export type EnrollWire = v.InferOutput<typeof enrollSchema>;
export type DoneWire = v.InferOutput<typeof doneSchema>;
export type HealthWire = v.InferOutput<typeof healthSchema>;
