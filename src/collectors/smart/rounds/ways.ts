/**
 * The ways to ask drives: a device and a type each, and which of them lead to the same drive. A disk of a JBOD
 * is there as /dev/sdX and once more behind its controller as `megaraid,N`, a SAS disk on two ports as two
 * devices; each drive is asked once a round, by the first way that is not left alone.
 */
import { driveLane } from "../../../helper/smart/device.ts";
import type { SmartDevice, SmartScanAnswer } from "../../../model/smart.ts";
import type { Files } from "../../../system/files.ts";
import type { DriveKeys } from "../../drives/scan/keys.ts";
import { areTwo } from "../../drives/scan/same-drive.ts";
import type { SmartTarget } from "./ask.ts";
import {
  deviceLabel,
  type Known,
  leadToOne,
  type SysIdentity,
  sysIdentities,
  sysIdentity,
} from "./identity.ts";

/** What the configuration says of a device that smartctl does not recognise by itself. */
export interface SmartOverride {
  /** `/dev/sdb`. */
  readonly device: string;
  /** For `-d`: `usbjmicron`, `sat+megaraid,3`. Several for one device: several drives behind it. */
  readonly type: string;
}

export interface SmartWay extends SmartTarget {
  readonly label: string;
  /** Of the drive at its end: `drive /dev/nvme0` for its namespaces too. */
  readonly lane: string;
  /** null: not attached directly, only the drive itself can tell. */
  readonly sys: SysIdentity | null;
  readonly openError: string | null;
}

/**
 * All ways, directly attached devices first. An override stands for all that was found of its device.
 * @param types of devices, from an earlier scan that could open them
 * @param keys of the drives, as the section `drives` gives them
 */
export function waysOf(
  files: Files,
  scan: SmartScanAnswer,
  overrides: readonly SmartOverride[],
  types: ReadonlyMap<string, string>,
  keys: DriveKeys,
): SmartWay[] {
  const blocks = sysIdentities(files, keys);
  const overridden = new Set(overrides.map(({ device }) => device));
  const found: Pick<SmartDevice, "name" | "type" | "open_error">[] = [
    ...scan.devices.filter(({ name }) => !overridden.has(name)),
    ...overrides.map(({ device, type }) => ({ name: device, type, open_error: null })),
  ];
  const ways = new Map<string, SmartWay>();
  for (const { name, type: told, open_error } of found) {
    const type = told === "auto" ? (types.get(name) ?? told) : told;
    const key = `${name} ${type}`;
    const port = portOf(type);
    const isOneOfTwo = found.some((other) => other.name === name && portOf(other.type) !== port);
    const label = deviceLabel(name, port !== null && isOneOfTwo ? `port,${port}` : type);
    const sys = label.includes("_") ? null : sysIdentity(files, name, blocks);
    const lane = label.includes("_port_") ? label : driveLane(name, type);
    if (!ways.has(key)) ways.set(key, { key, device: name, type, label, lane, sys, openError: open_error });
  }
  const all = [...ways.values()];
  return [...all.filter(({ sys }) => sys !== null), ...all.filter(({ sys }) => sys === null)];
}

/** Which of its two disks a USB bridge is to be asked for: `usbjmicron,1`. */
function portOf(type: string): string | null {
  return /^usbjmicron.*,([01])$/.exec(type)?.[1] ?? null;
}

/** Ways that lead to the same drive, in their order. @param knownOf may know more than sysfs by now */
export function grouped(ways: readonly SmartWay[], knownOf: (way: SmartWay) => Known): SmartWay[][] {
  const groups: { ways: SmartWay[]; known: Known[] }[] = [];
  for (const way of ways) {
    const known = knownOf(way);
    const group = groups.find((candidate) => isOneOf(candidate.known, known));
    if (group === undefined) groups.push({ ways: [way], known: [known] });
    else {
      group.ways.push(way);
      group.known.push(known);
    }
  }
  return groups.map((group) => group.ways);
}

/** It leads to the drive of one of them, and none of them says that it is another one. */
function isOneOf(members: readonly Known[], one: Known): boolean {
  return (
    members.some((member) => leadToOne(member, one)) &&
    !members.some((member) => member.own !== null && one.own !== null && areTwo(member.own, one.own))
  );
}
