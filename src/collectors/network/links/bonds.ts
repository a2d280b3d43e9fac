/** How the members of a bond or team fare: every sign that one does not take part (Documentation/networking/bonding.rst). */
import type { Files } from "../../../system/files.ts";
import { oneLine } from "../../linux/text.ts";
import type { BondMember, NetworkInterface } from "../schema.ts";
import { NET } from "./fixed.ts";

type Port = Pick<NetworkInterface, "name" | "up" | "carrier">;

export interface BondFacts {
  /** MII status by the bond itself, of each member; null where it can't be read. */
  readonly mii: ReadonlyMap<string, string | null>;
  /** The aggregator that is in use, and that of each member; null without LACP. */
  readonly aggregator: number | null;
  readonly aggregators: ReadonlyMap<string, number | null>;
  /** With LACP: nobody answers at the other end, as its address is all zeroes. */
  readonly alone: boolean;
  /** With LACP: members that neither collect nor distribute (bits of ad_actor_oper_port_state, IEEE 802.1AX). */
  readonly idle: ReadonlySet<string>;
}

const COLLECTING_AND_DISTRIBUTING = 0x30;

/** What only bonds have; a team tells nothing in /sys but its members. */
export function readBond(files: Files, name: string, members: readonly string[]): BondFacts {
  const of = (member: string, file: string): string => `${NET}/${member}/bonding_slave/${file}`;
  const aggregator = files.number(`${NET}/${name}/bonding/ad_aggregator`);
  const lacp = aggregator !== null;
  const idle = (member: string): boolean => {
    const state = lacp ? files.number(of(member, "ad_actor_oper_port_state")) : null;
    return state !== null && (state & COLLECTING_AND_DISTRIBUTING) !== COLLECTING_AND_DISTRIBUTING;
  };
  return {
    alone: lacp && /^[0:]{17}$/.test(files.text(`${NET}/${name}/bonding/ad_partner_mac`) ?? ""),
    idle: new Set(members.filter(idle)),
    mii: new Map(members.map((member) => [member, oneLine(files.text(of(member, "mii_status")), 32)])),
    aggregator,
    aggregators: new Map(
      members.map((member) => [
        member,
        aggregator === null ? null : files.number(of(member, "ad_aggregator_id")),
      ]),
    ),
  };
}

/**
 * Pure. A member that is "going down" (within downdelay) still carries, one that is "going back" (updelay) not yet.
 * @param gone members it had and has no more
 */
export function bondMembers(
  members: readonly string[],
  gone: readonly string[],
  ports: ReadonlyMap<string, Port>,
  facts: BondFacts | null,
): BondMember[] {
  const here = members.map((name) => ({ name, state: stateOf(name, ports.get(name), facts) }));
  return [...here, ...gone.map((name) => ({ name, state: "gone" as const }))];
}

function stateOf(name: string, port: Port | undefined, facts: BondFacts | null): BondMember["state"] {
  if (port?.up === false) return "off";
  if (port?.carrier === false) return "no_carrier";
  const mii = facts?.mii.get(name) ?? null;
  if (mii === "down" || mii === "going back") return "mii_down";
  const own = facts?.aggregators.get(name) ?? null;
  if (facts?.aggregator != null && own !== null && own !== facts.aggregator) return "other_aggregator";
  if (facts?.alone === true) return "no_partner";
  return facts?.idle.has(name) === true ? "other_aggregator" : "ok";
}
