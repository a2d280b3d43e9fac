/** The shape of the section `bmc`, as it goes over every wire. Types are inferred from it. */
import * as v from "valibot";

const text = (description: string) => v.pipe(v.nullable(v.string()), v.description(description));
const count = (description: string) => v.pipe(v.nullable(v.number()), v.description(description));
const flag = (description: string) => v.pipe(v.nullable(v.boolean()), v.description(description));

const lanSchema = v.object({
  source: v.pipe(
    v.nullable(v.picklist(["static", "dhcp", "bios", "other"])),
    v.description("Where its address comes from"),
  ),
  address: text("IPv4 address of the BMC"),
  netmask: v.nullable(v.string()),
  gateway: v.nullable(v.string()),
  mac: v.nullable(v.string()),
  vlan: count("802.1q id; null: untagged"),
});

const chassisSchema = v.object({
  power_on: v.nullable(v.boolean()),
  power_overload: v.nullable(v.boolean()),
  power_interlock: v.nullable(v.boolean()),
  main_power_fault: v.nullable(v.boolean()),
  power_control_fault: v.nullable(v.boolean()),
  restore_policy: text("What it does when power comes back: always-off, always-on, previous"),
  last_power_event: v.nullable(v.string()),
  intrusion: v.nullable(v.boolean()),
  front_panel_lockout: v.nullable(v.boolean()),
  drive_fault: v.nullable(v.boolean()),
  cooling_fault: v.nullable(v.boolean()),
});

const sensorSchema = v.object({
  id: v.pipe(v.string(), v.description("Its name, with a number behind it where several have the same")),
  name: v.string(),
  kind: v.picklist(["temperature", "fan", "voltage", "current", "power", "supply", "other"]),
  state: v.pipe(
    v.nullable(v.picklist(["ok", "warning", "critical"])),
    v.description(
      "By the BMC's own thresholds, or by what the IPMI specification says of the states it asserts; null: no reading",
    ),
  ),
  value: v.nullable(v.number()),
  unit: text("As the BMC says: degrees C (or F, K), RPM, Volts, Amps, Watts, percent"),
  asserted: text("What a sensor without a value says: Presence detected, Failure detected"),
});

const entryFields = {
  id: v.pipe(v.nullable(v.number()), v.description("Record id; they start anew when the log is cleared")),
  at: text("RFC 3339 by the BMC's own clock, taken as UTC; null: its clock was not set"),
  sensor: text("Type and name of the sensor"),
  event: v.nullable(v.string()),
  detail: text("Reading and threshold"),
};

const lastEntrySchema = v.object({ ...entryFields, asserted: v.nullable(v.boolean()) });

const newsSchema = v.object({
  seq: v.pipe(v.number(), v.description("Rises by one with each; never starts anew")),
  what: v.pipe(
    v.picklist(["baseline", "critical", "cleared", "skipped"]),
    v.description("baseline: the first look; skipped: more came at once than are told one by one"),
  ),
  count: count("Entries in the log (baseline, cleared), or how many were skipped, where that is known"),
  ...entryFields,
});

const selSchema = v.object({
  entries: v.nullable(v.number()),
  percent_used: v.nullable(v.number()),
  overflow: flag("Entries were lost because the log is full"),
  last: v.pipe(v.nullable(lastEntrySchema), v.description("The newest entry of any kind")),
  news: v.pipe(v.array(newsSchema), v.description("The newest of what became events, oldest first")),
  news_base: v.pipe(v.number(), v.description("seq of the newest before this look")),
});

const problemSchema = v.object({
  part: v.picklist(["lan", "info", "sensors", "sel"]),
  code: v.string(),
  text: v.string(),
  next_step: v.nullable(v.string()),
});

export const bmcSchema = v.object({
  source: v.pipe(
    v.picklist(["in-band", "lan"]),
    v.description("How it is asked: through /dev/ipmi0 or over the network"),
  ),
  answering: v.pipe(v.boolean(), v.description("false: it hangs and is asked less often until it answers")),
  firmware: v.nullable(v.string()),
  ipmi_version: v.nullable(v.string()),
  manufacturer_id: count("IANA enterprise number"),
  manufacturer: v.nullable(v.string()),
  product_id: v.nullable(v.number()),
  product: v.nullable(v.string()),
  lan: v.pipe(
    v.nullable(lanSchema),
    v.description("null: it has no network, or it is not known (lan_channel)"),
  ),
  lan_channel: flag("Whether the board has a network channel of the BMC; null: not known"),
  chassis: v.nullable(chassisSchema),
  restart_cause: text("Why the host was last started, as the BMC says"),
  sensors: v.pipe(v.nullable(v.array(sensorSchema)), v.description("null: could not be read")),
  sel: v.pipe(v.nullable(selSchema), v.description("The system event log; null: could not be read")),
  problems: v.pipe(v.array(problemSchema), v.description("What could not be read, or only in part, and why")),
});

export type BmcData = v.InferOutput<typeof bmcSchema>;
export type BmcSensor = v.InferOutput<typeof sensorSchema>;
export type BmcNews = v.InferOutput<typeof newsSchema>;
export type BmcSelData = v.InferOutput<typeof selSchema>;
export type BmcProblem = v.InferOutput<typeof problemSchema>;
