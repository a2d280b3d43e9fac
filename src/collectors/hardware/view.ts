/** The section `hardware` as a table for people and as Prometheus families. */

import type { Dimm, PciDevice } from "../../helper/inventory/schema.ts";
import type { Metric, TableView } from "../collector.ts";
import { words } from "../linux/text.ts";
import type { HardwareData } from "./schema.ts";

export const hardwareTable: TableView<HardwareData> = {
  columns: ["part", "where", "what", "serial number"],
  rows({ product, board, bios, chassis, dimms, power_supplies, gpus, nics }) {
    return [
      ["machine", null, words(product.vendor, product.name), product.serial],
      ["board", null, words(board.vendor, board.name), board.serial],
      ["BIOS", null, words(bios.vendor, bios.version, bios.date), null],
      ["chassis", null, words(chassis.vendor, chassis.type), chassis.serial],
      ...dimms.map((dimm) => ["memory", dimm.slot, moduleText(dimm), dimm.serial]),
      ...power_supplies.map((supply) => [
        "power supply",
        supply.location,
        supply.present === false
          ? "not present"
          : words(supply.manufacturer, supply.part_number ?? supply.name),
        supply.serial,
      ]),
      ...nics.map((nic) => ["network card", words(nic.slot, nic.address), cardText(nic), null]),
      ...gpus.map((gpu) => ["display", words(gpu.slot, gpu.address), cardText(gpu), null]),
    ];
  },
};

function moduleText(dimm: Dimm): string {
  if (!dimm.populated) return "empty";
  const size = dimm.size_bytes === null ? null : `${dimm.size_bytes / 2 ** 30} GiB`;
  const speed = dimm.configured_speed_mts === null ? null : `${dimm.configured_speed_mts} MT/s`;
  return words(size, dimm.type, speed, dimm.manufacturer, dimm.part_number) ?? "of unknown size";
}

function cardText({ vendor, name, vendor_id, device_id, interfaces }: PciDevice): string {
  const what = name === null ? `${vendor_id}:${device_id}` : words(vendor, name);
  return interfaces.length === 0 ? String(what) : `${what} (${interfaces.join(" ")})`;
}

export const hardwareMetrics: readonly Metric<HardwareData>[] = [
  {
    name: "foundry_agent_memory_module_bytes",
    help: "Size of a memory module; empty slots are not there.",
    type: "gauge",
    *samples({ dimms }) {
      for (const { slot, type, size_bytes, manufacturer, part_number } of dimms)
        if (size_bytes !== null)
          yield {
            value: size_bytes,
            labels: {
              slot,
              type: type ?? "",
              manufacturer: manufacturer ?? "",
              part_number: part_number ?? "",
            },
          };
    },
  },
  {
    name: "foundry_agent_memory_slots",
    help: "Slots for memory modules, by whether one is in them.",
    type: "gauge",
    samples: ({ dimms }) => {
      const full = dimms.filter(({ populated }) => populated).length;
      return dimms.length === 0
        ? []
        : [
            { value: full, labels: { populated: "true" } },
            { value: dimms.length - full, labels: { populated: "false" } },
          ];
    },
  },
];
