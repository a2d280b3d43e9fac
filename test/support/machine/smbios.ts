/**
 * SMBIOS tables for tests, laid out as DSP0134 says: a server with sixteen slots, of which some are empty, one
 * holds a module that tells nothing, and half of the strings are placeholders. The lab shows that dmidecode
 * reads the same out of it.
 */

type Field =
  | readonly [offset: number, size: 1 | 2 | 4, value: number]
  | readonly [offset: number, text: string];

/** One structure: `length` of the formatted part, and what stands where; a text becomes a string and its number. */
export function structure(type: number, handle: number, length: number, fields: readonly Field[]): Buffer {
  const formatted = Buffer.alloc(length);
  formatted.writeUInt8(type, 0);
  formatted.writeUInt8(length, 1);
  formatted.writeUInt16LE(handle, 2);
  const strings: string[] = [];
  for (const field of fields) {
    if (field.length === 2) {
      strings.push(field[1]);
      formatted.writeUInt8(strings.length, field[0]);
    } else formatted.writeUIntLE(field[2], field[0], field[1]);
  }
  const texts = strings.map((text) => Buffer.from(`${text}\0`, "latin1"));
  return Buffer.concat([formatted, ...(texts.length === 0 ? [Buffer.alloc(1)] : texts), Buffer.alloc(1)]);
}

export interface Module {
  readonly slot: string;
  /** MiB; 0: empty. */
  readonly size: number;
  readonly serial?: string;
  readonly part?: string;
  readonly maker?: string;
}

/** A memory device (type 17) of SMBIOS 3.2. */
export function memoryDevice(handle: number, { slot, size, ...names }: Module): Buffer {
  const small = size < 0x7fff;
  return structure(17, handle, 0x54, [
    [0x04, 2, 0x1000],
    [0x06, 2, 0xfffe],
    [0x08, 2, size === 0 ? 0xffff : 72],
    [0x0a, 2, size === 0 ? 0xffff : 64],
    [0x0c, 2, small ? size : 0x7fff],
    [0x0e, 1, 9],
    [0x10, slot],
    [0x11, "P0_Node0_Channel0"],
    [0x12, 1, size === 0 ? 2 : 26],
    [0x13, 2, 0x80],
    [0x15, 2, size === 0 ? 0 : 3200],
    [0x17, names.maker ?? "NO DIMM"],
    [0x18, names.serial ?? "NO DIMM"],
    [0x19, "P1-DIMM_AssetTag"],
    [0x1a, names.part ?? "NO DIMM"],
    [0x1c, 4, small ? 0 : size],
    [0x20, 2, size === 0 ? 0 : 2933],
  ]);
}

export const MODULES: readonly Module[] = [
  { slot: "P1-DIMMA1", size: 16_384, serial: "S0A1", part: "M393A2K43DB3-CWE", maker: "Samsung" },
  { slot: "P1-DIMMA2", size: 0 },
  { slot: "P1-DIMMB1", size: 65_536, serial: "S0B1", part: "HMAA8GR7CJR4N-XN", maker: "SK Hynix" },
  { slot: "P1-DIMMB2", size: 512, serial: "SerNum0", part: "ModulePartNumber03", maker: "Manufacturer0" },
];

/** The whole table of a rack server. */
export function serverTable(modules: readonly Module[] = MODULES): Buffer {
  return Buffer.concat([
    structure(0, 0x0000, 0x18, [
      [0x04, "American Megatrends Inc."],
      [0x05, "3.4"],
      [0x08, "11/09/2021"],
    ]),
    structure(1, 0x0001, 0x1b, [
      [0x04, "Supermicro"],
      [0x05, "SSG-6029P-E1CR24L"],
      [0x06, "0123456789"],
      [0x07, "S123456X0A12345"],
      [0x08, 4, 0x00010203],
      [0x0c, 4, 0xac1f0405],
      [0x10, 4, 0x6b6d0f1e],
      [0x14, 4, 0x04030201],
      [0x19, "To be filled by O.E.M."],
      [0x1a, "Default string"],
    ]),
    structure(2, 0x0002, 0x0f, [
      [0x04, "Supermicro"],
      [0x05, "X11DPH-T"],
      [0x06, "1.10"],
      [0x07, "ZM18AS012345"],
      [0x08, "To be filled by O.E.M."],
      [0x0d, 1, 0x0a],
    ]),
    structure(3, 0x0003, 0x15, [
      [0x04, "Supermicro"],
      [0x05, 1, 0x17],
      [0x06, "Default string"],
      [0x07, "C8260LI30NA0001"],
      [0x08, "Chassis Asset Tag"],
    ]),
    ...modules.map((module, index) => memoryDevice(0x1100 + index, module)),
    // A flash chip is memory to SMBIOS and none to anybody else.
    structure(17, 0x1200, 0x28, [
      [0x0c, 2, 32],
      [0x10, "BIOS flash"],
      [0x12, 1, 9],
    ]),
    structure(39, 0x2700, 0x16, [
      [0x05, "PSU1"],
      [0x06, "PWS-1K62A-1R"],
      [0x07, "SUPERMICRO"],
      [0x08, "P1K62CJ12AB0001"],
      [0x09, "N/A"],
      [0x0a, "PWS-1K62A-1R"],
      [0x0b, "1.2"],
      [0x0c, 2, 1600],
      [0x0e, 2, 0x1 | 0x2 | (3 << 7)],
    ]),
    structure(39, 0x2701, 0x16, [
      [0x05, "PSU2"],
      [0x06, "To Be Filled By O.E.M."],
      [0x07, "To Be Filled By O.E.M."],
      [0x0c, 2, 0x8000],
      [0x0e, 2, 0x1 | (5 << 7)],
    ]),
    structure(127, 0x7f00, 4, []),
  ]);
}
