/** What a SCSI or SAS drive tells of its health: sense codes of its own warnings, and counters. Pure. */
import type { SmartScsi } from "../../model/smart.ts";
import { counted, natural } from "./json-numbers.ts";
import type { SmartJson } from "./json-schema.ts";

/** null: it is none. */
export function scsiOf(it: SmartJson): SmartScsi | null {
  if (it.device?.protocol !== "SCSI") return null;
  const errors = it.scsi_error_counter_log;
  const status = it.smart_status?.scsi;
  return {
    asc: natural(status?.asc),
    ascq: natural(status?.ascq),
    ie_text: status?.ie_string ?? null,
    grown_defects: grownDefects(natural(it.scsi_grown_defect_list), it.smartctl?.version),
    pending_defects: known32(natural((it.scsi_pending_defects ?? it.pending_defects)?.count)),
    read_uncorrected: counted(errors?.read, "total_uncorrected_errors"),
    write_uncorrected: counted(errors?.write, "total_uncorrected_errors"),
    verify_uncorrected: counted(errors?.verify, "total_uncorrected_errors"),
    read_rereads: counted(errors?.read, "errors_corrected_by_rereads_rewrites"),
    write_rewrites: counted(errors?.write, "errors_corrected_by_rereads_rewrites"),
  };
}

/** 7.0 and 7.1 give the list's length in bytes: 8 for each place (4 in the short form, scsiprint.cpp). */
function grownDefects(told: number | null, version: readonly number[] | undefined): number | null {
  const [major, minor = 0] = version ?? [];
  if (told === null || major !== 7 || minor >= 2) return told;
  return told % 8 === 0 ? told / 8 : Math.ceil(told / 4);
}

/** SBC-4: all ones is "not known". */
function known32(value: number | null): number | null {
  return value === null || value >= 0xffff_ffff ? null : value;
}
