/**
 * Which key each drive of the section has, and which drives tell the same of themselves without being one. Keys are
 * those of the section `drives` where the kernel knows the drive; of those that only smartctl knows they are made in
 * the same way.
 */

import type { DriveKeys } from "../../drives/scan/keys.ts";
import { cleanSerial } from "../../drives/text.ts";
import type { SmartMemory } from "../memory.ts";
import type { SmartTwins } from "../schema.ts";
import { type Known, mergedIdentity, type SmartIdentity } from "./identity.ts";
import type { SmartWay } from "./ways.ts";

export interface NamedDrive {
  readonly id: string;
  readonly ways: readonly SmartWay[];
  readonly identity: SmartIdentity;
}

/** All of them with keys that differ. @param groups ways to the same drive, the one that was asked first */
export function named(
  groups: readonly (readonly SmartWay[])[],
  knownOf: (way: SmartWay) => Known,
  keys: DriveKeys,
): NamedDrive[] {
  const taken = new Set<string>();
  const found = groups.map((ways) => {
    const all = ways.map(knownOf);
    const told = all.map(mergedIdentity);
    const first = <T>(of: (one: SmartIdentity) => T | null): T | null =>
      told.map(of).find((it) => it !== null) ?? null;
    const id = all.map(({ sys }) => sys?.id ?? null).find((it) => it !== null && !taken.has(it)) ?? null;
    if (id !== null) taken.add(id);
    const identity: SmartIdentity = {
      id,
      wwn: first(({ wwn }) => wwn),
      serial: first(({ serial }) => serial),
      model: first(({ model }) => model),
      sizeBytes: first(({ sizeBytes }) => sizeBytes),
    };
    return { ways, identity };
  });
  const unnamed = found.filter(({ identity }) => identity.id === null);
  const given = keys.assign(
    unnamed.map(({ ways, identity }) => ({
      ...identity,
      serial: cleanSerial(identity.serial),
      place: `path-${ways[0]?.label}`,
    })),
    taken,
  );
  const drives = found.map(({ ways, identity }) => ({
    ways,
    identity,
    id: identity.id ?? (given[unnamed.findIndex((one) => one.ways === ways)] as string),
  }));
  for (const group of alike(drives, "serial"))
    for (const { identity } of group) if (identity.serial !== null) keys.share(identity.serial);
  return drives;
}

/**
 * Under which name its daily samples are kept: its serial number, as long as no other drive here has or had the same;
 * else its key, so that no drive is judged by what another one counted.
 */
export function sampleKey(id: string, { serial, wwn }: SmartIdentity, keys: DriveKeys): string | null {
  if (serial !== null) return keys.isShared(serial) ? id : serial;
  return wwn === null || id === `wwn-${wwn}` ? wwn : id;
}

/** Drives that tell the same serial number or WWN and are not one, as far as the kernel does not tell it itself. */
export function twinsOf(drives: readonly NamedDrive[]): SmartTwins[] {
  const found: SmartTwins[] = [];
  for (const share of ["serial", "wwn"] as const)
    for (const group of alike(drives, share))
      if (group.some(({ ways }) => ways.every(({ sys }) => sys?.[share] == null)))
        found.push({ share, devices: group.map(({ ways }) => ways[0]?.label ?? "").sort() });
  return found;
}

/** Those of which another one tells the same. */
function alike(drives: readonly NamedDrive[], share: "serial" | "wwn"): NamedDrive[][] {
  const groups = Map.groupBy(drives, ({ identity }) => identity[share]?.replace(/\s/g, "").toUpperCase());
  return [...groups].flatMap(([text, group]) => (text !== undefined && group.length > 1 ? [group] : []));
}

/** Who had which key before the start. */
export function learnSmart(keys: DriveKeys, memory: SmartMemory): void {
  keys.learn(
    memory.drives.map(({ id, serial = null }) => ({ id, wwn: null, serial, model: null, sizeBytes: null })),
    memory.shared,
  );
}
