/** `ipmitool mc info`, `chassis status` and `chassis restart_cause`: who the BMC is and what it says of the chassis. */
import * as v from "valibot";
import { cleanValue, countOf, fieldOf, parseFields } from "./text.ts";

const text = v.nullable(v.pipe(v.string(), v.maxLength(128)));
const count = v.nullable(v.number());
const flag = v.nullable(v.boolean());

export const controllerSchema = v.object({
  device_id: count,
  device_revision: count,
  firmware: text,
  ipmi_version: text,
  manufacturer_id: count,
  manufacturer: text,
  product_id: count,
  product: text,
  available: v.pipe(flag, v.description("false: it is updating its firmware or itself")),
});

export const chassisSchema = v.object({
  power_on: flag,
  power_overload: flag,
  power_interlock: flag,
  main_power_fault: flag,
  power_control_fault: flag,
  restore_policy: v.pipe(text, v.description("After a power loss: always-off, always-on, previous")),
  last_power_event: text,
  intrusion: flag,
  front_panel_lockout: flag,
  drive_fault: flag,
  cooling_fault: flag,
});

export type BmcController = v.InferOutput<typeof controllerSchema>;
export type BmcChassis = v.InferOutput<typeof chassisSchema>;

/** Null when nothing of it is in the text. */
export function parseController(stdout: string): BmcController | null {
  const fields = parseFields(stdout);
  const field = (key: string): string | null => fieldOf(fields, key);
  const controller: BmcController = {
    device_id: countOf(field("Device ID")),
    device_revision: countOf(field("Device Revision")),
    firmware: field("Firmware Revision"),
    ipmi_version: field("IPMI Version"),
    manufacturer_id: countOf(field("Manufacturer ID")),
    manufacturer: field("Manufacturer Name"),
    product_id: countOf(field("Product ID")),
    product: field("Product Name"),
    available: yesNo(field("Device Available")),
  };
  return Object.values(controller).some((value) => value !== null) ? controller : null;
}

/** Null when nothing of it is in the text. */
export function parseChassis(stdout: string): BmcChassis | null {
  const fields = parseFields(stdout);
  const field = (key: string): string | null => fieldOf(fields, key);
  const chassis: BmcChassis = {
    power_on: yesNo(field("System Power")),
    power_overload: yesNo(field("Power Overload")),
    power_interlock: yesNo(field("Power Interlock")),
    main_power_fault: yesNo(field("Main Power Fault")),
    power_control_fault: yesNo(field("Power Control Fault")),
    restore_policy: field("Power Restore Policy"),
    last_power_event: field("Last Power Event"),
    intrusion: yesNo(field("Chassis Intrusion")),
    front_panel_lockout: yesNo(field("Front-Panel Lockout")),
    drive_fault: yesNo(field("Drive Fault")),
    cooling_fault: yesNo(field("Cooling/Fan Fault")),
  };
  return Object.values(chassis).some((value) => value !== null) ? chassis : null;
}

/** `System restart cause: watchdog expired` → `watchdog expired`; null: it does not know, or was not asked. */
export function parseRestartCause(stdout: string): string | null {
  const cause = cleanValue(/^System restart cause:(.*)$/im.exec(stdout)?.[1]);
  return cause === null || /^unknown/i.test(cause) ? null : cause.toLowerCase();
}

function yesNo(value: string | null): boolean | null {
  if (/^(?:yes|on|true|active)$/i.test(value ?? "")) return true;
  return /^(?:no|off|false|inactive)$/i.test(value ?? "") ? false : null;
}
