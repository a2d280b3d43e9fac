/**
 * `[collectors.smart]` of the configuration: types of devices that smartctl does not recognise by itself, such
 * as a disk behind an unknown USB bridge.
 */
import * as v from "valibot";
import { deviceArg, TYPES_TEXT, typeArg } from "../../../helper/smart/device.ts";
import type { SmartOverride } from "./ways.ts";

const MAX_TYPES = 256;

const line = v.pipe(
  v.string(),
  v.check(
    (text) => parse(text) !== null,
    `a device and its smartctl type such as "/dev/sdb usbjmicron"; a type is one of ${TYPES_TEXT}`,
  ),
);

export const smartOptions = {
  types: v.pipe(
    v.array(line),
    v.maxLength(MAX_TYPES),
    v.description('Types of devices that smartctl does not recognise: "/dev/sdb usbjmicron"'),
  ),
};

/** @param options what stands in [collectors.smart]; lines that are wrong are left out (`config check` names them) */
export function smartOverrides(options: Readonly<Record<string, unknown>>): SmartOverride[] {
  const { types } = options;
  if (!Array.isArray(types)) return [];
  return types
    .slice(0, MAX_TYPES)
    .map(parse)
    .filter((found) => found !== null);
}

function parse(text: unknown): SmartOverride | null {
  const [device, type, ...more] = typeof text === "string" ? text.trim().split(/\s+/) : [];
  if (more.length > 0 || !v.is(deviceArg, device) || !v.is(typeArg, type)) return null;
  return { device, type };
}
