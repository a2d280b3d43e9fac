/**
 * What is known of one drive by SMART, and what is made of it. The helper (root) makes `SmartFacts` of
 * smartctl's JSON, the collector makes a `SmartVerdict` of the facts; both go over wires as they are, hence
 * snake_case. Every field is there; null is "not known", which is never "bad".
 */

export type SmartSeverity = "ok" | "warn" | "fail" | "unknown" | "asleep";

export interface SmartMessage {
  readonly text: string;
  /** `error`, `warning`, `information`, as smartctl says. */
  readonly severity: string | null;
}

/** One row of an ATA drive's table. */
export interface SmartAttribute {
  readonly id: number;
  readonly name: string;
  /** Normalised by the vendor: high is good, 1–253. */
  readonly value: number | null;
  readonly worst: number | null;
  /** null: the drive gave no threshold for it. */
  readonly thresh: number | null;
  readonly when_failed: "now" | "past" | null;
  /** Below its threshold it announces a failure within a day; else it only tells of age. */
  readonly prefail: boolean | null;
  /** `PO--CK`: prefail, updated online, performance, error rate, event count, kept. */
  readonly flags: string | null;
  /** 48 bits of vendor data; the nearest double beyond 2^53. */
  readonly raw: number | null;
  /** As smartctl reads it with what it knows of the vendor. */
  readonly raw_text: string | null;
}

/** NVMe Base Specification, SMART / Health Information log page. */
export interface SmartNvme {
  /** Bits 1 spare, 2 temperature, 4 reliability, 8 read-only, 16 backup, 32 persistent memory region. */
  readonly critical_warning: number | null;
  readonly available_spare_percent: number | null;
  readonly spare_threshold_percent: number | null;
  /** 0–255; beyond 100 the rated endurance is used up. */
  readonly percentage_used: number | null;
  readonly media_errors: number | null;
  readonly error_log_entries: number | null;
  readonly unsafe_shutdowns: number | null;
  /** Minutes above the warning and the critical temperature, over the drive's life. */
  readonly warning_temperature_minutes: number | null;
  readonly critical_temperature_minutes: number | null;
}

export interface SmartScsi {
  /** Additional sense code of the informational exceptions page; 0x5d: failure predicted, 0x0b: warning. */
  readonly asc: number | null;
  readonly ascq: number | null;
  readonly ie_text: string | null;
  readonly grown_defects: number | null;
  readonly pending_defects: number | null;
  readonly read_uncorrected: number | null;
  readonly write_uncorrected: number | null;
  readonly verify_uncorrected: number | null;
  readonly read_rereads: number | null;
  readonly write_rewrites: number | null;
}

export interface SmartSelfTest {
  /** `short`, `long`, `conveyance`, `selective`, `offline`, `vendor`, or what smartctl says. */
  readonly kind: string;
  /** null: aborted, interrupted, still running or not told. */
  readonly passed: boolean | null;
  readonly text: string;
  /** Power-on hours when it ended (16 bits on ATA: starts anew after 65535). */
  readonly hours: number | null;
}

export interface SmartSelfTestRunning {
  readonly kind: string | null;
  /** 0–100; null where the drive does not tell (SCSI). */
  readonly percent_done: number | null;
}

/** What the helper tells of one drive after one smartctl run. */
export interface SmartFacts {
  /** `7.3`. */
  readonly smartctl_version: string | null;
  /** Eight bits; see verdict/verdict.ts. null: smartctl did not end by itself. */
  readonly exit_status: number | null;
  readonly messages: readonly SmartMessage[];
  /** smartctl left the drive alone because it sleeps: nothing below is known. */
  readonly asleep: boolean;
  /** What the drive said of its power state: `ACTIVE or IDLE`, `STANDBY`. */
  readonly power_mode: string | null;

  readonly device: string | null;
  readonly type: string | null;
  readonly protocol: "ATA" | "NVMe" | "SCSI" | null;
  readonly vendor: string | null;
  readonly model: string | null;
  readonly family: string | null;
  readonly serial: string | null;
  readonly firmware: string | null;
  /** `0x…` (NAA) or `eui.…`, as the section `drives` has it. */
  readonly wwn: string | null;
  readonly size_bytes: number | null;
  readonly logical_block_bytes: number | null;
  /** Rotations a minute; 0: solid state; null: not told. */
  readonly rotation_rate: number | null;
  readonly form_factor: string | null;

  readonly smart_available: boolean | null;
  readonly smart_enabled: boolean | null;
  /** The drive's own overall verdict; null: it gave none. */
  readonly passed: boolean | null;

  readonly temperature_c: number | null;
  /** Up to which the drive itself says it may be used, °C. */
  readonly temperature_limit_c: number | null;
  readonly power_on_hours: number | null;
  readonly power_cycles: number | null;
  /** Rated endurance used, per cent; may exceed 100. Solid state only. null: not told, or contradictory. */
  readonly wear_percent: number | null;
  /** Why `wear_percent` is null though the drive has numbers for it: a sentence. */
  readonly wear_problem: string | null;
  readonly bytes_read: number | null;
  readonly bytes_written: number | null;
  /** Records in the drive's error log. */
  readonly error_log_count: number | null;
  /** Of the attribute with that name, as a rule 188; the low word, because Seagate packs three counters into it. */
  readonly command_timeouts: number | null;

  readonly attributes: readonly SmartAttribute[];
  readonly nvme: SmartNvme | null;
  readonly scsi: SmartScsi | null;
  /** Newest first. */
  readonly self_tests: readonly SmartSelfTest[];
  readonly self_test_running: SmartSelfTestRunning | null;
}

/** What a reason counts, and of which attribute; left out where it has no such thing. */
export interface SmartParams {
  readonly count?: number;
  /** Id of the ATA attribute. */
  readonly attribute?: number;
}

export interface SmartReason {
  /** Stable, snake_case. */
  readonly code: string;
  /** What stands in `detail` for who must not read sentences. */
  readonly params?: SmartParams;
  /** Somebody said that it is known as far as it has come: it warns no more. Left out where nobody did. */
  readonly acknowledged?: boolean;
  /** One sentence; steady as long as nothing new happened, so that it is no news by itself. */
  readonly detail: string;
}

export interface SmartVerdict {
  /** null: not known. Where a wire wants a boolean, the field is left out while null. */
  readonly smart_ok: boolean | null;
  readonly severity: SmartSeverity;
  /** What decides stands first. */
  readonly reasons: readonly SmartReason[];
}

/** One device smartctl can be asked about, as `smart.scan` gives it. */
export interface SmartDevice {
  /** `/dev/sda`, `/dev/nvme0`, `/dev/bus/0`. */
  readonly name: string;
  /** For `-d`: `sat`, `nvme`, `megaraid,3`. */
  readonly type: string;
  readonly protocol: string | null;
  /** Why it is not asked: smartctl could not open it (`Permission denied`), or its type is none that is passed on. */
  readonly open_error: string | null;
}

/** Answer of the helper's operation `smart.scan`. */
export interface SmartScanAnswer {
  readonly smartctl_version: string | null;
  readonly devices: readonly SmartDevice[];
  /** false: a drive hung while it was looked for, so devices are listed without having been opened. */
  readonly opened: boolean;
}

/** Answer of the helper's operation `smart.read`. */
export interface SmartReadAnswer {
  readonly facts: SmartFacts;
  /** smartctl's whole JSON; only when asked for. */
  readonly raw?: unknown;
}

/** Answer of the helper's operation `smart.test`. */
export interface SmartTestAnswer {
  readonly test: "short" | "long" | "abort";
  readonly messages: readonly SmartMessage[];
}

/** Counted values of one drive on one day; what growth is told from. */
export interface SmartSample {
  /** `2026-11-21`, UTC. */
  readonly day: string;
  readonly reallocated: number | null;
  readonly pending: number | null;
  readonly uncorrectable: number | null;
  readonly reported_uncorrectable: number | null;
  readonly command_timeouts: number | null;
  readonly crc_errors: number | null;
  readonly media_errors: number | null;
  readonly grown_defects: number | null;
  readonly pending_defects: number | null;
  /** Per cent of what was filled in. */
  readonly helium_percent: number | null;
  readonly wear_percent: number | null;
  readonly power_on_hours: number | null;
  readonly temperature_c: number | null;
}

/** The kept samples, by serial number (or WWN where a drive has none). */
export interface SmartHistory {
  /** Oldest first; at most the last 90 days. */
  read(serial: string): readonly SmartSample[];
  /** Nothing happens when there is a sample of that day. Written lazily. */
  add(serial: string, sample: SmartSample): void;
}
