/**
 * The key of each drive, one for every section: `wwn-…`, else `serial-…`, else its place. What two drives claim goes
 * to the one that is known to have had it, so that its history stays its own, and the other gets a longer key. Who
 * was there first can't be told where both come at once, or tell the same: then none of them gets it. What was
 * claimed by two once stays so (`shared`, kept with the sections' memories), also when one of them is away: keys go
 * by what a drive tells and not by who else is there.
 */
import { areTwo, isSameSerial, type Told } from "./same-drive.ts";

/** A drive that is to have a key. */
export interface Keyed extends Told {
  /** The key where nothing else is its own: `path-0000:00:14.0-2.3`. */
  readonly place: string;
}

/** A claim that more than one drive has made. */
export interface SharedClaim {
  readonly claim: string;
  /** Serial number of the one that had the key before; null: nobody knows. */
  readonly owner: string | null;
}

export interface KnownKey extends Told {
  readonly id: string;
}

export interface DriveKeys {
  /** From a memory: who had which key. What is known already counts more. */
  learn(known: readonly KnownKey[], shared: readonly SharedClaim[]): void;
  /** One key each, in the same order; all of them different, and none of `taken`. */
  assign(drives: readonly Keyed[], taken?: ReadonlySet<string>): string[];
  /** Another drive has the same serial number, or had it while both were there. */
  share(serial: string): void;
  isShared(serial: string): boolean;
  /** To be kept, in the order of their claims. */
  shared(): SharedClaim[];
}

const MAX_KNOWN = 2_000;
const MAX_SHARED = 500;

export function driveKeys(): DriveKeys {
  const known = new Map<string, Told>();
  const shared = new Map<string, string | null>();

  function share(claim: string, owner: string | null): void {
    if (!shared.has(claim) && shared.size < MAX_SHARED) shared.set(claim, owner);
  }

  /** What is claimed by two drives that are there, or by one that is not the one it was. */
  function findShared(drives: readonly Keyed[]): void {
    const claims = new Map<string, Keyed[]>();
    for (const drive of drives)
      for (const claim of claimsOf(drive)) claims.set(claim, [...(claims.get(claim) ?? []), drive]);
    for (const [claim, rivals] of claims) {
      const before = known.get(claim) ?? null;
      const isOther = before !== null && rivals.every((drive) => areTwo(before, drive));
      if (rivals.length < 2 && !isOther) continue;
      const heirs = rivals.filter((drive) => before !== null && !areTwo(before, drive));
      share(claim, heirs.length < 2 ? (before?.serial ?? null) : null);
    }
  }

  function isHis(claim: string, { serial }: Told): boolean {
    const owner = shared.get(claim);
    if (owner === undefined) return true;
    return owner !== null && serial !== null && isSameSerial(owner, serial);
  }

  function remember(id: string, { wwn, serial, model, sizeBytes }: Told): void {
    const before = known.get(id);
    known.delete(id);
    // Some tell their serial number only sometimes.
    known.set(id, { wwn, serial: serial ?? before?.serial ?? null, model, sizeBytes });
    for (const oldest of known.keys()) {
      if (known.size <= MAX_KNOWN) break;
      known.delete(oldest);
    }
  }

  return {
    learn(before, claims) {
      for (const { claim, owner } of claims) share(claim, owner);
      for (const { id, ...told } of before) if ((known.get(id)?.serial ?? null) === null) remember(id, told);
    },
    assign(drives, taken = new Set()) {
      findShared(drives);
      const used = new Set(taken);
      return drives.map((drive) => {
        const own = claimsOf(drive).find((claim) => isHis(claim, drive) && !used.has(claim));
        const id = own ?? free(drive.place, used);
        used.add(id);
        if (own !== undefined) remember(id, drive);
        return id;
      });
    },
    share: (serial) => share(claimOf("serial", serial), null),
    isShared: (serial) => shared.has(claimOf("serial", serial)),
    shared: () =>
      [...shared]
        .map(([claim, owner]) => ({ claim, owner }))
        .sort((a, b) => (a.claim < b.claim ? -1 : a.claim > b.claim ? 1 : 0)),
  };
}

/** The keys it may have by what it tells itself, the best one first. */
function claimsOf({ wwn, serial, sizeBytes }: Told): string[] {
  const claims = [
    wwn === null ? null : claimOf("wwn", wwn),
    wwn === null || serial === null ? null : claimOf("wwn", `${wwn}-${serial}`),
    serial === null || wwn !== null ? null : claimOf("serial", serial),
  ].filter((claim) => claim !== null);
  // Two that tell one WWN and serial number may differ in size only.
  const longest = claims.at(-1);
  return longest === undefined || serial === null || sizeBytes === null
    ? claims
    : [...claims, `${longest}-${sizeBytes}`];
}

function claimOf(kind: "wwn" | "serial", text: string): string {
  return `${kind}-${text}`.replace(/\s/g, "_");
}

function free(place: string, used: ReadonlySet<string>): string {
  for (let nth = 2, id = place; ; nth++, id = `${place}-${nth}`) if (!used.has(id)) return id;
}
