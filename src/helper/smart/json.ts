/**
 * smartctl's JSON and exit status → SmartFacts: one shape for ATA, NVMe, SCSI, RAID members and USB, for all
 * versions from 7.0. Pure. Formats: smartctl's own output, smartctl(8), and the logs' standards named beside.
 */
import * as v from "valibot";
import type { SmartAttribute, SmartFacts, SmartMessage } from "../../model/smart.ts";
import { rowOf } from "./attributes/kinds.ts";
import { bytesOf, counted, natural, wearOf } from "./json-numbers.ts";
import { isBlankLog, nvmeOf } from "./json-nvme.ts";
import {
  type SmartJson,
  type SmartJsonAttribute,
  type smartctlPart,
  smartJsonSchema,
} from "./json-schema.ts";
import { scsiOf } from "./json-scsi.ts";
import { smartctlJson } from "./json-text.ts";
import { runningSelfTest, selfTests } from "./self-tests.ts";

const WORD = 0x1_0000n;
/** Thirty years. */
const MOST_HOURS = 263_000;
const UNTOLD = { percent: null, problem: null };
/** Exit status of a sleeping drive, by `-n standby,3`. */
const EXIT_ASLEEP = 3;

/**
 * @param stdout everything smartctl printed
 * @param exitStatus of the process; null: take the one that the JSON names
 * @throws AgentError `smartctl_too_old`, `smartctl_empty`, `smartctl_garbage`; nothing else, whatever the text
 */
export function smartFacts(stdout: string, exitStatus: number | null): SmartFacts {
  return factsOfJson(smartctlJson(stdout), exitStatus);
}

/** The same for JSON that is an object already. Never throws. */
export function factsOfJson(json: Record<string, unknown>, exitStatus: number | null): SmartFacts {
  const found = v.safeParse(smartJsonSchema, json);
  // Every field has a fallback, so an object always fits; the compiler can't know.
  const told: SmartJson = found.success ? found.output : ({} as SmartJson);
  const it = isBlankLog(told.nvme_smart_health_information_log) ? withoutLog(told) : told;
  const messages = messagesOf(it.smartctl);
  const exit = exitStatus ?? natural(it.smartctl?.exit_status);
  const log = it.nvme_smart_health_information_log;
  const attributes = (it.ata_smart_attributes?.table ?? []).map(attributeOf);
  const rotation = natural(it.rotation_rate);
  const nvme = nvmeOf(it);
  const model =
    it.model_name ?? it.scsi_model_name ?? joined(it.scsi_vendor ?? it.vendor, it.scsi_product ?? it.product);
  const family = it.model_family ?? null;
  const wear = rotation !== null && rotation > 0 ? UNTOLD : wearOf(it, attributes, { model, family });
  return {
    smartctl_version: versionOf(it.smartctl),
    exit_status: exit,
    messages,
    asleep: isAsleep(exit, messages),
    power_mode: it.power_mode === undefined ? null : modeOf(it.power_mode),
    device: it.device?.name ?? null,
    type: it.device?.type ?? null,
    protocol: protocolOf(it.device?.protocol),
    vendor: it.scsi_vendor ?? it.vendor ?? null,
    model,
    family,
    serial: serialOf(it.serial_number),
    firmware: it.firmware_version ?? it.scsi_revision ?? it.revision ?? null,
    wwn: wwnOf(it),
    size_bytes: counted(it.user_capacity, "bytes") ?? counted(it, "nvme_total_capacity"),
    logical_block_bytes: natural(it.logical_block_size),
    rotation_rate: rotation,
    form_factor: it.form_factor?.name ?? null,
    smart_available: it.smart_support?.available ?? null,
    smart_enabled: it.smart_support?.enabled ?? null,
    passed: it.smart_status?.passed ?? null,
    temperature_c: temperatureNow(it),
    temperature_limit_c: limitOf(
      it.temperature?.drive_trip ?? it.scsi_temperature?.drive_trip ?? it.temperature?.op_limit_max,
    ),
    power_on_hours: hoursOf(natural(it.power_on_time?.hours) ?? counted(log, "power_on_hours")),
    power_cycles: natural(it.power_cycle_count) ?? counted(log, "power_cycles"),
    wear_percent: wear.percent,
    wear_problem: wear.problem,
    bytes_read: bytesOf(it, "read"),
    bytes_written: bytesOf(it, "write"),
    error_log_count:
      natural(it.ata_smart_error_log?.extended?.count) ??
      natural(it.ata_smart_error_log?.summary?.count) ??
      counted(log, "num_err_log_entries"),
    command_timeouts: timeoutsOf(it.ata_smart_attributes?.table, attributes),
    attributes,
    nvme,
    scsi: scsiOf(it),
    self_tests: selfTests(it),
    self_test_running: runningSelfTest(it),
  };
}

/** What smartctl made of the log goes with it. */
function withoutLog(it: SmartJson): SmartJson {
  const {
    nvme_smart_health_information_log: _log,
    smart_status: _status,
    endurance_used: _used,
    spare_available: _spare,
    temperature: _temperature,
    power_on_time: _hours,
    power_cycle_count: _cycles,
    ...rest
  } = it;
  return rest;
}

/** smartctl's own words; shared with the scan and the self-tests. */
export function messagesOf(part: v.InferOutput<typeof smartctlPart>): SmartMessage[] {
  return (part?.messages ?? []).flatMap(({ string, severity }) =>
    string === undefined ? [] : [{ text: string, severity: severity ?? null }],
  );
}

export function versionOf(part: v.InferOutput<typeof smartctlPart>): string | null {
  const [major, minor] = part?.version ?? [];
  return natural(major) === null ? null : `${major}.${natural(minor) ?? 0}`;
}

function isAsleep(exit: number | null, messages: readonly SmartMessage[]): boolean {
  if (exit === EXIT_ASLEEP) return true;
  return exit === 2 && messages.some(({ text }) => /\b(?:STANDBY|SLEEP)\b/.test(text));
}

function modeOf(mode: NonNullable<SmartJson["power_mode"]>): string | null {
  return ("string" in mode ? (mode.name ?? mode.string ?? mode.ata_string) : mode.name) ?? null;
}

function protocolOf(text: string | undefined): SmartFacts["protocol"] {
  return text === "ATA" || text === "NVMe" || text === "SCSI" ? text : null;
}

function joined(vendor: string | undefined, product: string | undefined): string | null {
  const whole = [vendor, product].filter((part) => part !== undefined).join(" ");
  return whole === "" ? null : whole;
}

function serialOf(text: string | undefined): string | null {
  return text === undefined || /^(?:0+|none|unknown|n\/?a)$/i.test(text) ? null : text;
}

/** NAA of ATA comes in three decimal numbers of 4, 24 and 36 bits, EUI-64 of NVMe in two of 24 and 40. */
function wwnOf(it: SmartJson): string | null {
  const { naa, oui, id } = it.wwn ?? {};
  if (naa !== undefined && oui !== undefined && id !== undefined)
    return wwnText("0x", hex(naa, 1) + hex(oui, 6) + hex(id, 9));
  if (it.logical_unit_id !== undefined && /^0x[0-9a-f]{16,32}$/i.test(it.logical_unit_id))
    return wwnText("0x", it.logical_unit_id.slice(2).toLowerCase());
  const eui = it.nvme_namespaces?.length === 1 ? it.nvme_namespaces[0]?.eui64 : undefined;
  if (eui?.oui !== undefined && eui.ext_id !== undefined)
    return wwnText("eui.", hex(eui.oui, 6) + hex(eui.ext_id, 10));
  return null;
}

function hex(value: number, length: number): string {
  return Math.max(0, Math.trunc(value)).toString(16).padStart(length, "0").slice(-length);
}

function wwnText(prefix: string, digits: string): string | null {
  return /^0*$/.test(digits) ? null : prefix + digits;
}

/** Drives have told their age since the nineties: more is packed, or counted in another unit. */
function hoursOf(hours: number | null): number | null {
  return hours === null || hours > MOST_HOURS ? null : hours;
}

function temperatureNow(it: SmartJson): number | null {
  const sensors = it.scsi_environmental_reports;
  const told = [
    it.temperature?.current,
    it.nvme_smart_health_information_log?.temperature,
    sensors?.temperature_1?.current,
    sensors?.temperature_2?.current,
  ];
  return told.map(temperatureOf).find((found) => found !== null) ?? null;
}

/** °C; less than a warm room is no limit, and nothing electronic stands more. */
function limitOf(value: number | undefined): number | null {
  return value === undefined || value < 35 || value > 125 ? null : value;
}

/** °C; 0 is what drives and emulators say that don't know. */
function temperatureOf(value: number | undefined): number | null {
  return value === undefined || value === 0 || value < -60 || value > 200 ? null : value;
}

function attributeOf(row: SmartJsonAttribute): SmartAttribute {
  return {
    id: row.id,
    name: row.name ?? `Attribute_${row.id}`,
    value: natural(row.value),
    worst: natural(row.worst),
    thresh: natural(row.thresh),
    when_failed: /now/i.test(row.when_failed ?? "")
      ? "now"
      : /past/i.test(row.when_failed ?? "")
        ? "past"
        : null,
    prefail: row.flags?.prefailure ?? null,
    flags: row.flags?.string ?? null,
    raw: counted(row.raw, "value"),
    raw_text: row.raw?.string ?? null,
  };
}

/** All ones is "never set" and no count. */
function timeoutsOf(
  table: readonly SmartJsonAttribute[] | undefined,
  attributes: readonly SmartAttribute[],
): number | null {
  const row = rowOf(attributes, "command_timeouts", 188);
  const raw = row === undefined ? undefined : table?.[attributes.indexOf(row)]?.raw;
  const exact = raw?.value_s ?? natural(raw?.value);
  if (exact === null || exact === undefined) return null;
  const low = Number(BigInt(exact) % WORD);
  return low === 0xffff ? null : low;
}
