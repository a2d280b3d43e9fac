/**
 * The part of smartctl's JSON that is looked at, of versions 7.0 to 7.5. Every field may be missing or of
 * another type: then it alone is left out, never the drive. Texts and lists are cut, not refused. Numbers
 * beyond 2^53 come with a text twin, `KEY_s` (smartctl(8), --json), which is named beside them.
 */
import * as v from "valibot";

const MAX_ATTRIBUTES = 64;
const MAX_TESTS = 21; // the logs of ATA hold 21, of NVMe and SCSI 20
const MAX_MESSAGES = 20;
const MAX_NAMESPACES = 4;
const MAX_PAGES = 32;

/** A string of some firmware as one line for people, or undefined when nothing is left of it. */
function oneLine(text: string, most: number): string | undefined {
  const clean = text
    .slice(0, 4_096)
    .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufffd]/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, most)
    .toWellFormed();
  return clean === "" ? undefined : clean;
}

const text = (most = 128) =>
  v.fallback(
    v.optional(
      v.pipe(
        v.string(),
        v.transform((value) => oneLine(value, most)),
      ),
    ),
    undefined,
  );
const flag = v.fallback(v.optional(v.boolean()), undefined);
const digits = v.pipe(v.string(), v.regex(/^\d{1,40}$/));
const twin = v.fallback(v.optional(digits), undefined);
const number = v.fallback(
  v.optional(v.union([v.pipe(v.number(), v.finite()), v.pipe(digits, v.transform(Number))])),
  undefined,
);

/** `{ key: number, key_s: twin }` for each key. */
function counters<K extends string>(...keys: readonly K[]) {
  const entries: Record<string, typeof number | typeof twin> = {};
  for (const key of keys) {
    entries[key] = number;
    entries[`${key}_s`] = twin;
  }
  return entries as Record<K, typeof number> & Record<`${K}_s`, typeof twin>;
}

const part = <E extends v.ObjectEntries>(entries: E) => v.fallback(v.optional(v.object(entries)), undefined);

/** Items that don't fit are left out. */
const list = <T>(item: v.GenericSchema<unknown, T>, most: number) =>
  v.fallback(
    v.optional(
      v.pipe(
        v.array(v.unknown()),
        v.transform((items) =>
          items.slice(0, most).flatMap((one) => {
            const parsed = v.safeParse(item, one);
            return parsed.success ? [parsed.output] : [];
          }),
        ),
      ),
    ),
    undefined,
  );

const coded = part({ value: number, string: text() });

const attribute = v.object({
  id: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(255)),
  name: text(64),
  value: number,
  worst: number,
  thresh: number,
  when_failed: text(16),
  flags: part({ string: text(16), prefailure: flag }),
  raw: part({ ...counters("value"), string: text(64) }),
});

const ataTest = v.object({
  type: coded,
  status: part({ value: number, string: text(), passed: flag }),
  lifetime_hours: number,
});
const ataTests = part({ table: list(ataTest, MAX_TESTS) });
const counted = part({ count: number });

const nvmeTest = v.object({ self_test_code: coded, self_test_result: coded, ...counters("power_on_hours") });

const scsiTest = part({
  code: coded,
  result: coded,
  self_test_in_progress: flag,
  power_on_time: part({ hours: number }),
});
const scsiTests = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [`scsi_self_test_${index}`, scsiTest]),
) as Record<"scsi_self_test_0", typeof scsiTest>;
const scsiErrors = part({
  ...counters("total_uncorrected_errors", "errors_corrected_by_rereads_rewrites"),
  gigabytes_processed: text(32),
});

const message = v.object({ string: v.fallback(text(300), undefined), severity: text(16) });
const percent = part({ current_percent: number, threshold_percent: number });

/** A text where the sensor does not tell. */
const warmth = part({ current: number });

const deviceSchema = v.object({ name: text(64), type: text(64), protocol: text(16) });

export const smartctlPart = part({
  version: v.fallback(v.optional(v.array(v.number())), undefined),
  messages: list(message, MAX_MESSAGES),
  exit_status: number,
});

export const smartJsonSchema = v.object({
  smartctl: smartctlPart,
  device: v.fallback(v.optional(deviceSchema), undefined),
  // 7.5: an object; what is in it moved while it was made.
  power_mode: v.fallback(
    v.optional(
      v.union([
        v.pipe(
          v.string(),
          v.transform((s) => ({ name: oneLine(s, 64) })),
        ),
        v.object({ name: text(64), string: text(64), ata_string: text(64) }),
      ]),
    ),
    undefined,
  ),
  model_name: text(),
  model_family: text(),
  serial_number: text(64),
  firmware_version: text(64),
  // SCSI: without prefix until 7.2.
  vendor: text(64),
  product: text(64),
  revision: text(64),
  scsi_vendor: text(64),
  scsi_product: text(64),
  scsi_model_name: text(),
  scsi_revision: text(64),
  logical_unit_id: text(64),
  wwn: part({ naa: number, oui: number, id: number }),
  user_capacity: part(counters("bytes")),
  ...counters("nvme_total_capacity"),
  logical_block_size: number,
  rotation_rate: number,
  form_factor: part({ name: text(32) }),
  // A bare boolean in some builds of 7.2.
  smart_support: v.fallback(
    v.optional(
      v.union([
        v.pipe(
          v.boolean(),
          v.transform((available) => ({ available, enabled: undefined })),
        ),
        v.object({ available: flag, enabled: flag }),
      ]),
    ),
    undefined,
  ),
  smart_status: part({
    passed: flag,
    scsi: part({ asc: number, ascq: number, ie_string: text() }),
  }),
  temperature: part({ current: number, drive_trip: number, op_limit_max: number }),
  scsi_temperature: part({ drive_trip: number }), // 7.3
  // From 7.3 on -x prints these of SAS drives and no temperature.current.
  scsi_environmental_reports: part({ temperature_1: warmth, temperature_2: warmth }),
  power_on_time: part({ hours: number }),
  power_cycle_count: number,
  endurance_used: percent,
  spare_available: percent,

  ata_smart_data: part({
    self_test: part({ status: part({ value: number, string: text(), remaining_percent: number }) }),
  }),
  ata_smart_attributes: part({ table: list(attribute, MAX_ATTRIBUTES) }),
  ata_smart_error_log: part({ extended: counted, summary: counted }),
  ata_smart_self_test_log: part({ extended: ataTests, standard: ataTests }),
  ata_device_statistics: part({
    pages: list(
      v.object({
        table: list(
          v.object({
            name: text(64),
            ...counters("value"),
            flags: part({ valid: flag }),
          }),
          MAX_ATTRIBUTES,
        ),
      }),
      MAX_PAGES,
    ),
  }),

  nvme_smart_health_information_log: part({
    critical_warning: number,
    temperature: number,
    available_spare: number,
    available_spare_threshold: number,
    percentage_used: number,
    ...counters(
      "data_units_read",
      "data_units_written",
      "power_cycles",
      "power_on_hours",
      "unsafe_shutdowns",
      "media_errors",
      "num_err_log_entries",
      "warning_temp_time",
      "critical_comp_time",
    ),
  }),
  nvme_namespaces: list(v.object({ eui64: part({ oui: number, ext_id: number }) }), MAX_NAMESPACES),
  nvme_self_test_log: part({
    current_self_test_operation: coded,
    current_self_test_completion_percent: number,
    table: list(nvmeTest, MAX_TESTS),
  }),

  scsi_grown_defect_list: number,
  scsi_pending_defects: counted,
  pending_defects: counted, // until 7.2
  scsi_error_counter_log: part({ read: scsiErrors, write: scsiErrors, verify: scsiErrors }),
  scsi_percentage_used_endurance_indicator: number,
  ...scsiTests,
});

export type ScsiTest = NonNullable<v.InferOutput<typeof scsiTest>>;
export type SmartJson = v.InferOutput<typeof smartJsonSchema>;
export type SmartJsonAttribute = NonNullable<NonNullable<SmartJson["ata_smart_attributes"]>["table"]>[number];

export const scanJsonSchema = v.object({
  smartctl: smartctlPart,
  devices: list(
    v.object({ name: text(64), type: text(64), protocol: text(16), open_error: text(200) }),
    1_024,
  ),
});
