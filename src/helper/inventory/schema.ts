/** What the operation `inventory` gives; the section `hardware` is the same with what changed. */
import * as v from "valibot";

const string = v.pipe(v.string(), v.maxLength(256));
const text = (description: string) => v.pipe(v.nullable(string), v.description(description));
const plain = v.nullable(string);
const count = v.nullable(v.number());
const flag = v.nullable(v.boolean());

export const dimmSchema = v.object({
  slot: v.pipe(string, v.description("As printed on the board: DIMM_A1, P1-DIMMC1")),
  bank: plain,
  populated: v.pipe(v.boolean(), v.description("false: an empty slot")),
  size_bytes: count,
  type: text("DDR4, DDR5, LPDDR4"),
  form: text("DIMM, SODIMM"),
  speed_mts: v.pipe(count, v.description("What the module can, megatransfers a second")),
  configured_speed_mts: v.pipe(count, v.description("What it runs at")),
  manufacturer: plain,
  serial: plain,
  part_number: plain,
  ecc: v.pipe(flag, v.description("Whether it has bits for error correction")),
});

export const powerSupplySchema = v.object({
  location: plain,
  name: plain,
  manufacturer: plain,
  serial: plain,
  asset_tag: plain,
  part_number: plain,
  revision: plain,
  max_power_watts: count,
  present: flag,
  hot_replaceable: flag,
  status: v.pipe(
    v.nullable(v.picklist(["ok", "warning", "critical"])),
    v.description("At the last start of the machine; the BMC knows how it is now"),
  ),
});

const pciDeviceSchema = v.object({
  address: v.pipe(string, v.description("0000:3b:00.0")),
  slot: text("Name of the slot on the board, where the firmware tells"),
  vendor_id: v.pipe(string, v.description("Four hexadecimal digits")),
  device_id: string,
  subsystem: text("Vendor and device of the card: 15d9:1b6c"),
  vendor: text("From the host's own pci.ids; null without it"),
  name: plain,
  driver: text("Kernel driver that has it; null: none"),
  interfaces: v.pipe(v.array(string), v.description("Network interfaces it makes")),
  link_speed: text("8.0 GT/s PCIe"),
  link_width: count,
  max_link_speed: plain,
  max_link_width: count,
});

export const inventoryEntries = {
  source: v.pipe(
    v.nullable(v.picklist(["smbios"])),
    v.description("null: no SMBIOS on this machine (Raspberry Pi); then only pci devices are known"),
  ),
  product: v.object({
    vendor: plain,
    name: plain,
    version: plain,
    serial: plain,
    uuid: plain,
    sku: plain,
    family: plain,
  }),
  board: v.object({ vendor: plain, name: plain, version: plain, serial: plain, asset_tag: plain }),
  bios: v.object({ vendor: plain, version: plain, date: text("YYYY-MM-DD") }),
  chassis: v.object({
    type: text("rack mount, blade, mini PC"),
    vendor: plain,
    version: plain,
    serial: plain,
    asset_tag: plain,
  }),
  dimms: v.pipe(v.array(dimmSchema), v.description("Every slot, empty ones too")),
  power_supplies: v.array(powerSupplySchema),
  gpus: v.array(pciDeviceSchema),
  nics: v.array(pciDeviceSchema),
};

export const inventorySchema = v.object(inventoryEntries);

export type Inventory = v.InferOutput<typeof inventorySchema>;
export type Dimm = v.InferOutput<typeof dimmSchema>;
export type PowerSupply = v.InferOutput<typeof powerSupplySchema>;
export type PciDevice = v.InferOutput<typeof pciDeviceSchema>;
