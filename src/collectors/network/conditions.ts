/** What is wrong with the network now. */
import type { ConditionDraft } from "../../model/condition.ts";
import type { BondMember, Missing, Network, NetworkInterface, Use } from "./schema.ts";

export function networkConditions(data: Network): ConditionDraft[] {
  const bonds = data.interfaces.filter(({ bond_members: members }) => members !== null);
  const ofBonds = new Set(
    bonds.flatMap(({ bond_members: members }) => (members ?? []).map(({ name }) => name)),
  );
  const flapping = new Set(data.interfaces.filter((item) => item.flapping).map(({ name }) => name));
  return [
    ...bonds.flatMap((bond) => bondCondition(bond, flapping)),
    // Members of bonds and what comes and goes have a word of their own.
    ...data.links_lost.filter(({ name }) => !ofBonds.has(name) && !flapping.has(name)).map(linkLost),
    ...data.missing.filter(({ name }) => !ofBonds.has(name)).map(deviceMissing),
    ...[...flapping].map(linkFlapping),
  ];
}

type Sign = Exclude<BondMember["state"], "ok"> | "flapping";

/** How each sign is said of the members that have it, and what to do about the first. */
// biome-ignore format: a table is read by its columns
const SIGNS: Readonly<Record<Sign, { said: (names: string) => string; next: (name: string, bond: string) => string }>> = {
  no_carrier:       { said: (names) => `no carrier on ${names}`,
                      next: (name) => `Check the cable and the switch port of ${name}.` },
  off:              { said: (names) => `${names} switched off`,
                      next: (name) => `ip link set ${name} up` },
  gone:             { said: (names) => `${names} no longer a member`,
                      next: (name) => `ip link show ${name}  # is it still there?` },
  mii_down:         { said: (names) => `the bond itself finds ${names} down`,
                      next: (_, bond) => `cat /proc/net/bonding/${bond}` },
  other_aggregator: { said: (names) => `LACP does not bundle ${names} with the others`,
                      next: (name) => `Check that the switch port of ${name} is in the same LACP group as the others.` },
  no_partner:       { said: (names) => `nobody answers LACP on ${names}`,
                      next: (name) => `Check that the switch port of ${name} is set to LACP.` },
  flapping:         { said: (names) => `the link of ${names} comes and goes`,
                      next: (name) => `Check the cable and the switch port of ${name}.` },
};

/** A bond that lost a link still works, which is why nobody notices. */
function bondCondition(
  { name, kind, bond_members: members }: NetworkInterface,
  flapping: ReadonlySet<string>,
): ConditionDraft[] {
  const all = members ?? [];
  const signOf = ({ name: member, state }: BondMember): Sign | null =>
    state !== "ok" ? state : flapping.has(member) ? "flapping" : null;
  const bad = all.filter((member) => signOf(member) !== null);
  const [first] = bad;
  if (first === undefined) return [];
  const parts = (Object.keys(SIGNS) as Sign[]).flatMap((sign) => {
    const names = bad.filter((member) => signOf(member) === sign).map((member) => member.name);
    return names.length === 0 ? [] : [SIGNS[sign].said(names.join(", "))];
  });
  return [
    {
      code: "bond_degraded",
      subject: name,
      severity: "warning",
      text: `The ${kind} ${name} runs on ${all.length - bad.length} of ${all.length} links: ${parts.join("; ")}.`,
      nextStep: SIGNS[signOf(first) ?? "no_carrier"].next(first.name, name),
    },
  ];
}

// biome-ignore format: a table is read by its columns
const USES: Readonly<Record<Use, string>> = {
  way_out: "by which this node reaches the network",
  member:  "which is part of a bond or bridge",
  address: "which has an address of this node",
  below:   "which a VLAN is on",
};

function linkLost({ name, use }: Missing): ConditionDraft {
  return {
    code: "link_lost",
    subject: name,
    severity: "warning",
    text: `The link of ${name}, ${USES[use]}, is down though it is switched on.`,
    nextStep: `Check the cable and the switch port of ${name}; if it is not used any more: ip link set ${name} down`,
  };
}

function deviceMissing({ name, mac, use }: Missing): ConditionDraft {
  return {
    code: "interface_missing",
    subject: name,
    severity: "warning",
    text: `The network device ${name}${mac === null ? "" : ` (${mac})`}, ${USES[use]}, is not there any more.`,
    nextStep: "dmesg | grep -i -e eth -e link -e pci  # did the card or its driver fail?",
  };
}

function linkFlapping(name: string): ConditionDraft {
  return {
    code: "link_flapping",
    subject: name,
    severity: "warning",
    text: `The link of ${name} went and came several times in the last ten minutes.`,
    nextStep: `Check the cable, the transceiver and the switch port of ${name}.`,
  };
}
