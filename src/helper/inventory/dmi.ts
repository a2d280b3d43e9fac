/**
 * Board, BIOS, chassis, memory modules and power supplies out of the SMBIOS table. Offsets and codes are those
 * of DSP0134 3.7: type 0 (7.1), 1 (7.2), 2 (7.3), 3 (7.4), 17 (7.18), 39 (7.40).
 */
import { cleanDmi, cleanUuid, isoBiosDate } from "../../model/text/dmi-text.ts";
import { codedMaker, namedMaker } from "./makers.ts";
import type { Dimm, Inventory, PowerSupply } from "./schema.ts";
import { byteAt, doubleWordAt, type SmbiosStructure, stringAt, wordAt } from "./smbios.ts";

type Board = Pick<Inventory, "product" | "board" | "bios" | "chassis">;

export function boardOf(structures: readonly SmbiosStructure[]): Board {
  const first = (type: number): SmbiosStructure | undefined =>
    structures.find((structure) => structure.type === type);
  const [bios, system, chassis] = [first(0), first(1), first(3)];
  // Blades and multi-node chassis have several boards: the one that is a motherboard, else the first.
  const boards = structures.filter((structure) => structure.type === 2);
  const board = boards.find((one) => byteAt(one, 0x0d) === 0x0a) ?? boards[0];
  return {
    product: {
      vendor: text(system, 0x04),
      name: text(system, 0x05),
      version: text(system, 0x06),
      serial: text(system, 0x07),
      uuid: system === undefined ? null : uuidOf(system),
      sku: text(system, 0x19),
      family: text(system, 0x1a),
    },
    board: {
      vendor: text(board, 0x04),
      name: text(board, 0x05),
      version: text(board, 0x06),
      serial: text(board, 0x07),
      asset_tag: text(board, 0x08),
    },
    bios: {
      vendor: text(bios, 0x04),
      version: text(bios, 0x05),
      date: isoBiosDate(text(bios, 0x08)),
    },
    chassis: {
      type: chassis === undefined ? null : chassisType(byteAt(chassis, 0x05)),
      vendor: text(chassis, 0x04),
      version: text(chassis, 0x06),
      serial: text(chassis, 0x07),
      asset_tag: text(chassis, 0x08),
    },
  };
}

/** Every slot for a module, empty ones too; those that are no main memory (flash, ROM) left out. */
export function dimmsOf(structures: readonly SmbiosStructure[]): Dimm[] {
  const slots = new Map<string, number>();
  return structures
    .filter(({ type }) => type === 17)
    .map((structure) => dimmOf(structure))
    .filter((dimm) => dimm !== null)
    .map((dimm) => {
      // Some boards call every slot of all processors "DIMM 0".
      const times = (slots.get(dimm.slot) ?? 0) + 1;
      slots.set(dimm.slot, times);
      return times === 1 ? dimm : { ...dimm, slot: `${dimm.slot} ${times}` };
    });
}

function dimmOf(structure: SmbiosStructure): Dimm | null {
  const kind = byteAt(structure, 0x12);
  if (kind !== null && NOT_MAIN_MEMORY.has(kind)) return null;
  const locator = moduleText(structure, 0x10);
  const bank = moduleText(structure, 0x11);
  const size = sizeOf(structure);
  const slot = locator ?? bank ?? `handle ${structure.handle.toString(16).padStart(4, "0")}`;
  const full = size === "unknown" || (typeof size === "number" && size > 0);
  const name = <T>(value: T): T | null => (full ? value : null);
  return {
    slot,
    bank,
    populated: full,
    size_bytes: typeof size === "number" && size > 0 ? size : null,
    type: name(kind === null ? null : (MEMORY_TYPES[kind] ?? null)),
    form: FORM_FACTORS[byteAt(structure, 0x0e) ?? 0] ?? null,
    speed_mts: name(speedOf(structure, 0x15, 0x54)),
    configured_speed_mts: name(speedOf(structure, 0x20, 0x58)),
    manufacturer: name(maker(structure)),
    serial: name(moduleText(structure, 0x18)),
    part_number: name(moduleText(structure, 0x1a)),
    ecc: name(eccOf(structure)),
  };
}

/** Bytes; 0: an empty slot; "unknown": there is one, its size is not told. */
function sizeOf(structure: SmbiosStructure): number | "unknown" | null {
  const size = wordAt(structure, 0x0c);
  if (size === null || size === 0) return 0;
  if (size === 0xffff) return "unknown";
  // 32 GiB and more: MiB in the extended field.
  if (size === 0x7fff) return ((doubleWordAt(structure, 0x1c) ?? 0) & 0x7fff_ffff) * 2 ** 20 || "unknown";
  return (size & 0x8000) === 0 ? size * 2 ** 20 : (size & 0x7fff) * 2 ** 10;
}

function speedOf(structure: SmbiosStructure, at: number, extendedAt: number): number | null {
  const speed = wordAt(structure, at);
  if (speed === null || speed === 0) return null;
  if (speed !== 0xffff) return speed;
  return (doubleWordAt(structure, extendedAt) ?? 0) & 0x7fff_ffff || null;
}

/** Whether the module is wider (72 bits) than its data (64): the extra ones are for error correction. */
function eccOf(structure: SmbiosStructure): boolean | null {
  const [total, data] = [wordAt(structure, 0x08), wordAt(structure, 0x0a)];
  if (total === null || data === null || total === 0xffff || data === 0xffff || data === 0) return null;
  return total > data;
}

export function suppliesOf(structures: readonly SmbiosStructure[]): PowerSupply[] {
  return structures.flatMap((structure): PowerSupply[] => {
    if (structure.type !== 39) return [];
    const power = wordAt(structure, 0x0c);
    const traits = wordAt(structure, 0x0e);
    const status = traits === null ? null : (traits >> 7) & 0b111;
    return [
      {
        location: text(structure, 0x05),
        name: text(structure, 0x06),
        manufacturer: text(structure, 0x07),
        serial: text(structure, 0x08),
        asset_tag: text(structure, 0x09),
        part_number: text(structure, 0x0a),
        revision: text(structure, 0x0b),
        max_power_watts: power === null || power === 0 || power === 0x8000 ? null : power,
        present: traits === null ? null : (traits & 0b10) !== 0,
        hot_replaceable: traits === null ? null : (traits & 0b1) !== 0,
        status: status === null ? null : (SUPPLY_STATUS[status] ?? null),
      },
    ];
  });
}

function text(structure: SmbiosStructure | undefined, offset: number): string | null {
  return structure === undefined ? null : cleanDmi(stringAt(structure, offset));
}

function maker(structure: SmbiosStructure): string | null {
  const text = moduleText(structure, 0x17);
  return text === null ? codedMaker(structure) : namedMaker(text);
}

/** Placeholders that only memory modules have: `ModulePartNumber03`, `A1_SerNum0`, `DIMM0_Manufacturer`. */
function moduleText(structure: SmbiosStructure, offset: number): string | null {
  const found = text(structure, offset);
  const filler =
    /^(?:.*_)?(?:module)? ?(?:ser(?:ial)?[_ ]?(?:num(?:ber)?|no)?|part[_ ]?num(?:ber)?|manufacturer|asset[_ ]?tag(?:[_ ]?num(?:ber)?)?)[_ ]?\d*$/i;
  return found === null || filler.test(found) ? null : found;
}

/** The first three fields are little-endian since version 2.6, as Linux and dmidecode take them for all. */
function uuidOf({ bytes }: SmbiosStructure): string | null {
  if (bytes.length < 0x18) return null;
  const hex = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString("hex");
  const swapped = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(from, to)).reverse().toString("hex");
  return cleanUuid([swapped(8, 12), swapped(12, 14), swapped(14, 16), hex(16, 18), hex(18, 24)].join("-"));
}

function chassisType(code: number | null): string | null {
  return code === null ? null : (CHASSIS_TYPES[code & 0x7f] ?? null);
}

/** Those of servers and small devices; others are null rather than a word nobody asks for. */
const CHASSIS_TYPES: Readonly<Record<number, string>> = {
  3: "desktop",
  4: "low profile desktop",
  6: "mini tower",
  7: "tower",
  8: "portable",
  9: "laptop",
  10: "notebook",
  13: "all in one",
  17: "main server chassis",
  23: "rack mount",
  24: "sealed-case PC",
  25: "multi-system",
  28: "blade",
  29: "blade enclosure",
  33: "IoT gateway",
  34: "embedded PC",
  35: "mini PC",
};

const FORM_FACTORS: Readonly<Record<number, string>> = {
  3: "SIMM",
  5: "chip",
  9: "DIMM",
  11: "row of chips",
  12: "RIMM",
  13: "SODIMM",
  15: "FB-DIMM",
  16: "die",
  17: "CAMM",
};

const MEMORY_TYPES: Readonly<Record<number, string>> = {
  7: "RAM",
  15: "SDRAM",
  18: "DDR",
  19: "DDR2",
  20: "DDR2 FB-DIMM",
  24: "DDR3",
  26: "DDR4",
  27: "LPDDR",
  28: "LPDDR2",
  29: "LPDDR3",
  30: "LPDDR4",
  31: "non-volatile",
  32: "HBM",
  33: "HBM2",
  34: "DDR5",
  35: "LPDDR5",
  36: "HBM3",
};

/** VRAM, ROM, flash, EEPROM, FEPROM, EPROM. */
const NOT_MAIN_MEMORY = new Set([4, 8, 9, 10, 11, 12]);

const SUPPLY_STATUS: Readonly<Record<number, PowerSupply["status"]>> = {
  3: "ok",
  4: "warning",
  5: "critical",
};
