/**
 * What this node's network usually is, kept over restarts: the devices in use and the members of bonds. So what is
 * not there any more, or has lost its link, is known also when that happened while nobody looked. Pure but for `openUsual`.
 */
import * as v from "valibot";
import type { Memory } from "../../collector.ts";
import { usable } from "../../told-once.ts";
import type { Missing, NetworkInterface, Use, Way } from "../schema.ts";
import { WIRED } from "./kinds.ts";

/** After this long what is gone is how things are now. */
const FORGET_MS = 30 * 24 * 3_600_000;
/** So long is a link missed that nothing is configured on any more: its cable is somewhere else by then. */
const FORGET_LINK_MS = 7 * 24 * 3_600_000;
const MAX_KEPT = 256;

const moment = v.nullable(v.pipe(v.string(), v.maxLength(40)));
const name = v.pipe(v.string(), v.maxLength(64));
const LinkSchema = v.object({
  name,
  mac: v.nullable(name),
  use: v.picklist(["way_out", "member", "address", "below"]),
  lost: moment,
  gone: moment,
});
const MemberSchema = v.object({ bond: name, name, gone: moment });

type Link = v.InferOutput<typeof LinkSchema>;
type Member = v.InferOutput<typeof MemberSchema>;

export interface Usual {
  readonly links: readonly Link[];
  readonly members: readonly Member[];
}

const NOTHING: Usual = { links: [], members: [] };

type Seen = Omit<NetworkInterface, "bond_members">;

/** @param now milliseconds since the epoch */
export function updated(usual: Usual, interfaces: readonly Seen[], ways: readonly Way[], now: number): Usual {
  if (interfaces.length === 0) return usual; // /sys can't be read: nothing is known, so nothing is gone
  const at = new Date(now).toISOString();
  const fresh = (since: string | null): boolean => since === null || now - Date.parse(since) < FORGET_MS;
  const here = new Map(interfaces.map((item) => [item.name, item]));
  const links = interfaces.flatMap((item) => linkOf(item, usual.links, interfaces, ways, at));
  const renamed = (mac: string | null): boolean =>
    mac !== null && interfaces.some((item) => WIRED.has(item.kind) && item.permanent_mac === mac);
  const members = membersOf(usual.members, here, at);
  const replaced = (item: Link): boolean =>
    item.use === "member" &&
    usual.members.some((member) => member.name === item.name) &&
    !members.some((member) => member.name === item.name);
  const absent = usual.links
    .filter((link) => !here.has(link.name) && !renamed(link.mac) && !replaced(link))
    .map((link) => ({ ...link, lost: null, gone: link.gone ?? at }));
  return {
    links: [...links, ...absent].filter(({ gone }) => fresh(gone)).slice(0, MAX_KEPT),
    members: members.filter(({ gone }) => fresh(gone)).slice(0, MAX_KEPT),
  };
}

function linkOf(
  item: Seen,
  known: readonly Link[],
  interfaces: readonly Seen[],
  ways: readonly Way[],
  at: string,
): Link[] {
  // Switched off is on purpose, and to a board that is a USB gadget somebody's computer comes and goes.
  if (!WIRED.has(item.kind) || item.up === false || item.made_as === "gadget") return [];
  const before = known.find((link) => link.name === item.name);
  const use = useOf(item, interfaces, ways);
  if (item.carrier === false) {
    if (before === undefined) return [];
    const lost = before.lost ?? at;
    const old = Date.parse(at) - Date.parse(lost) > FORGET_LINK_MS;
    return old && use === null ? [] : [{ ...before, lost, gone: null }];
  }
  if (use === null) return [];
  return [{ name: item.name, mac: item.permanent_mac, use, lost: null, gone: null }];
}

function useOf(item: Seen, interfaces: readonly Seen[], ways: readonly Way[]): Use | null {
  if (ways.some((way) => way.interface === item.name)) return "way_out";
  if (item.master !== null && interfaces.some(({ name: other }) => other === item.master)) return "member";
  if (item.addresses.some(({ scope }) => scope === "global" || scope === "site")) return "address";
  return interfaces.some(({ parent, kind }) => parent === item.name && kind !== "vf") ? "below" : null;
}

function membersOf(known: readonly Member[], here: ReadonlyMap<string, Seen>, at: string): Member[] {
  const now = [...here.values()]
    .filter(({ kind }) => kind === "bond" || kind === "team")
    .flatMap((bond) => bond.members.map((member) => ({ bond: bond.name, name: member, gone: null })));
  const isNow = (member: Member): boolean =>
    now.some(({ bond, name: its }) => bond === member.bond && its === member.name);
  const lost = known.filter((member) => {
    const item = here.get(member.name);
    // Given to something else, or with an address of its own: taken out on purpose.
    const elsewhere =
      item !== undefined && (item.master !== null || item.addresses.some(({ scope }) => scope === "global"));
    return !isNow(member) && !elsewhere;
  });
  // A bond that is not there has not lost a member: it may come back as it was.
  return [
    ...now,
    ...unreplaced(lost, now, known).map((member) => ({
      ...member,
      gone: member.gone ?? (here.has(member.bond) ? at : null),
    })),
  ];
}

/** A member that was never there before takes the place of one that is gone: another card, or the same under a new name. */
function unreplaced(lost: readonly Member[], now: readonly Member[], known: readonly Member[]): Member[] {
  const isKnown = (member: Member): boolean =>
    known.some(({ bond, name: its }) => bond === member.bond && its === member.name);
  const left = new Map<string, number>();
  for (const { bond } of now.filter((member) => !isKnown(member))) left.set(bond, (left.get(bond) ?? 0) + 1);
  return lost.filter(({ bond }) => {
    const places = left.get(bond) ?? 0;
    left.set(bond, places - 1);
    return places <= 0;
  });
}

/** Members that a bond had and has no more. */
export function goneMembers({ members }: Usual, bond: string): string[] {
  return members
    .filter((member) => member.bond === bond && member.gone !== null)
    .map((member) => member.name);
}

/** Links of a bond are its own business: it tells how its members fare. @param bonds names of bonds and teams */
export function lostLinks({ links }: Usual): Missing[] {
  return links.flatMap(({ lost, gone: _, ...link }) => (lost === null ? [] : [{ ...link, since: lost }]));
}

export function missingDevices({ links }: Usual): Missing[] {
  return links.flatMap(({ gone, lost: _, ...link }) => (gone === null ? [] : [{ ...link, since: gone }]));
}

/** What can still be used of whatever was kept. */
export function readUsual(memory: Memory): Usual {
  const kept = memory.get();
  if (kept === null || typeof kept !== "object") return NOTHING;
  const { links, members } = kept as Record<string, unknown>;
  return {
    links: usable(Array.isArray(links) ? links.slice(0, MAX_KEPT) : [], LinkSchema),
    members: usable(Array.isArray(members) ? members.slice(0, MAX_KEPT) : [], MemberSchema),
  };
}

/** Written only where something is new. */
export function keepUsual(memory: Memory, before: Usual, after: Usual): void {
  if (JSON.stringify(after) !== JSON.stringify(before)) memory.set(after);
}
