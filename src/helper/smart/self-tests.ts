/**
 * Self-tests of a drive out of smartctl's JSON: what it tested before, newest first, and what it tests now.
 * The three families log them in three ways; a test that was aborted proves nothing either way.
 */
import type { SmartSelfTest, SmartSelfTestRunning } from "../../model/smart.ts";
import type { ScsiTest, SmartJson } from "./json-schema.ts";

/** ATA: the status byte's upper half (ACS-4, self-test execution status). */
const ATA_RUNNING = 15;
/** NVMe Base Specification, Device Self-test log: 0 passed, 5–7 failed, 15 unused, else aborted. */
const NVME_FAILED = new Set([5, 6, 7]);
const NVME_UNUSED = 15;
/** SPC-5, self-test results log page: 0 passed, 1–2 aborted, 3–7 failed, 15 running. */
const SCSI_RUNNING = 15;

/** Finished ones, newest first. */
export function selfTests(it: SmartJson): SmartSelfTest[] {
  const log = it.ata_smart_self_test_log;
  const ata = log?.extended?.table ?? log?.standard?.table;
  if (ata !== undefined)
    return ata
      .filter(({ status }) => half(status?.value) !== ATA_RUNNING)
      .map(({ type, status, lifetime_hours }) => ({
        kind: kindOf(type?.string),
        passed: status?.passed ?? null,
        text: status?.string ?? "",
        hours: hoursOf(lifetime_hours),
      }));
  if (it.nvme_self_test_log?.table !== undefined)
    return it.nvme_self_test_log.table
      .filter(({ self_test_result: result }) => result?.value !== NVME_UNUSED)
      .map(({ self_test_code: code, self_test_result: result, power_on_hours }) => ({
        kind: kindOf(code?.string),
        passed: result?.value === 0 ? true : NVME_FAILED.has(result?.value ?? -1) ? false : null,
        text: result?.string ?? "",
        hours: hoursOf(power_on_hours),
      }));
  return scsiTests(it)
    .filter((test) => !isScsiRunning(test))
    .map(({ code, result, power_on_time }) => ({
      kind: kindOf(code?.string),
      passed: scsiPassed(result?.value),
      text: result?.string ?? "",
      hours: hoursOf(power_on_time?.hours),
    }));
}

export function runningSelfTest(it: SmartJson): SmartSelfTestRunning | null {
  const status = it.ata_smart_data?.self_test?.status;
  if (half(status?.value) === ATA_RUNNING) {
    // An aborted test has remaining_percent too, so only the status byte tells that one runs.
    const left = status?.remaining_percent;
    return { kind: null, percent_done: left === undefined ? null : percent(100 - left) };
  }
  const nvme = it.nvme_self_test_log;
  const operation = nvme?.current_self_test_operation;
  if (operation?.value !== undefined && operation.value !== 0) {
    const done = nvme?.current_self_test_completion_percent;
    return { kind: kindOf(operation.string), percent_done: done === undefined ? null : percent(done) };
  }
  const running = scsiTests(it).find(isScsiRunning);
  return running === undefined ? null : { kind: kindOf(running.code?.string), percent_done: null };
}

function scsiTests(it: SmartJson): ScsiTest[] {
  const found: ScsiTest[] = [];
  for (let index = 0; index < 20; index++) {
    const test = it[`scsi_self_test_${index}` as keyof SmartJson] as ScsiTest | undefined;
    if (test === undefined) break;
    found.push(test);
  }
  return found;
}

function isScsiRunning(test: ScsiTest): boolean {
  return test.self_test_in_progress === true || test.result?.value === SCSI_RUNNING;
}

function scsiPassed(result: number | undefined): boolean | null {
  if (result === 0) return true;
  return result !== undefined && result >= 3 && result <= 7 ? false : null;
}

function half(value: number | undefined): number | null {
  return value === undefined ? null : Math.floor(value / 16);
}

function hoursOf(value: number | undefined): number | null {
  return value === undefined || value < 0 ? null : Math.trunc(value);
}

function percent(value: number): number {
  return Math.min(100, Math.max(0, Math.round(value)));
}

function kindOf(text: string | undefined): string {
  if (text === undefined) return "unknown";
  if (/short/i.test(text)) return "short";
  if (/extended|long/i.test(text)) return "long";
  if (/conveyance/i.test(text)) return "conveyance";
  if (/selective/i.test(text)) return "selective";
  if (/vendor/i.test(text)) return "vendor";
  return /offline/i.test(text) ? "offline" : text;
}
