/** The BMC as a table for people: what it is, then its sensors. */

import { plural } from "../../model/text/sentence.ts";
import type { TableView } from "../collector.ts";
import { words } from "../linux/text.ts";
import type { BmcData, BmcSensor } from "./schema.ts";

export const bmcTable: TableView<BmcData> = {
  columns: ["what", "value", "state"],
  rows(data) {
    const { chassis, lan, sel } = data;
    return [
      ["controller", words(data.manufacturer, data.product), data.answering ? null : "does not answer"],
      ["firmware", data.firmware, null],
      [
        "address",
        lan?.address ?? (data.lan_channel === false ? "none: no LAN channel" : null),
        lan?.source ?? null,
      ],
      ["chassis power", chassis?.power_on == null ? null : chassis.power_on ? "on" : "off", null],
      ["last start by", data.restart_cause, null],
      ["event log", sel?.entries == null ? null : plural(sel.entries, "entry", "entries"), null],
      ["last entry", sel?.last == null ? null : words(sel.last.at, sel.last.sensor, sel.last.event), null],
      ...(data.sensors ?? [])
        .filter((sensor) => sensor.state !== null)
        .map((sensor) => [sensor.id, reading(sensor), sensor.state]),
    ];
  },
};

function reading({ value, unit, asserted }: BmcSensor): string | null {
  return value === null ? asserted : words(String(value), unit);
}
