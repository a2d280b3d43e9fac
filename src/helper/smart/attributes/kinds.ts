/**
 * What a row of an ATA drive's table counts, by its name: makers use the same numbers for different things, and
 * smartctl's drive database (drivedb.h) gives each family the names its rows deserve. Spelling does not matter
 * there, so it does not here: case, `_`, `-`, `/` and blanks are left out, `%` reads as "percent". A name that
 * nobody here knows is nothing: neither judged nor explained. Pure.
 */
import type { SmartAttribute } from "../../../model/smart.ts";

/** In the order in which they are tried; the first that fits counts. */
const NAMES = [
  // Names that say that nothing is known.
  [
    "unknown",
    /^(?:unk(?:nown|n)|notinuse|notsupported|proprietary|reservedattribute|(?:intel|indilinx|sandforce)internal)/,
  ],
  ["unknown", /^(?:totalunc|percwriteerase|writethrot)|^remain(?:ing)?pe/],

  [
    "throttling",
    /therm.*throt|tempthrot|temp(?:erature)?(?:warning|exceed|count|cnt)|drivetempwarning|crosstemp|^over(?:temp|heat)/,
  ],
  ["temperature", /temperature|^temp/],
  ["helium_level", /^helium(?:level|lvl)?$/],
  ["helium_condition", /^heliumcondition/],
  ["pressure", /^pressurelimit/],

  // The life of something else than the flash.
  ["capacitor", /capacitor|supercap|losscap|^plp|prot(?:ection)?fail|energystor|powerfailhealth/],
  ["workload", /workl|^percworkl/],
  ["warranty", /warranty|drvlifeprotect|lifecurve|endoflife|endurancelimit/],

  // Life used or left; wear.ts knows which number carries it.
  [
    "wear_used",
    /(?:life|lifetime|endurance|wear|wearout)(?:percent|percentage|perc|pct)?(?:used|consumed)|(?<!un)used(?:life|endurance)|^percent(?:age)?used/,
  ],
  [
    "wear_left",
    /^(?!.*(?:spare|reserv|block|blk)).*(?:(?:life|lifetime|endurance|wear|wearout)(?:percent|percentage|perc|pct)?(?:left|remain)|remain(?:ing)?(?:drive|ssd)?(?:life|endurance|wear)|unused(?:life|endurance))/,
  ],
  ["media_wearout", /^mediawearout|^(?:ssd|flash|nand)?wear(?:out)?indicator$/],
  ["wear_leveling", /^wearlevel/],
  ["erase_spread", /^wear(?:range|delta)/],

  ["spare_used", /^used(?:rsvd|rsrvd|reserv)/],
  ["spare_start", /^init(?:ial)?spare/],
  [
    "spare_left",
    /spare|(?:rsvd|rsrvd|resrvd|reserve?d?)(?:blk|bl?oc?k|space|nand|erase)|avai?l?op|overprovision/,
  ],

  ["factory_bad_blocks", /(?:initial|factory)bad/],
  ["reallocated", /^realloc(?:ate)?d?(?:sec|flash|nand|block)|^retired(?:block|blk)|^retriedblk/],
  ["bad_blocks", /bad(?:bl|cluster|flash)|^badbl|failingblock|addedbad|invalidblk/],
  ["reallocation_events", /^reallocat(?:ed|ion)event|dynamicremaps|blkremap/],

  [
    "host_writes",
    /^lifetimew(?:rites|tsfrmhst)|^(?:total)?host(?:lba|gb|sector)?s?writ|^total(?:lbas?)?writ(?:ten|es)|^devicesectorswrit|^sectorswrittentossd|^writesectorstot|^numberofwrite|^writecommandstot/,
  ],
  [
    "host_reads",
    /^lifetimer(?:eads|dsfrmhst)|^(?:total)?host(?:lba|gb|sector)?s?read|^total(?:lbas?)?reads?(?:gi?b|low|high|cnt|count)?$|^devicebytesread|^sectorsreadfromssd|^readsectorstot|^totalnumberofreads|^readcommandstot/,
  ],
  [
    "flash_writes",
    /(?:flash|nand|slc|tlc)(?:gi?b|lbas|sectors)?(?:writ|prg|prog)|wtstoflsh|nandgb|writtentonand|mediawrites/,
  ],
  ["flash_reads", /(?:flash|nand)(?:gi?b|lbas|sectors)?(?:read|rd)(?!s?with)|readfromnand/],
  ["host_pages", /^hostprogrampage/],
  ["own_pages", /^(?:bckgnd|background|ftl)programpage/],

  ["program_fails", /prog(?:ram)?fail/],
  ["erase_fails", /erasefail/],
  ["rated_erases", /ratederase|maxratedpe|ofspec$|countspec$/],
  [
    "erase_count",
    /erea?se|erase|^(?:ave?r?a?ge?|min(?:imum)?|max(?:imum)?)pe(?:c|count)|pecycles|w\/?ecycle|wecycle|pecount/,
  ],

  ["power_loss", /unexp|unsafe|unclean|unplanned|powerfailuncompl|^porrecovery/],
  ["retracts", /^poweroffretract|^emergencyretract/],
  ["power_on_hours", /^poweronhours|^powerontime/],
  ["power_cycles", /^(?:device)?powercyclec|^powercycle$/],

  [
    "reported_uncorrectable",
    /^reportedu|^uncorrectableerr|^uncorrectableecc|^uncorr?readerror(?!rate)|^uecccn?t$/,
  ],
  ["uncorrectable", /^offlineu|^uncorrectablesector|^ueccsector/],
  ["pending", /^(?:current)?pending(?:sect?|ecc)/],
  ["end_to_end", /^endtoenderror(?:c.*)?$|^ioerrordetectcode/],
  ["command_timeouts", /^commandtimeouts?$/],
  ["crc", /crcerr|errorctcrc/],
  ["link_errors", /^sataphyerr|^phyerr|^sataerror|^satacomreset|^sataunc/],
  ["downshifts", /downshift|linkratedwn/],
  [
    "corrected",
    /^(?:hardware|cumulativ)?(?:ecc(?:recovered|onthefly)|correctedecc|errorcorrection)|^hardwareeccrecovered|^softecccorrect|^eccerrorrate|^raiseecc|^corrreaderrors/,
  ],

  ["spin_retries", /^spin(?:up)?retry/],
  ["read_errors", /^rawreaderror/],
  ["throughput", /^throughputperf/],
  ["spin_up", /^spinuptime/],
  ["start_stop", /^startstop/],
  ["seek_errors", /^seekerrorrate/],
  ["seek_time", /^(?:offline)?seek(?:time)?perf/],
  ["calibrations", /^calibrationretry/],
  ["head_health", /^headhealth/],
  ["high_fly", /^highfly/],
  ["shocks", /^gsense/],
  ["load_cycles", /^loadcycle/],
  ["write_errors", /^multizone|^writeerror/],
  ["soft_read_errors", /^(?:un[ck]o?r?r?)?soft?read|^uncsoftread|^uncreaderror|^readsofterror/],
  ["address_mark", /^dataaddressmark/],
  ["disk_shift", /^diskshift/],
  ["loaded_hours", /^loadedhours/],
  ["load_retries", /^loadretry/],
  ["flying_hours", /^headflyinghours/],
  ["read_retries", /^read(?:error)?retry|retryattempts|rdrtry|nandreadswithretry/],
  ["free_fall", /^freefall/],
] as const satisfies readonly (readonly [string, RegExp])[];

export type AttributeKind = Exclude<(typeof NAMES)[number][0], "unknown">;

/** Rows without any name: smartctl's own default for the number (drivedb.h, "DEFAULT"). */
const STANDARD: ReadonlyMap<number, AttributeKind> = new Map([
  [1, "read_errors"],
  [5, "reallocated"],
  [9, "power_on_hours"],
  [10, "spin_retries"],
  [12, "power_cycles"],
  [22, "helium_level"],
  [184, "end_to_end"],
  [187, "reported_uncorrectable"],
  [188, "command_timeouts"],
  [190, "temperature"],
  [194, "temperature"],
  [197, "pending"],
  [198, "uncorrectable"],
  [199, "crc"],
]);

/** `Percent_Life_Used`, `percent-life-used` and `%LifeUsed` are one name. */
export function compactName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll("%", "percent")
    .replace(/[^a-z0-9.]/g, "");
}

/** Kinds of the names seen: the same few in every round. Bounded, for what a drive says may be anything. */
const seen = new Map<string, AttributeKind | null>();
const MOST_SEEN = 1_000;

/** What it counts, or null where the name is not known or says that nothing is. */
export function kindOf({ id, name }: Pick<SmartAttribute, "id" | "name">): AttributeKind | null {
  if (name === `Attribute_${id}`) return STANDARD.get(id) ?? null;
  const before = seen.get(name);
  if (before !== undefined) return before;
  const compact = compactName(name);
  const found = NAMES.find(([, pattern]) => pattern.test(compact))?.[0] ?? "unknown";
  const kind = found === "unknown" ? null : found;
  if (seen.size >= MOST_SEEN) seen.clear();
  seen.set(name, kind);
  return kind;
}

/** The row of a kind; of several the one with the usual number, else the first. */
export function rowOf(
  attributes: readonly SmartAttribute[],
  kind: AttributeKind,
  usual: number,
): SmartAttribute | undefined {
  const found = attributes.filter((row) => kindOf(row) === kind);
  return found.find(({ id }) => id === usual) ?? found[0];
}
