/** The shapes of what command.ts makes, and their types. Not loaded at run time: see answers.ts. */
import * as v from "valibot";
import { KINDS } from "../../commands/after-boot/picture.ts";
import { COMMAND_STATES } from "../../model/command.ts";

const time = v.pipe(v.nullable(v.string()), v.description("RFC 3339, UTC"));
const whySchema = v.strictObject({ code: v.string(), text: v.string(), next_step: v.nullable(v.string()) });
const CONTROL = "On control.sock only";
const text = v.nullable(v.string());

const rehearsalSchema = v.pipe(
  v.nullable(v.strictObject({ text: v.string(), next_step: text })),
  v.description("Of what was only rehearsed: what would have been done, and what turns it on"),
);

/** What both sockets show. */
const shownSchema = v.strictObject({
  id: v.string(),
  source: v.pipe(v.string(), v.description("Who asked: a control API's name, or local")),
  type: v.string(),
  mode: v.pipe(v.nullable(v.picklist(["live", "test"])), v.description("test touches no hardware")),
  state: v.picklist(COMMAND_STATES),
  step: v.pipe(text, v.description("What is being done")),
  received_at: time,
  since: v.pipe(v.nullable(v.string()), v.description("When it came into this state; RFC 3339, UTC")),
  waiting: v.pipe(v.nullable(whySchema), v.description("What it waits for")),
  error: v.pipe(
    v.nullable(v.strictObject({ code: v.string(), message: v.string(), next_step: text })),
    v.description("Why it ended without success"),
  ),
  rehearsal: rehearsalSchema,
});

const checkedSchema = v.strictObject({
  kind: v.picklist(KINDS),
  before: v.pipe(v.number(), v.description("How many worked; of units, how many had failed")),
  after: v.pipe(v.nullable(v.number()), v.description("null: not looked at, or not yet")),
  regressed: v.array(v.strictObject({ name: v.string(), was: v.string(), is: v.string(), text: v.string() })),
});

export const commandSchema = v.strictObject({
  ...shownSchema.entries,
  epoch: v.pipe(v.optional(v.string()), v.description(CONTROL)),
  params: v.pipe(v.optional(v.nullable(v.record(v.string(), v.unknown()))), v.description(CONTROL)),
  operation_id: v.pipe(v.optional(text), v.description(CONTROL)),
  issued_at: v.pipe(v.optional(time), v.description(CONTROL)),
  expires_at: v.pipe(v.optional(time), v.description(CONTROL)),
  signed: v.pipe(v.optional(v.boolean()), v.description(CONTROL)),
  by: v.pipe(
    v.optional(v.nullable(v.strictObject({ uid: v.number(), name: v.string() }))),
    v.description("Of a local one: who asked, as the kernel says; uid -1: not known. On control.sock only"),
  ),
  reason: v.pipe(v.optional(text), v.description("In the words of who asked. On control.sock only")),
  cancelled_by: v.pipe(v.optional(text), v.description(CONTROL)),
  result: v.pipe(v.optional(v.record(v.string(), v.unknown())), v.description(CONTROL)),
  reboot: v.pipe(
    v.optional(
      v.nullable(
        v.strictObject({
          method: v.picklist(["graceful", "hard"]),
          from_boot_id: v.string(),
          attempt: v.number(),
          answer: v.pipe(v.picklist(["none", "taken", "unknown"]), v.description("Of the helper")),
          checked: v.pipe(
            v.nullable(v.array(checkedSchema)),
            v.description("What worked before, and does after the boot; null: nothing was noted"),
          ),
        }),
      ),
    ),
    v.description("What was written down before the host was asked to go down. On control.sock only"),
  ),
  history: v.pipe(
    v.optional(
      v.array(v.strictObject({ at: time, state: v.picklist(COMMAND_STATES), step: text, text: v.string() })),
    ),
    v.description("Oldest first; empty in a list. On control.sock only"),
  ),
});

export const dryRunSchema = v.strictObject({
  dry_run: v.literal(true),
  verdict: v.picklist(["pass", "wait", "refuse"]),
  gates: v.array(
    v.strictObject({
      gate: v.string(),
      verdict: v.picklist(["pass", "wait", "refuse"]),
      why: v.nullable(whySchema),
      would: v.pipe(
        text,
        v.description(
          "The same as a sentence in the conditional; null: what why says holds where nothing is done too",
        ),
      ),
    }),
  ),
});

export const submittedSchema = v.union([commandSchema, dryRunSchema]);

export const holdSchema = v.strictObject({
  reason: v.string(),
  by: v.string(),
  since: time,
  until: v.pipe(v.nullable(v.string()), v.description("RFC 3339, UTC; null: until it is released")),
});

export const releaseSchema = v.strictObject({
  released: v.pipe(v.nullable(holdSchema), v.description("null: nothing was held")),
});

export type ShownCommandWire = v.InferOutput<typeof shownSchema>;
/** As either socket answers; on control.sock `WholeCommandWire`. */
export type CommandWire = v.InferOutput<typeof commandSchema>;
export type WholeCommandWire = Required<CommandWire>;
export type DryRunWire = v.InferOutput<typeof dryRunSchema>;
export type SubmittedWire = v.InferOutput<typeof submittedSchema>;
export type HistoryWire = WholeCommandWire["history"][number];
export type CheckedWire = v.InferOutput<typeof checkedSchema>;
export type HoldWire = v.InferOutput<typeof holdSchema>;
export type ReleaseWire = v.InferOutput<typeof releaseSchema>;
