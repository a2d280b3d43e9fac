/**
 * What boards leave in fields that nobody filled in, collected from GLPI's, OCS Inventory's and FusionInventory's lists,
 * netdata, systemd's hwdb, lshw and dmidecode outputs in bug reports. A serial number that many boards share is worse
 * than none: what tells two machines apart rests on it.
 */

/** Compared in lower case, without what is no letter or digit at the ends, one space between words. */
const TEXTS = new Set(
  `
  to be filled by o.e.m|to be filled by oem|to be filled|to be filled in|to be defined|to be defined by oem|tbd|tbd by oem
  filled by oem|filled by o.e.m|fill by oem|fill by o.e.m|set by oem|oem to fill in this information|o.e.m|oem|oemid
  oem_serial|oem serial|oem string|oem chassis|oem chassis manufacturer|oem_mb|oem default|standard
  default string|default_string|default|default value|default name|defaultstring
  system serial number|systemserialnumb|system serialnumb|system product name|system manufacturer|system version|system name
  system sku|system skunumber|system sku number|system family|system uuid|system_manufacturer|system model|system id
  base board serial number|base board product name|base board version|base board manufacturer|base board asset tag
  baseboard serial number|baseboard product name|baseboard version|baseboard manufacturer|board serial number|board name
  board version|board manufacturer|board product name|board vendor name|board asset tag|board asset number|bsn12345678901234567
  chassis serial number|chassis asset tag|chassis manufacture|chassis manufacturer|chassis version|chassis type
  chassis sku number|chassis name|no enclosure|enclosure|asset tag|asset number|no asset tag|no asset information|no asset
  asset-1234567890|asset-9876543210|asset-123456789|your asset tag|sku|sku number|sku_number|family|product family
  serial number|serial_number|serialnumber|serial no|serial|serial number xxxxxx|no serial number|no serial|sernum|s/n|sn
  product name|product_name|product version|product serial|product family name|part number|part_number|partnumber|pn
  manufacturer|manufacturer name|vendor|vendor name|version|model|model name|name|string|revision|type1productconfigid
  not specified|not available|not applicable|not present|not defined|not provided|not set|not installed|not known|not
  not settable|not filled|none provided|none|no data|null|(null)|(null string)|(none)|n/a|n.a|na|nil|nothing|blank|void
  unknown|unknow|unkown|unknown product|unknown vendor|unknown manufacturer|unknown serial|undefined|undef|unspecified
  unspecified system|uninitialized|invalid|invalid serial number|empty|empty string|bad index|<bad index>|<out of spec>|out of spec
  reserved|dummy|test|sample|eval|evaluation|iatpass|inval|error|pass|fail|x.x|x.x.x|xx.xx|rev x.xx|rev x.0x|rev 1.xx
  x.0x|1.xx|0x00|0x0000|0x00000000|no dimm|no module installed|module not installed|all series|tulip computers|insydeh2o
  01234567890123456789ab|0123456789ab|0123456789abc|0123456789abcd|0123456789abcde|0123456789abcdef|123456789abcdef|abcdefghijk
  abcdef|abcdefg|abcdefgh|abcdefghij|abcdef123456|0123456789-abcdef
  sn-123456fvgv3i0b8o5n6n7k|mb-1234567890|sys-1234567890|sys-9876543210|sn-12345|sn-123456|sn-1234567890|sn0123456789|5ekpm18320000397
  l1234567890|placeholder|not implemented|x|xx|xxx|??|???|a1b2c3d4e5|deadbeef|changeme|change me
  `
    .split(/[|\n]/)
    .map((text) => text.trim())
    .filter((text) => text !== ""),
);

/** The long ones of them also as one word: `ChassisSerialNumber`, `SYSTEM_SKU_NUMBER`. */
const SOLID = new Set([...TEXTS].map(solid).filter((text) => /^[a-z]{8,}$/.test(text)));

/** Forms that carry a number or the field's own name. */
const FORMS: readonly RegExp[] = [
  // Numbers counted up or down, with or without a beginning: 12345, 0123456789012, 987654321, 123456789000
  /^(?:(?:sn|sys|mb|nb|bsn|psn|csn|serial|asset|chassis)[-_ ]?)?0?12345(?:6(?:7(?:8(?:9(?:0|a[0-9a-f]*)?[0-9]*)?)?)?)?$/,
  /^(?:(?:sn|sys|mb|bsn|serial|asset)[-_ ]?)?9876543(?:2(?:10?)?)?$/,
  // SMBIOS' own names of structures and fields: Type2 - Board Product Name1, SmbiosType1_SystemManufacturer
  /^(?:smbios)?type ?\d+[ _-]+.*(?:serial|product|version|manufactur|vendor|name|asset|sku|family|number|location|tag)\w*( ?\d+)?$/,
  // $(DEFAULT_STRING), %SERIAL%, {SERIAL}, <serial>, [serial]
  /^[$%{<[(@].*[)%}>\]@]$/,
  /^(?:oem )?default string[ _]?\d*$/,
  /^oem[ _-]?(?:default )?(?:string|serial|number|name|manufacturer|product)?[ _-]?[0x]*$/,
  /^to be filled\b.*$/,
  // No Serial, Unknown Product, Default System BIOS, Invalid Asset Tag
  /^(?:no|missing|invalid|empty|default|dummy|unknown) (?:asset|serial|product|board|baseboard|system|chassis|sku|oem|part|vendor|manufacturer|model|name|number|tag|string|value|info|information|module|dimm|data|enclosure|version|family|type|id)(?: [a-z/ ]{1,20})?$/,
  // A byte that was printed as a number: -64
  /^-\d{1,5}$/,
  // Serial Number xxxxxx, XXXXXXXX-XX
  /^(?:serial number |s\/n:? ?|sn:? ?)?[x*#?0.-]{4,}$/,
  /^(?:not?|un) ?(?:specified|available|applicable|present|defined|provided|assigned|implemented|populated|found|programmed|initiali[sz]ed|set|readable)(?: by .*)?$/,
  /^oem default string inject\b.*$/,
];

/** Whether a text is what firmware has instead of a value. @param text one line, trimmed, of single spaces */
export function isPlaceholder(text: string): boolean {
  const lower = text.toLowerCase();
  if (TEXTS.has(lower) || TEXTS.has(lower.replace(/^[\s.,:;"'-]+|[\s.,:;"'-]+$/g, ""))) return true;
  if (SOLID.has(solid(lower)) || FORMS.some((form) => form.test(lower))) return true;
  // Only fillers (....., -----, *****), or one and the same character over and over (0, 0000, XXXXXX, FFFF).
  return (
    /^[\s.\-_*#?=/\\]+$/.test(text) ||
    /^(?:0x)?0+$/i.test(text) ||
    /^(.)\1{3,}$/i.test(text) ||
    isRepeated(text)
  );
}

function solid(text: string): string {
  return text.replace(/[\s._-]+/g, "");
}

/** A short piece over and over: 0000-0000-0000, ABABABAB; four times at least. */
function isRepeated(text: string): boolean {
  const solid = text.replace(/[\s:._-]+/g, "");
  return solid.length >= 8 && /^(.{1,2})\1{3,}$/.test(solid);
}

/** As Linux prints them: the first three fields little-endian. */
const UUIDS = [
  "03000200-0400-0500-0006-000700080009",
  "12345678-1234-5678-90ab-cddeefaabbcc",
  "12345678-1234-5678-1234-567812345678",
  "12345678-1234-1234-1234-123456789abc",
  "12345678-1234-1234-1234-123456789012",
  "12345678-9abc-def0-1234-56789abcdef0",
  "00010203-0405-0607-0809-0a0b0c0d0e0f",
  "01234567-8910-1112-1314-151617181920",
  "01234567-89ab-cdef-0123-456789abcdef",
  "11111111-2222-3333-4444-555555555555",
  "11223344-5566-7788-99aa-bbccddeeff00",
  "00112233-4455-6677-8899-aabbccddeeff",
  "03020100-0504-0706-0809-0a0b0c0d0e0f",
  "07090201-0103-0301-0807-060504030201",
  "6ab5b300-538d-1014-9fb5-b0684d007b53",
  "890e2d14-cacd-45d1-ae66-bc80e8bfeb0f",
  "8e275844-178f-44a8-aceb-a7d7e5178c63",
  "dc698397-fa54-4cf2-82c8-b1b5307a6a7f",
  "deadbeef-dead-beef-dead-beefdeadbeef",
  "4c4c4544-0000-2010-8020-80c04f202020",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
];

/** With each its bytes in the other order, as SMBIOS before 2.6 had them and some tools print them. */
const SHARED_UUIDS = new Set(UUIDS.flatMap((uuid) => [uuid, swapped(uuid)]));

/** Whether many boards have this uuid. @param uuid well-formed, in lower case */
export function isSharedUuid(uuid: string): boolean {
  if (SHARED_UUIDS.has(uuid)) return true;
  const hex = uuid.replaceAll("-", "");
  // One byte, or two of them by turns, over and over.
  if (/^(..)\1{15}$/.test(hex) || /^(....)\1{7}$/.test(hex)) return true;
  // All but the last field empty: unique only where that is a network card's address.
  if (/^0{20}/.test(hex)) return !isAddress(hex.slice(20));
  if (/-ffff-ffff-ffff-ffffffffffff$/.test(uuid)) return true;
  return isBlankServiceTag(hex) || isBlankServiceTag(swapped(uuid).replaceAll("-", ""));
}

/** Of a network card: neither nobody's nor a group's. */
function isAddress(hex: string): boolean {
  return !/^(.)\1+$/.test(hex) && (Number.parseInt(hex.slice(0, 2), 16) & 1) === 0 && !/^0{6}/.test(hex);
}

/** Dell makes its uuid of `DELL` and the service tag, which a new board has not got: then it is blanks or nothing. */
function isBlankServiceTag(hex: string): boolean {
  if (!hex.startsWith("4c4c4544")) return false;
  const tag = [5, 6, 9, 10, 13, 14, 15].map(
    (at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16) & 0x7f,
  );
  return tag.every((code) => code === 0 || code === 0x20);
}

function swapped(uuid: string): string {
  const [a = "", b = "", c = "", ...rest] = uuid.split("-");
  const turned = [a, b, c].map((field) => (field.match(/../g) ?? []).reverse().join(""));
  return [...turned, ...rest].join("-");
}
