/** What an NVMe drive tells in its log of health. Pure. */
import type { SmartNvme } from "../../model/smart.ts";
import { counted, natural } from "./json-numbers.ts";
import type { SmartJson } from "./json-schema.ts";

type Log = SmartJson["nvme_smart_health_information_log"];

const ONES = 0xff;
/** 0 K and FFFFh K in whole degrees Celsius; smartctl leaves 0 out of its own reading. */
const NO_TEMPERATURES = new Set([undefined, 0, -273, 0xffff - 273]);

/**
 * A page of nothing but zeros or ones: what a USB bridge gives that does not pass the log on, and a controller that is
 * gone. It is no drive without spare blocks, none that is new, and none that fails in every way there is.
 */
export function isBlankLog(log: Log): boolean {
  if (log === undefined || !NO_TEMPERATURES.has(log.temperature)) return false;
  const shares = [log.available_spare, log.available_spare_threshold, log.percentage_used];
  if (log.critical_warning === ONES) return shares.every((share) => share === ONES);
  const isZero = [...shares, log.critical_warning].every((share) => share === 0);
  return isZero && !counted(log, "power_on_hours") && !counted(log, "power_cycles");
}

/** null: it is none, or told nothing. */
export function nvmeOf(it: SmartJson): SmartNvme | null {
  const log = it.nvme_smart_health_information_log;
  if (log === undefined) return null;
  return {
    critical_warning: natural(log.critical_warning),
    available_spare_percent: natural(log.available_spare ?? it.spare_available?.current_percent),
    spare_threshold_percent: natural(log.available_spare_threshold ?? it.spare_available?.threshold_percent),
    percentage_used: natural(log.percentage_used ?? it.endurance_used?.current_percent),
    media_errors: counted(log, "media_errors"),
    error_log_entries: counted(log, "num_err_log_entries"),
    unsafe_shutdowns: counted(log, "unsafe_shutdowns"),
    warning_temperature_minutes: counted(log, "warning_temp_time"),
    critical_temperature_minutes: counted(log, "critical_comp_time"),
  };
}
