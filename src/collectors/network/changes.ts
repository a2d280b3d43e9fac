/** What happened to the network between two looks. Guests' ports are not in the section, so they are never news. Pure. */
import type { EventDraft } from "../../model/event.ts";
import { WIRED } from "./links/kinds.ts";
import type { Network, NetworkInterface } from "./schema.ts";

/** The first look after a start tells nothing: what was lost before it is a condition. */
export function networkChanges(before: Network | null, after: Network): EventDraft[] {
  if (before === null) return [];
  const was = new Map(before.interfaces.map((item) => [item.name, item]));
  const is = new Map(after.interfaces.map((item) => [item.name, item]));
  return [
    ...before.interfaces.filter(({ name }) => !is.has(name)).flatMap((item) => goneEvents(item, was, after)),
    ...after.interfaces.filter(({ name }) => !was.has(name)).flatMap((item) => newEvents(item, before)),
    ...after.interfaces.flatMap((item) => {
      const old = was.get(item.name);
      return old === undefined ? [] : [...carrierEvents(old, item), ...memberEvents(old, item)];
    }),
  ];
}

/** Devices, and what is built of them; virtual functions come and go with the guests that get them. */
function isNews({ kind }: NetworkInterface): boolean {
  return (WIRED.has(kind) && kind !== "vf") || kind === "bond" || kind === "team";
}

/** One that has another name now is still there. */
function sameDevice(
  item: NetworkInterface,
  others: readonly NetworkInterface[],
): NetworkInterface | undefined {
  if (item.permanent_mac === null || !WIRED.has(item.kind)) return undefined;
  return others.find(({ kind, permanent_mac: mac }) => kind === item.kind && mac === item.permanent_mac);
}

function goneEvents(
  item: NetworkInterface,
  was: ReadonlyMap<string, NetworkInterface>,
  after: Network,
): EventDraft[] {
  if (!isNews(item) || item.flapping) return [];
  const renamed = sameDevice(
    item,
    after.interfaces.filter(({ name }) => !was.has(name)),
  );
  if (renamed !== undefined)
    return [
      {
        type: "network.interface_renamed",
        severity: "info",
        data: { interface: renamed.name, before: item.name, mac: item.permanent_mac },
      },
    ];
  const use = after.missing.find(({ name }) => name === item.name)?.use ?? null;
  return [
    {
      type: "network.interface_gone",
      severity: "warning",
      data: { interface: item.name, kind: item.kind, mac: item.permanent_mac, master: item.master, use },
    },
  ];
}

function newEvents(item: NetworkInterface, before: Network): EventDraft[] {
  if (!isNews(item) || item.flapping) return [];
  if (sameDevice(item, before.interfaces) !== undefined) return [];
  return [
    {
      type: "network.interface_added",
      severity: "info",
      data: { interface: item.name, kind: item.kind, mac: item.permanent_mac },
    },
  ];
}

/** Carrier of a port gained or lost; of one that comes and goes it is told that it does. */
function carrierEvents(old: NetworkInterface, item: NetworkInterface): EventDraft[] {
  if (!WIRED.has(item.kind) || item.kind === "vf" || item.flapping) return [];
  if (old.carrier === item.carrier || old.carrier === null || item.carrier === null) return [];
  return [
    {
      type: "network.carrier",
      severity: item.carrier ? "info" : "warning",
      data: { interface: item.name, carrier: item.carrier, master: item.master },
    },
  ];
}

function memberEvents(old: NetworkInterface, item: NetworkInterface): EventDraft[] {
  if (item.kind !== "bond" && item.kind !== "team") return [];
  const event = (member: string, added: boolean): EventDraft => ({
    type: added ? "network.member_added" : "network.member_gone",
    severity: added ? "info" : "warning",
    data: { interface: item.name, member },
  });
  return [
    ...old.members.filter((name) => !item.members.includes(name)).map((name) => event(name, false)),
    ...item.members.filter((name) => !old.members.includes(name)).map((name) => event(name, true)),
  ];
}
