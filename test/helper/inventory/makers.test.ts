/** Makers of memory modules in the forms that dmidecode was seen to print of them. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { dimmsOf } from "../../../src/helper/inventory/dmi.ts";
import { namedMaker } from "../../../src/helper/inventory/makers.ts";
import { parseSmbios } from "../../../src/helper/inventory/smbios.ts";
import { forAll } from "../../support/for-all.ts";
import { memoryDevice } from "../../support/machine/smbios.ts";

it.each([
  ["80CE", "Samsung"],
  ["00CE", "Samsung"],
  ["CE00", "Samsung"],
  ["CE80", "Samsung"],
  ["0x80CE", "Samsung"],
  ["80CE000080CE", "Samsung"],
  ["00CE00B300CE", "Samsung"],
  ["CE00000000000000", "Samsung"],
  ["JEDEC ID:CE 00 00 00 00 00 00 00", "Samsung"],
  ["JEDEC ID:80 AD", "SK hynix"],
  ["80AD", "SK hynix"],
  ["AD00000000000000", "SK hynix"],
  ["802C", "Micron"],
  ["2C00B3002C00", "Micron"],
  ["0198", "Kingston"],
  ["7F98000000000000", "Kingston"],
  ["859B", "Crucial"],
  ["7F7F7F7F7F9B0000", "Crucial"],
  ["029E", "Corsair"],
  ["7F7F9E0000000000", "Corsair"],
  ["04CB", "A-DATA"],
  ["04CD", "G.Skill"],
  ["830B", "Nanya"],
  ["02FE", "Elpida"],
  ["8A91", "CXMT"],
  ["Samsung", "Samsung"],
  ["Hynix/Hyundai", "Hynix/Hyundai"],
  ["1315", "1315"],
  ["FFFFFFFFFFFF", "FFFFFFFFFFFF"],
  ["ADATA", "ADATA"],
  ["CAFE", "CAFE"],
])("%s is %s", (text, maker) => {
  expect(namedMaker(text)).toBe(maker);
});

it("is told by the module's own code where its name is not filled in", () => {
  const table = memoryDevice(0x1100, {
    slot: "DIMM_A1",
    size: 16_384,
    maker: "Manufacturer0",
    serial: "12AB34CD",
  });
  expect(dimmsOf(parseSmbios(table))).toMatchObject([{ manufacturer: null, serial: "12AB34CD" }]);
  table.writeUInt16LE(0xce80, 0x2c);
  expect(dimmsOf(parseSmbios(table))).toMatchObject([{ manufacturer: "Samsung" }]);
  const named = memoryDevice(0x1100, { slot: "DIMM_A1", size: 16_384, maker: "80CE000080CE" });
  expect(dimmsOf(parseSmbios(named))).toMatchObject([{ manufacturer: "Samsung", serial: null }]);
});

it.each([
  "A1_SerNum0",
  "SerNum00",
  "Serial0",
  "SerialNumber 1",
  "Dimm0_SerNum",
  "Array1_PartNumber0",
  "DIMM0_Manufacturer",
])("%s is a placeholder", (text) => {
  const table = memoryDevice(0x1100, {
    slot: "DIMM_A1",
    size: 16_384,
    maker: text,
    serial: text,
    part: text,
  });
  expect(dimmsOf(parseSmbios(table))).toMatchObject([
    { manufacturer: null, serial: null, part_number: null },
  ]);
});

it("leaves any text as it is or names a maker", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-fA-F]{2,32}$/));
  forAll(
    fc.property(text, (maker) => {
      expect(typeof namedMaker(maker)).toBe("string");
    }),
    { seed: 9 },
  );
});
