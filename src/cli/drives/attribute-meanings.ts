/**
 * What the numbers of a drive mean, in plain language, for people who look at one drive. Vendors use the same
 * ids for different things, so a meaning is given only where they agree, by id, and by name where it matters.
 */
import type { SmartAttribute } from "../../model/smart.ts";

/** By id; the sentence says what is counted and whether more is bad. */
const MEANINGS: ReadonlyMap<number, string> = new Map([
  [
    1,
    "Rate of read errors before correction. Each maker counts in its own unit; large numbers are normal on Seagate.",
  ],
  [2, "How fast the disk moves data; a figure of the maker's own."],
  [3, "Time the disk needs to come up to speed. Rising slowly over years is age of the bearing or motor."],
  [4, "How often the disk was started and stopped."],
  [
    5,
    "Bad sectors that were replaced by spare ones. A few that stay as they are do no harm; growing ones do.",
  ],
  [7, "Rate of errors in finding a track. On Seagate a packed number that is large on healthy drives."],
  [8, "How fast the disk finds a track; a figure of the maker's own."],
  [9, "Hours the drive was switched on."],
  [10, "How often the disk failed to come up to speed at the first try. Should be 0: motor or power supply."],
  [11, "How often the heads had to be calibrated again."],
  [12, "How often the drive was switched on."],
  [18, "Condition of the heads, as the drive sees it."],
  [22, "Helium left inside the sealed drive, in per cent."],
  [170, "Spare blocks left, in per cent of those it was made with."],
  [171, "Flash writes that failed."],
  [172, "Flash erasures that failed."],
  [173, "Average number of times that the flash was erased."],
  [174, "How often the power went away without notice."],
  [175, "Health of the capacitor that saves the cache at a power loss."],
  [177, "Wear of the flash; the normalised value counts down from 100."],
  [179, "Spare flash blocks that are used up."],
  [180, "Spare flash blocks that are left."],
  [181, "Flash writes that failed."],
  [182, "Flash erasures that failed."],
  [183, "How often the link had to fall back to a slower speed, or (flash) bad blocks that came up in use."],
  [184, "Data that was changed inside the drive, between cache and host. Should be 0."],
  [187, "Errors that could not be corrected and that the host got to see. Should be 0."],
  [
    188,
    "Commands that were given up for taking too long. Seagate packs three counters into one number; growth is what counts.",
  ],
  [189, "Writes with the head too far from or too near to the surface."],
  [190, "Temperature near the drive's electronics or air, often 100 minus °C in the normalised value."],
  [191, "Shocks and vibration noticed while running."],
  [192, "How often the heads were parked because the power went away."],
  [193, "How often the heads were parked. Some hundred thousand are what a disk is made for."],
  [194, "Temperature in °C."],
  [195, "Errors corrected by the drive's own code; a packed number on Seagate."],
  [196, "How often the drive moved data from a bad sector to a spare one, with or without success."],
  [197, "Sectors that can't be read now and wait to be written anew. Should be 0."],
  [198, "Sectors the drive's own scan could not read. Should be 0."],
  [
    199,
    "Transfers damaged between drive and host. Never goes down; growth means cable, backplane or port, not the disk.",
  ],
  [200, "Errors while writing; makers count differently."],
  [201, "Errors of the read channel that software could not hide."],
  [202, "On flash: life used or left in per cent; on disks: errors of the address mark."],
  [206, "Flash writes that failed, as a rate."],
  [220, "How far the platters have shifted against the spindle, after a shock or heat."],
  [222, "Hours with the heads loaded."],
  [223, "How often loading the heads had to be tried again."],
  [225, "Data written, or how often the heads were loaded; depends on the maker."],
  [226, "Time the heads took to load, or wear within a measured period; depends on the maker."],
  [231, "Life of the flash that is left, in per cent; on old disks a temperature."],
  [232, "Spare space that is left, in per cent."],
  [233, "Wear of the flash: the normalised value counts down from 100 to 1."],
  [234, "Average and largest number of erasures, or data written; depends on the maker."],
  [
    235,
    "How often the power went away without notice, or the backup power of the cache; depends on the maker.",
  ],
  [240, "Hours with the heads over the platters."],
  [241, "Data written over the drive's life; the unit depends on the maker."],
  [242, "Data read over the drive's life; the unit depends on the maker."],
  [243, "Data written over the drive's life, upper half or another unit; depends on the maker."],
  [246, "Sectors written by the host."],
  [247, "Flash pages written by the host."],
  [248, "Flash pages written by the drive for itself."],
  [249, "Data written to the flash, in GiB."],
  [250, "How often reading had to be tried again."],
  [254, "How often a free fall was noticed."],
]);

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

/** One sentence on an ATA attribute, or null for a vendor's own. */
export function attributeMeaning(attribute: Pick<SmartAttribute, "id" | "name">): string | null {
  if (attribute.id === 231 && /temperature/i.test(attribute.name)) return "Temperature in °C.";
  if (attribute.id === 202 && /address_mark/i.test(attribute.name)) return "Errors of the address mark.";
  return MEANINGS.get(attribute.id) ?? null;
}

/** One sentence on a field of NVMe or SCSI, or null. */
export function fieldMeaning(field: string): string | null {
  return Object.hasOwn(FIELDS, field) ? (FIELDS[field] as string) : null;
}
