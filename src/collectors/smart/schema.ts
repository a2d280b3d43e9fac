/**
 * The shape of the section `smart`, as it goes over every wire. `facts` is what the helper made of smartctl's
 * JSON (model/smart.ts), as shown.ts picks of it.
 */
import * as v from "valibot";
import { reasonSchema } from "./reason-schema.ts";

const text = (description: string) => v.pipe(v.nullable(v.string()), v.description(description));
const count = (description: string) => v.pipe(v.nullable(v.number()), v.description(description));
const flag = (description: string) => v.pipe(v.nullable(v.boolean()), v.description(description));
const number = v.nullable(v.number());
const string = v.nullable(v.string());

const severitySchema = v.picklist(["ok", "warn", "fail", "unknown", "asleep"]);
const definiteSchema = v.picklist(["ok", "warn", "fail"]);
const attributeSchema = v.object({
  id: v.number(),
  name: v.string(),
  value: count("Normalised by the maker: high is good"),
  worst: number,
  thresh: count("null: the drive gave none"),
  when_failed: v.pipe(v.nullable(v.picklist(["now", "past"])), v.description("At or below its threshold")),
  prefail: flag("Below its threshold it announces a failure; else it tells of age"),
  flags: text("PO--CK: prefail, updated online, performance, error rate, event count, kept"),
  raw: count("48 bits of vendor data, often packed"),
  raw_text: text("What smartctl reads out of it, where that is not the number itself: 31 (Min/Max 23/44)"),
});

const nvmeSchema = v.object({
  critical_warning: count(
    "Bits: 1 spare, 2 temperature, 4 reliability, 8 read-only, 16 backup, 32 memory region",
  ),
  available_spare_percent: number,
  spare_threshold_percent: number,
  percentage_used: count("Rated endurance used; may exceed 100"),
  media_errors: number,
  error_log_entries: number,
  unsafe_shutdowns: number,
  warning_temperature_minutes: number,
  critical_temperature_minutes: number,
});

const scsiSchema = v.object({
  asc: count("Additional sense code; 93 (0x5d): failure predicted, 11 (0x0b): warning"),
  ascq: number,
  ie_text: string,
  grown_defects: number,
  pending_defects: number,
  read_uncorrected: number,
  write_uncorrected: number,
  verify_uncorrected: number,
  read_rereads: number,
  write_rewrites: number,
});

const factsSchema = v.object({
  smartctl_version: string,
  exit_status: count("smartctl's eight bits"),
  messages: v.array(v.object({ text: v.string(), severity: string })),
  power_mode: string,
  protocol: v.nullable(v.picklist(["ATA", "NVMe", "SCSI"])),
  vendor: string,
  model: string,
  family: string,
  serial: string,
  firmware: string,
  wwn: string,
  size_bytes: number,
  logical_block_bytes: number,
  rotation_rate: count("Rotations a minute; 0: solid state"),
  form_factor: string,
  smart_available: v.nullable(v.boolean()),
  smart_enabled: v.nullable(v.boolean()),
  passed: flag("The drive's own verdict; null: it gave none"),
  temperature_c: number,
  temperature_limit_c: count("Up to which the drive itself says it may be used"),
  power_on_hours: number,
  power_cycles: number,
  wear_percent: count("Rated endurance used; solid state only. null: not told, or contradictory"),
  wear_problem: text("Why it can't be told how worn it is, though the drive has numbers for it"),
  bytes_read: count("Over the drive's life"),
  bytes_written: count("Over the drive's life"),
  error_log_count: number,
  command_timeouts: count("Low word of the attribute of that name, as a rule 188"),
  attributes: v.array(attributeSchema),
  nvme: v.nullable(nvmeSchema),
  scsi: v.nullable(scsiSchema),
  self_tests: v.pipe(
    v.array(v.object({ kind: v.string(), passed: v.nullable(v.boolean()), text: v.string(), hours: number })),
    v.description("Newest first, the last 5"),
  ),
  self_test_running: v.nullable(v.object({ kind: string, percent_done: number })),
});

const trendSchema = v.object({
  since: text("Oldest day compared with"),
  reallocated: count("Risen within 30 days"),
  pending: count("Risen within 30 days"),
  uncorrectable: count("Risen within 30 days"),
  reported_uncorrectable: count("Risen within 30 days"),
  media_errors: count("Risen within 30 days"),
  grown_defects: count("Risen within 30 days"),
  pending_defects: count("Risen within 30 days"),
  helium_lost: count("Per cent fallen within 30 days"),
  wear_percent: count("Risen within 30 days"),
  command_timeouts: count("Risen within 7 days"),
  crc_errors: count("Risen within 7 days"),
});

const driveSchema = v.object({
  id: v.pipe(v.string(), v.description("As in the section drives: wwn-…, else serial-…, else path-…")),
  device: v.pipe(v.string(), v.description("sda, nvme0, bus_0_megaraid_3")),
  serial: string,
  model: string,
  paths: v.pipe(
    v.array(v.object({ device: v.string(), type: v.string() })),
    v.description("Ways to ask it; the first one is used"),
  ),
  state: v.pipe(
    v.picklist(["answered", "asleep", "pending", "hangs", "quarantined", "failed"]),
    v.description("What came of asking it in this round; pending: the answer is not there yet"),
  ),
  smart_ok: flag("null: not known"),
  severity: severitySchema,
  reasons: v.array(reasonSchema),
  last_verdict: v.pipe(
    v.nullable(
      v.object({
        severity: definiteSchema,
        reasons: v.array(reasonSchema),
        since: v.pipe(v.string(), v.description("RFC 3339")),
      }),
    ),
    v.description("The last one that was neither unknown nor asleep; alarms go by it"),
  ),
  acknowledged: v.pipe(
    v.nullable(
      v.object({
        by: v.string(),
        at: v.pipe(v.string(), v.description("RFC 3339")),
        note: string,
        reasons: v.pipe(v.array(v.string()), v.description("Codes of what was accepted, also what is over")),
      }),
    ),
    v.description("Who has said that today's counters are known (drives ack); null: nobody"),
  ),
  hangs: v.pipe(v.number(), v.description("Time-outs in a row; from 3 on it is left alone")),
  values_at: text("RFC 3339; of facts that are older than this round (asleep, hanging)"),
  trend: v.nullable(trendSchema),
  facts: v.nullable(factsSchema),
});

const eventSchema = v.object({
  seq: v.pipe(v.number(), v.description("Rises by one each, over restarts")),
  at: v.pipe(v.string(), v.description("RFC 3339")),
  what: v.picklist(["verdict", "self_test"]),
  id: v.string(),
  device: v.string(),
  serial: string,
  model: string,
  from: v.pipe(v.nullable(definiteSchema), v.description("null: seen for the first time")),
  to: v.nullable(definiteSchema),
  reasons: v.array(reasonSchema),
  test: v.nullable(
    v.object({ kind: v.string(), passed: v.nullable(v.boolean()), text: v.string(), hours: number }),
  ),
});

const twinsSchema = v.object({
  share: v.pipe(v.picklist(["serial", "wwn"]), v.description("What they both tell")),
  devices: v.pipe(v.array(v.string()), v.description("Device of each, as in drives")),
});

export const smartSchema = v.object({
  smartctl_version: string,
  drives: v.array(driveSchema),
  twins: v.pipe(
    v.array(twinsSchema),
    v.description("Different drives that tell the same, where only smartctl says so; see the section drives"),
  ),
  ack_problem: text("Why what was known and accepted of drives can't be read"),
  scan_hangs: v.pipe(v.boolean(), v.description("Looking for devices hung in one of them")),
  problem: v.pipe(
    v.nullable(v.object({ code: v.string(), text: v.string(), next_step: string })),
    v.description("Why nobody could be asked"),
  ),
  history: v.pipe(v.array(eventSchema), v.description("The last changes, oldest first")),
  history_base: v.pipe(v.number(), v.description("Highest seq before the agent started")),
});

export type SmartData = v.InferOutput<typeof smartSchema>;
export type SmartTwins = SmartData["twins"][number];
export type SmartDrive = SmartData["drives"][number];
export type SmartShownFacts = NonNullable<SmartDrive["facts"]>;
export type SmartEvent = SmartData["history"][number];
export type SmartLastVerdict = NonNullable<SmartDrive["last_verdict"]>;
