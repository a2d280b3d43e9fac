/** Numbers out of smartctl's JSON: counters, wear and data volume, whose source differs between the families. */
import type { SmartAttribute } from "../../model/smart.ts";
import type { SmartJson } from "./json-schema.ts";

/** NVMe counts data in units of 1000 × 512 bytes. */
const NVME_UNIT_BYTES = 512_000;

/** Attributes whose normalised value is the part of the life that is left, by the names of smartctl's database. */
const LIFE_LEFT =
  /^(?:SSD_Life_Left|Media_Wearout_Indicator|Wear_Leveling_Count|Percent_Lifetime_Remain|Remaining_Lifetime_Perc|Drive_Life_Remaining%?|Perc_Rated_Life_Remain)$/;

/** Multiplied by a unit it must still be a number that JSON can carry. */
const MOST = 1e40;

/** A whole number from 0 up, or null. */
export function natural(value: number | undefined): number | null {
  return value !== undefined && value >= 0 ? Math.min(Math.trunc(value) + 0, MOST) : null;
}

/** A counter, by its text twin where the number is beyond what a double holds exactly or is missing. */
export function counted<K extends string>(
  part:
    | ({ readonly [key in K]?: number | undefined } & { readonly [key in `${K}_s`]?: string | undefined })
    | undefined,
  key: K,
): number | null {
  return (
    natural(part?.[key]) ??
    (part?.[`${key}_s`] === undefined ? null : Math.min(Number(part[`${key}_s`]), MOST))
  );
}

/** Rated endurance used: told as such by 7.5, NVMe, SCSI and ATA's device statistics, else by the vendors' attributes. */
export function wearOf(it: SmartJson, attributes: readonly SmartAttribute[]): number | null {
  const told =
    it.endurance_used?.current_percent ??
    it.nvme_smart_health_information_log?.percentage_used ??
    it.scsi_percentage_used_endurance_indicator ??
    statistic(it, "Percentage Used Endurance Indicator");
  if (told !== undefined && told !== null) return natural(told);
  const left = attributes.find(
    ({ name, value }) => LIFE_LEFT.test(name) && value !== null && value <= 100,
  )?.value;
  return left === undefined || left === null ? null : 100 - left;
}

/** A value of ATA's device statistics log (ACS-4, 9.5) that the drive calls valid. */
function statistic(it: SmartJson, name: string): number | null {
  for (const page of it.ata_device_statistics?.pages ?? [])
    for (const row of page.table ?? [])
      if (row.name === name && row.flags?.valid !== false) return counted(row, "value");
  return null;
}

/** Bytes over the drive's life; only from sources whose unit is known. */
export function bytesOf(it: SmartJson, way: "read" | "write"): number | null {
  const log = it.nvme_smart_health_information_log;
  const units = counted(log, way === "read" ? "data_units_read" : "data_units_written");
  if (units !== null) return units * NVME_UNIT_BYTES;
  const sectors = statistic(it, way === "read" ? "Logical Sectors Read" : "Logical Sectors Written");
  if (sectors !== null) return sectors * (natural(it.logical_block_size) ?? 512);
  const gigabytes = Number.parseFloat(it.scsi_error_counter_log?.[way]?.gigabytes_processed ?? "");
  return Number.isFinite(gigabytes) && gigabytes >= 0 ? Math.min(Math.round(gigabytes * 1e9), MOST) : null;
}
