/**
 * `ipmitool lan print`: how the BMC itself can be reached. Picked by name from the answer, because the same
 * answer holds the SNMP community string, which is a password and must not leave ipmitool's own output.
 */
import { isIPv4 } from "node:net";
import * as v from "valibot";
import { fieldOf, parseFields } from "./text.ts";

const text = v.nullable(v.pipe(v.string(), v.maxLength(128)));

export const bmcLanSchema = v.object({
  source: v.nullable(v.picklist(["static", "dhcp", "bios", "other"])),
  address: text,
  netmask: text,
  gateway: text,
  mac: text,
  vlan: v.nullable(v.number()),
});

export type BmcLan = v.InferOutput<typeof bmcLanSchema>;

const SOURCES: readonly (readonly [RegExp, NonNullable<BmcLan["source"]>])[] = [
  [/^static/i, "static"],
  [/^dhcp/i, "dhcp"],
  [/^bios/i, "bios"],
  [/^(?:other|use other)/i, "other"],
];

/** What is in the answer, however much that is; null when nothing of it is there (no LAN channel, an error). */
export function parseLan(stdout: string): BmcLan | null {
  const fields = parseFields(stdout);
  const field = (key: string): string | null => fieldOf(fields, key);
  const source = field("IP Address Source");
  const vlan = /^(\d{1,4})$/.exec(field("802.1q VLAN ID") ?? "");
  const lan: BmcLan = {
    source: SOURCES.find(([pattern]) => pattern.test(source ?? ""))?.[1] ?? null,
    address: address(field("IP Address")),
    netmask: address(field("Subnet Mask")),
    gateway: address(field("Default Gateway IP")),
    mac: macOf(field("MAC Address")),
    vlan: vlan ? Number(vlan[1]) : null,
  };
  return Object.values(lan).some((value) => value !== null) ? lan : null;
}

/** Whether the answer is whole: these are asked of the BMC one by one, and any may fail. */
export function isWholeLan(stdout: string): boolean {
  const fields = parseFields(stdout);
  return ["IP Address Source", "IP Address", "Subnet Mask", "MAC Address", "Default Gateway IP"].every(
    (key) => fields.has(key),
  );
}

/** 0.0.0.0 is how a BMC says that it has none. */
function address(value: string | null): string | null {
  return value !== null && isIPv4(value) && value !== "0.0.0.0" ? value : null;
}

function macOf(value: string | null): string | null {
  const mac = value?.toLowerCase() ?? "";
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac) && mac !== "00:00:00:00:00:00" ? mac : null;
}
