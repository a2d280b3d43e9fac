/**
 * What the numbers of a drive mean, in plain language, for people who look at one drive. Makers use the same numbers
 * for different things, so a meaning follows the name of a row (kinds.ts), and a name nobody here knows has none.
 */
import { type AttributeKind, kindOf } from "../../helper/smart/attributes/kinds.ts";
import type { SmartAttribute } from "../../model/smart.ts";

/** The sentence says what is counted and whether more is bad. */
const MEANINGS: Readonly<Record<AttributeKind, string>> = {
  throttling: "How often, or whether, the drive was slowed down or warned because of its temperature.",
  temperature: "Temperature in °C.",
  helium_level: "Helium left inside the sealed drive, in per cent.",
  helium_condition:
    "Condition of the helium inside the sealed drive; the normalised value goes down as it gets lost.",
  pressure: "Whether the pressure inside the sealed drive is within its limits.",
  capacitor: "Health of what keeps the drive alive long enough to save its cache when the power goes.",
  workload:
    "Wear, mix or length of a measured period that a tool of the maker starts; not of the whole life.",
  warranty: "A state of its life by the maker's own rules.",
  wear_used: "Life of the flash that is used, in per cent.",
  wear_left: "Life of the flash that is left, in per cent.",
  media_wearout: "How worn the flash is; which way it counts depends on the maker.",
  wear_leveling:
    "Wear of the flash: the normalised value falls from 100, the raw one is a number of erasures.",
  erase_spread: "How evenly the erasures are spread over the flash.",
  spare_used: "Spare flash blocks that are used up.",
  spare_start: "Spare flash blocks the drive was made with.",
  spare_left: "Spare flash for blocks that go bad. When it is used up the drive can't be written any more.",
  factory_bad_blocks: "Flash blocks that were bad when the drive was made. Tells nothing of its health.",
  reallocated:
    "Bad sectors or flash blocks that were replaced by spare ones. A few that stay as they are do no harm; growing ones do.",
  bad_blocks: "Flash blocks that are bad. A few are usual; growing ones are not.",
  reallocation_events:
    "How often the drive moved data from a bad place to a spare one, with or without success.",
  host_writes: "Data written over the drive's life; the name has the unit, or it is the maker's own.",
  host_reads: "Data read over the drive's life; the name has the unit, or it is the maker's own.",
  flash_writes: "Data written to the flash, with what the drive moves for itself.",
  flash_reads: "Data read from the flash, with what the drive reads for itself.",
  host_pages: "Flash pages written by the host.",
  own_pages: "Flash pages written by the drive for itself.",
  program_fails: "Flash writes that failed.",
  erase_fails: "Flash erasures that failed.",
  rated_erases: "How often the maker expects that the flash can be erased.",
  erase_count: "How often the flash was erased: on average, at least, at most or in all, as the name says.",
  power_loss: "How often the power went away without notice.",
  retracts: "How often the power went away, so that a disk had to park its heads.",
  power_on_hours: "Hours the drive was switched on.",
  power_cycles: "How often the drive was switched on.",
  reported_uncorrectable: "Errors that could not be corrected and that the host got to see. Should be 0.",
  uncorrectable: "Sectors the drive's own scan could not read. Should be 0.",
  pending: "Sectors that can't be read now and wait to be written anew. Should be 0.",
  end_to_end: "Data that was changed inside the drive, between cache and host. Should be 0.",
  command_timeouts:
    "Commands that were given up for taking too long. Seagate packs three counters into one number; growth is what counts.",
  crc: "Transfers damaged between drive and host. Never goes down; growth means cable, backplane or port, not the disk.",
  link_errors: "Errors on the link between drive and host, also harmless ones such as at power-up.",
  downshifts: "How often the link had to fall back to a slower speed.",
  corrected: "Errors corrected by the drive's own code, or their rate; a packed number on Seagate.",
  spin_retries:
    "How often the disk failed to come up to speed at the first try. Should be 0: motor or power supply.",
  read_errors:
    "Rate of read errors before correction. Each maker counts in its own unit; large numbers are normal on Seagate.",
  throughput: "How fast the disk moves data; a figure of the maker's own.",
  spin_up:
    "Time the disk needs to come up to speed. Rising slowly over years is age of the bearing or motor.",
  start_stop: "How often the disk was started and stopped.",
  seek_errors:
    "Rate of errors in finding a track. On Seagate a packed number that is large on healthy drives.",
  seek_time: "How fast the disk finds a track; a figure of the maker's own.",
  calibrations: "How often the heads had to be calibrated again.",
  head_health: "Condition of the heads, as the drive sees it.",
  high_fly: "Writes with the head too far from or too near to the surface.",
  shocks: "Shocks and vibration noticed while running.",
  load_cycles: "How often the heads were parked. Some hundred thousand are what a disk is made for.",
  write_errors: "Errors while writing; makers count differently.",
  soft_read_errors: "Errors of the read channel that software could not hide.",
  address_mark: "Errors of the address mark.",
  disk_shift: "How far the platters have shifted against the spindle, after a shock or heat.",
  loaded_hours: "Hours with the heads loaded.",
  load_retries: "How often loading the heads had to be tried again.",
  flying_hours: "Hours with the heads over the platters.",
  read_retries: "How often reading had to be tried again.",
  free_fall: "How often a free fall was noticed.",
};

/** Names of fields of `nvme` and `scsi` in the section `smart`, and of the drive itself. */
const FIELDS: Readonly<Record<string, string>> = {
  critical_warning:
    "Bits with which an NVMe drive warns: spare, temperature, reliability, read-only, backup, memory region.",
  available_spare_percent: "Spare blocks left. Below its threshold the drive counts as failing.",
  spare_threshold_percent: "Spare blocks at which the maker wants the drive replaced.",
  percentage_used: "Rated endurance used. Beyond 100 the drive goes on, without the maker's promise.",
  media_errors: "Times that data could not be read back without errors. Should be 0.",
  error_log_entries: "Entries in the error log; many drives count harmless commands they do not know.",
  unsafe_shutdowns: "How often the power went away without notice.",
  warning_temperature_minutes: "Minutes spent hotter than the drive's warning temperature.",
  critical_temperature_minutes:
    "Minutes spent hotter than the drive's critical temperature, where it slows down or stops.",
  asc: "Sense code of what the drive says by itself: 0b is a warning, 5d a predicted failure.",
  ascq: "What it warns of, as the text below says.",
  grown_defects:
    "Places on the medium that went bad since it was made. A few that stay do no harm; growing ones do.",
  pending_defects: "Places that can't be read now and wait to be written anew.",
  read_uncorrected: "Reads that could not be corrected. Should be 0.",
  write_uncorrected: "Writes that could not be corrected. Should be 0.",
  verify_uncorrected: "Verifications that could not be corrected. Should be 0.",
  read_rereads: "Reads that were right only after trying again.",
  write_rewrites: "Writes that were right only after trying again.",
  wear_percent: "Rated endurance used, from the best source the drive has.",
  power_on_hours: "Hours the drive was switched on.",
  power_cycles: "How often the drive was switched on.",
  temperature_c: "Temperature in °C.",
};

/** One sentence on an ATA attribute, or null for a name that is not known. */
export function attributeMeaning(attribute: Pick<SmartAttribute, "id" | "name">): string | null {
  const kind = kindOf(attribute);
  return kind === null ? null : MEANINGS[kind];
}

/** One sentence on a field of NVMe or SCSI, or null. */
export function fieldMeaning(field: string): string | null {
  return Object.hasOwn(FIELDS, field) ? (FIELDS[field] as string) : null;
}
