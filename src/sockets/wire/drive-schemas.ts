/** The shapes of what /v1/drives answers, and their types. Not loaded at run time: see answers.ts. */
import * as v from "valibot";
import { drivesSchema as drivesSection } from "../../collectors/drives/schema.ts";
import { smartSchema as smartSection } from "../../collectors/smart/schema.ts";
import { reasonSchema } from "./schemas.ts";

const time = v.pipe(v.nullable(v.string()), v.description("RFC 3339, UTC"));

const smartStateSchema = v.pipe(
  v.nullable(
    v.strictObject({
      state: v.picklist(["ok", "stale", "failed", "absent", "pending"]),
      reason: v.nullable(reasonSchema),
      problem: v.pipe(v.nullable(reasonSchema), v.description("Why no drive could be asked")),
      collected_at: time,
    }),
  ),
  v.description("How the section smart fares; null: it is not collected"),
);

export const driveSchema = v.object({
  ...drivesSection.entries.drives.item.entries,
  smart: v.pipe(
    v.nullable(smartSection.entries.drives.item),
    v.description("Its entry in the section smart (verdict, reasons, trend, facts), or null"),
  ),
});

export const drivesSchema = v.strictObject({
  state: v.picklist(["ok", "stale", "failed", "absent", "pending"]),
  reason: v.nullable(reasonSchema),
  collected_at: time,
  smart: smartStateSchema,
  drives: v.pipe(
    v.array(driveSchema),
    v.description(
      "As in the section drives, each with its entry in the section smart. Members of a RAID that only smartctl sees come last",
    ),
  ),
  missing: v.pipe(drivesSection.entries.missing, v.description("Drives that were there before")),
});

export const oneDriveSchema = v.intersect([
  driveSchema,
  v.object({ smart_state: smartStateSchema, collected_at: time }),
]);

/** What is, or was, accepted of a drive. */
export const ackSchema = v.strictObject({
  drive: v.pipe(v.string(), v.description("What it is remembered by: its serial number, or its key")),
  by: v.string(),
  at: v.pipe(v.string(), v.description("RFC 3339, UTC")),
  note: v.nullable(v.string()),
  reasons: v.array(
    v.strictObject({
      code: v.string(),
      attribute: v.pipe(v.nullable(v.number()), v.description("Id of the ATA attribute")),
      value: v.pipe(v.nullable(v.number()), v.description("More than this is news; null: it counts nothing")),
    }),
  ),
});

const smartctlSchema = v.pipe(
  v.looseObject({ smartctl: v.unknown() }),
  v.description("With raw=1: what smartctl says"),
);

export const driveAnswerSchema = v.union([oneDriveSchema, smartctlSchema]);

export type AckWire = v.InferOutput<typeof ackSchema>;
export type DriveWire = v.InferOutput<typeof driveSchema>;
export type SmartWire = NonNullable<DriveWire["smart"]>;
export type SmartStateWire = v.InferOutput<typeof smartStateSchema>;
export type DrivesWire = v.InferOutput<typeof drivesSchema>;
export type MissingWire = DrivesWire["missing"][number];
export type OneDriveWire = v.InferOutput<typeof oneDriveSchema>;
export type SmartctlWire = v.InferOutput<typeof smartctlSchema>;
