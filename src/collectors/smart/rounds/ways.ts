/**
 * The ways to ask drives: a device and a type each, and which of them lead to the same drive. A disk of a JBOD
 * is there as /dev/sdX and once more behind its controller as `megaraid,N`, a SAS disk on two ports as two
 * devices; each drive is asked once a round, by the first way that is not left alone.
 */
import type { SmartDevice, SmartScanAnswer } from "../../../model/smart.ts";
import type { Files } from "../../../system/files.ts";
import type { SmartTarget } from "./ask.ts";
import { deviceLabel, isSameDrive, type SmartIdentity, sysIdentity } from "./identity.ts";

/** What the configuration says of a device that smartctl does not recognise by itself. */
export interface SmartOverride {
  /** `/dev/sdb`. */
  readonly device: string;
  /** For `-d`: `usbjmicron`, `sat+megaraid,3`. Several for one device: several drives behind it. */
  readonly type: string;
}

export interface SmartWay extends SmartTarget {
  readonly label: string;
  /** null: not attached directly, only the drive itself can tell. */
  readonly sys: SmartIdentity | null;
  readonly openError: string | null;
}

/**
 * All ways, directly attached devices first. An override stands for all that was found of its device.
 * @param types of devices, from an earlier scan that could open them
 */
export function waysOf(
  files: Files,
  scan: SmartScanAnswer,
  overrides: readonly SmartOverride[],
  types: ReadonlyMap<string, string>,
): SmartWay[] {
  const overridden = new Set(overrides.map(({ device }) => device));
  const found: Pick<SmartDevice, "name" | "type" | "open_error">[] = [
    ...scan.devices.filter(({ name }) => !overridden.has(name)),
    ...overrides.map(({ device, type }) => ({ name: device, type, open_error: null })),
  ];
  const ways = new Map<string, SmartWay>();
  for (const { name, type: told, open_error } of found) {
    const type = told === "auto" ? (types.get(name) ?? told) : told;
    const key = `${name} ${type}`;
    const label = deviceLabel(name, type);
    const sys = label.includes("_") ? null : sysIdentity(files, name);
    if (!ways.has(key)) ways.set(key, { key, device: name, type, label, sys, openError: open_error });
  }
  const all = [...ways.values()];
  return [...all.filter(({ sys }) => sys !== null), ...all.filter(({ sys }) => sys === null)];
}

/** Ways that lead to the same drive, in their order; `identityOf` may know more than sysfs by now. */
export function grouped(
  ways: readonly SmartWay[],
  identityOf: (way: SmartWay) => SmartIdentity,
): { ways: SmartWay[]; identity: SmartIdentity }[] {
  const groups: { ways: SmartWay[]; identity: SmartIdentity }[] = [];
  for (const way of ways) {
    const identity = identityOf(way);
    const group = groups.find((candidate) => isSameDrive(candidate.identity, identity));
    if (group === undefined) groups.push({ ways: [way], identity });
    else group.ways.push(way);
  }
  return groups;
}
