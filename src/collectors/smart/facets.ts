/** What of the section `smart` changes by itself, and what identifies the hardware. */
import { NEVER_NEWS, type Tolerance } from "../../model/facets.ts";

/** Defects are not in it: they are reasons, and those are news. */
export const smartVolatile: Readonly<Record<string, Tolerance>> = {
  "drives[id].trend.since": {},
  "drives[id].facts.temperature_c": { abs: 5 },
  "drives[id].facts.power_on_hours": { abs: 24 },
  "drives[id].facts.bytes_read": NEVER_NEWS,
  "drives[id].facts.bytes_written": NEVER_NEWS,
  "drives[id].facts.error_log_count": { rel: 0.1 },
  "drives[id].facts.command_timeouts": { rel: 0.1 },
  "drives[id].facts.attributes[id].value": NEVER_NEWS,
  "drives[id].facts.attributes[id].worst": NEVER_NEWS,
  "drives[id].facts.attributes[id].raw": NEVER_NEWS,
  "drives[id].facts.attributes[id].raw_text": NEVER_NEWS,
  "drives[id].facts.nvme.error_log_entries": { rel: 0.1 },
  "drives[id].facts.nvme.warning_temperature_minutes": { rel: 0.1 },
  "drives[id].facts.nvme.critical_temperature_minutes": { rel: 0.1 },
  "drives[id].facts.scsi.read_rereads": { rel: 0.1 },
  "drives[id].facts.scsi.write_rewrites": { rel: 0.1 },
  "drives[id].facts.self_test_running.percent_done": NEVER_NEWS,
  history_base: {},
};

export const smartSensitive: readonly string[] = [
  "drives[id].id",
  "drives[id].serial",
  "drives[id].acknowledged.by",
  "drives[id].acknowledged.note",
  "drives[id].facts.serial",
  "drives[id].facts.wwn",
  "history[seq].id",
  "history[seq].serial",
];
