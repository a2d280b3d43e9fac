/**
 * Metrics of SMART, with the names and labels of smartctl_exporter (github.com/prometheus-community) where the
 * meaning is the same, so that a dashboard made for it works. Two differences on purpose: what is not known is
 * left out and not 0, which there reads as "failed"; and values of a drive that sleeps or hangs are its last
 * ones, with their age in foundry_agent_smart_collected_timestamp_seconds.
 */
import type { Metric, Sample } from "../collector.ts";
import type { SmartData, SmartDrive, SmartShownFacts } from "./schema.ts";

type SmartMetric = Metric<SmartData>;
type Labels = Record<string, string>;

const FLAG_NAMES: readonly (readonly [string, string])[] = [
  ["P", "prefailure"],
  ["O", "updated_online"],
  ["S", "performance"],
  ["R", "error_rate"],
  ["C", "event_count"],
  ["K", "auto_keep"],
];

/** One value a drive, by device. */
function one(
  name: string,
  type: Metric<SmartData>["type"],
  help: string,
  value: (facts: SmartShownFacts) => number | boolean | null | undefined,
  labels: (drive: SmartDrive, facts: SmartShownFacts) => Labels = () => ({}),
): SmartMetric {
  return {
    name,
    help,
    type,
    *samples(data) {
      for (const drive of data.drives) {
        if (drive.facts === null) continue;
        const found = value(drive.facts);
        if (found !== null && found !== undefined)
          yield { value: Number(found), labels: { device: drive.device, ...labels(drive, drive.facts) } };
      }
    },
  };
}

const named = (drive: SmartDrive, facts: SmartShownFacts): Labels => ({
  model_family: facts.family ?? "",
  model_name: drive.model ?? "",
  serial_number: drive.serial ?? "",
});

export const smartMetrics: readonly SmartMetric[] = [
  {
    name: "smartctl_device",
    help: "Device info",
    type: "gauge",
    *samples(data) {
      for (const drive of data.drives)
        yield {
          value: 1,
          labels: {
            device: drive.device,
            interface: drive.paths[0]?.type ?? "",
            protocol: drive.facts?.protocol ?? "",
            model_family: drive.facts?.family ?? "",
            model_name: drive.model ?? "",
            serial_number: drive.serial ?? "",
            firmware_version: drive.facts?.firmware ?? "",
            form_factor: drive.facts?.form_factor ?? "",
          },
        };
    },
  },
  {
    name: "smartctl_version",
    help: "smartctl version",
    type: "gauge",
    *samples(data) {
      if (data.smartctl_version !== null)
        yield { value: 1, labels: { smartctl_version: data.smartctl_version } };
    },
  },
  one("smartctl_device_smart_status", "gauge", "General smart status", ({ passed }) => passed),
  one(
    "smartctl_device_smartctl_exit_status",
    "gauge",
    "Exit status of smartctl on device",
    (it) => it.exit_status,
  ),
  one("smartctl_device_capacity_bytes", "gauge", "Device capacity in bytes", (it) => it.size_bytes),
  one("smartctl_device_rotation_rate", "gauge", "Device rotation rate", (it) => it.rotation_rate || null),
  one(
    "smartctl_device_temperature",
    "gauge",
    "Device temperature in degrees Celsius.",
    (it) => it.temperature_c,
    () => ({ temperature_type: "current" }),
  ),
  one("smartctl_device_power_on_seconds", "counter", "Device power on seconds", (it) =>
    it.power_on_hours === null ? null : it.power_on_hours * 3_600,
  ),
  one("smartctl_device_power_cycle_count", "counter", "Device power cycle count", (it) => it.power_cycles),
  one("smartctl_device_bytes_read", "counter", "Bytes read from the device", (it) => it.bytes_read),
  one("smartctl_device_bytes_written", "counter", "Bytes written to the device", (it) => it.bytes_written),
  one("smartctl_device_percentage_used", "counter", "Device write percentage used", (it) => it.wear_percent),
  one(
    "smartctl_device_available_spare",
    "counter",
    "Remaining spare capacity in percent",
    (it) => it.nvme?.available_spare_percent,
  ),
  one(
    "smartctl_device_available_spare_threshold",
    "counter",
    "Spare capacity below which the device counts as failing",
    (it) => it.nvme?.spare_threshold_percent,
  ),
  one(
    "smartctl_device_critical_warning",
    "counter",
    "Critical warnings of the controller, as bits",
    (it) => it.nvme?.critical_warning,
  ),
  one(
    "smartctl_device_media_errors",
    "counter",
    "Unrecovered data integrity errors",
    (it) => it.nvme?.media_errors,
  ),
  one(
    "smartctl_device_num_err_log_entries",
    "counter",
    "Error log entries over the life of the controller",
    (it) => it.nvme?.error_log_entries,
  ),
  one(
    "smartctl_device_error_log_count",
    "gauge",
    "Device SMART error log count",
    (it) => (it.protocol === "ATA" ? it.error_log_count : null),
    () => ({ error_log_type: "summary" }),
  ),
  {
    name: "smartctl_device_attribute",
    help: "Device attributes",
    type: "gauge",
    *samples(data) {
      for (const { device, facts } of data.drives) yield* attributeSamples(device, facts);
    },
  },
  one(
    "smartctl_scsi_grown_defect_list",
    "counter",
    "Device SCSI grown defect list counter",
    (it) => it.scsi?.grown_defects,
    named,
  ),
  one(
    "smartctl_read_total_uncorrected_errors",
    "counter",
    "Read Total Uncorrected Errors",
    (it) => it.scsi?.read_uncorrected,
    named,
  ),
  one(
    "smartctl_write_total_uncorrected_errors",
    "counter",
    "Write Total Uncorrected Errors",
    (it) => it.scsi?.write_uncorrected,
    named,
  ),
  one(
    "smartctl_read_errors_corrected_by_rereads_rewrites",
    "counter",
    "Read Errors Corrected by ReReads/ReWrites",
    (it) => it.scsi?.read_rereads,
    named,
  ),
  one(
    "smartctl_write_errors_corrected_by_rereads_rewrites",
    "counter",
    "Write Errors Corrected by ReReads/ReWrites",
    (it) => it.scsi?.write_rewrites,
    named,
  ),
  {
    name: "foundry_agent_smart_verdict",
    help: "The agent's verdict on a drive, value is always 1: ok, warn, fail, unknown or asleep.",
    type: "gauge",
    *samples(data) {
      for (const { device, severity } of data.drives)
        yield { value: 1, labels: { device, verdict: severity } };
    },
  },
  {
    name: "foundry_agent_smart_acknowledged",
    help: "Reasons of a drive's verdict that are known and accepted (drives ack), by code.",
    type: "gauge",
    *samples(data) {
      for (const { device, severity, reasons, last_verdict } of data.drives) {
        const own = severity !== "unknown" && severity !== "asleep";
        const counts = new Map<string, number>();
        for (const { code, acknowledged } of own ? reasons : (last_verdict?.reasons ?? []))
          if (acknowledged === true) counts.set(code, (counts.get(code) ?? 0) + 1);
        for (const [reason, value] of counts) yield { value, labels: { device, reason } };
      }
    },
  },
  {
    name: "foundry_agent_smart_collected_timestamp_seconds",
    help: "When the values of a drive were read, where that was before the last round (asleep, hanging).",
    type: "gauge",
    *samples(data) {
      for (const { device, values_at } of data.drives)
        if (values_at !== null) yield { value: Date.parse(values_at) / 1_000, labels: { device } };
    },
  },
];

function* attributeSamples(device: string, facts: SmartShownFacts | null): Iterable<Sample> {
  for (const row of facts?.attributes ?? []) {
    const flags = row.flags ?? "";
    const long = FLAG_NAMES.filter(([letter]) => flags.includes(letter)).map(([, name]) => name);
    const labels = {
      device,
      attribute_name: row.name,
      attribute_flags_short: flags,
      attribute_flags_long: long.join(","),
      attribute_id: String(row.id),
    };
    for (const kind of ["value", "worst", "thresh", "raw"] as const) {
      const value = row[kind];
      if (value !== null) yield { value, labels: { ...labels, attribute_value_type: kind } };
    }
  }
}
