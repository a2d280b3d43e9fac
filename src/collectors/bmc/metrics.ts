/** The section `bmc` as Prometheus families, named as ipmi_exporter's where the meaning is the same. */

import type { Metric, Sample } from "../collector.ts";
import type { BmcData, BmcSensor } from "./schema.ts";
import { baseValue } from "./units.ts";

type BmcMetric = Metric<BmcData>;

function reading(name: string, help: string, kind: BmcSensor["kind"]): BmcMetric {
  return {
    name,
    help,
    type: "gauge",
    *samples({ sensors }) {
      for (const sensor of sensors ?? [])
        if (sensor.kind === kind) {
          const value = baseValue(sensor);
          if (value !== null) yield { value, labels: { id: sensor.id, name: sensor.name } };
        }
    },
  };
}

function flag(name: string, help: string, pick: (data: BmcData) => boolean | null | undefined): BmcMetric {
  return {
    name,
    help,
    type: "gauge",
    samples(data): Sample[] {
      const value = pick(data);
      return value === null || value === undefined ? [] : [{ value: value ? 1 : 0 }];
    },
  };
}

const STATES = { ok: 0, warning: 1, critical: 2 } as const;

export const bmcMetrics: readonly BmcMetric[] = [
  {
    name: "ipmi_bmc_info",
    help: "The BMC; the value is 1.",
    type: "gauge",
    samples: ({ firmware, ipmi_version, manufacturer, manufacturer_id }) => [
      {
        value: 1,
        labels: {
          firmware_revision: firmware ?? "",
          manufacturer_id: manufacturer ?? String(manufacturer_id ?? ""),
          ipmi_version: ipmi_version ?? "",
        },
      },
    ],
  },
  flag("foundry_agent_bmc_answering", "Whether the BMC answers; 0: it hangs.", (data) => data.answering),
  reading("ipmi_temperature_celsius", "Temperature in degrees Celsius.", "temperature"),
  reading("ipmi_fan_speed_rpm", "Fan speed in revolutions a minute.", "fan"),
  reading("ipmi_voltage_volts", "Voltage in volts.", "voltage"),
  reading("ipmi_current_amperes", "Current in amperes.", "current"),
  reading("ipmi_power_watts", "Power in watts.", "power"),
  {
    name: "ipmi_sensor_state",
    help: "State by the BMC's own thresholds: 0 nominal, 1 warning, 2 critical.",
    type: "gauge",
    *samples({ sensors }) {
      for (const { id, name, kind, state } of sensors ?? [])
        if (state !== null) yield { value: STATES[state], labels: { id, name, type: kind } };
    },
  },
  flag("ipmi_chassis_power_state", "Whether the chassis is powered.", (data) => data.chassis?.power_on),
  flag(
    "ipmi_chassis_drive_fault_state",
    "Whether the BMC reports no fault of a drive (1) or one (0).",
    (data) => inverted(data.chassis?.drive_fault),
  ),
  flag(
    "ipmi_chassis_cooling_fault_state",
    "Whether the BMC reports no fault of cooling (1) or one (0).",
    (data) => inverted(data.chassis?.cooling_fault),
  ),
  {
    name: "foundry_agent_bmc_sel_entries",
    help: "Entries in the BMC's event log.",
    type: "gauge",
    samples: ({ sel }) => (sel?.entries == null ? [] : [{ value: sel.entries }]),
  },
];

/** ipmi_exporter has 1 for "no fault". */
function inverted(value: boolean | null | undefined): boolean | null {
  return value === null || value === undefined ? null : !value;
}
