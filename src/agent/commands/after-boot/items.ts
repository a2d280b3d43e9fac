/** What the sections of the report say of what works on this host, for the look before and after a reboot. Pure. */
import type { Item } from "../../../commands/after-boot/picture.ts";
import type { Report, Section } from "../../../model/report.ts";

/** Of the section `network`, as much as is looked at here; any of it may be left out by `report.exclude`. */
interface Network {
  readonly interfaces?: readonly {
    readonly name?: string;
    readonly kind?: string;
    readonly carrier?: boolean | null;
    readonly members?: readonly string[];
  }[];
  readonly default_routes?: readonly { readonly family?: number }[];
}
interface Drives {
  readonly drives?: readonly {
    readonly id?: string;
    readonly name?: string;
    readonly model?: string | null;
    readonly state?: string | null;
    readonly answering?: boolean;
  }[];
}
interface Smart {
  readonly drives?: readonly { readonly id?: string; readonly device?: string; readonly severity?: string }[];
}
interface System {
  readonly clock?: { readonly synchronised?: boolean | null };
}

/** Links whose carrier is somebody else's cable or radio: of bridges those that have one of these. */
const WIRED: ReadonlySet<string> = new Set([
  "physical",
  "infiniband",
  "wireless",
  "wwan",
  "bond",
  "team",
  "vlan",
]);

/** A list for each kind that the sections can tell of; a kind that is not there could not be looked at. */
export function itemsOf({ sections }: Report): ReadonlyMap<Item["kind"], readonly Item[]> {
  const network = dataOf<Network>(sections.network);
  const drives = dataOf<Drives>(sections.drives);
  const smart = dataOf<Smart>(sections.smart);
  const system = dataOf<System>(sections.system);
  const found = new Map<Item["kind"], readonly Item[]>();
  if (network?.interfaces !== undefined) found.set("link", links(network));
  if (network?.default_routes !== undefined) found.set("route", routes(network));
  if (drives?.drives !== undefined) found.set("drive", driveItems(drives));
  if (smart?.drives !== undefined) found.set("smart", smartItems(smart));
  if (system?.clock !== undefined) found.set("clock", [clockItem(system)]);
  found.set("section", Object.values(sections).map(sectionItem));
  return found;
}

/** Which section has to be collected anew to know how an item is now; null: none makes it known sooner. */
export function sectionOf({ kind, id }: Pick<Item, "kind" | "id">): string | null {
  if (kind === "link" || kind === "route") return "network";
  if (kind === "drive") return "drives";
  if (kind === "clock") return "system";
  return kind === "section" ? id : null;
}

/** A stale section tells of how it was. */
function dataOf<T>(section: Section | undefined): T | null {
  return section?.state === "ok" ? (section.data as T | null) : null;
}

function links({ interfaces = [] }: Network): Item[] {
  const wired = new Set(interfaces.filter(({ kind }) => WIRED.has(kind ?? "")).map(({ name = "" }) => name));
  return interfaces
    .filter(
      ({ name = "", kind, members = [] }) =>
        wired.has(name) || (kind === "bridge" && members.some((member) => wired.has(member))),
    )
    .map(({ name = "", carrier }) => ({
      kind: "link" as const,
      id: name,
      name,
      is: carrier === true ? "carrier" : "no carrier",
    }));
}

/** One a family: through which gateway is the network's own business. */
function routes({ default_routes = [] }: Network): Item[] {
  return [...new Set(default_routes.map(({ family }) => family))]
    .filter((family) => family !== undefined)
    .map((family) => ({ kind: "route" as const, id: `IPv${family}`, name: `IPv${family}`, is: "there" }));
}

function driveItems({ drives = [] }: Drives): Item[] {
  return drives.flatMap(({ id, name, model, state, answering }) =>
    id === undefined
      ? []
      : [
          {
            kind: "drive" as const,
            id,
            name: [name, model == null ? null : `(${model})`].filter((part) => part != null).join(" ") || id,
            is: state === "offline" || answering === false ? "not answering" : "there",
          },
        ],
  );
}

/** Asleep, or not asked yet, is no verdict. */
function smartItems({ drives = [] }: Smart): Item[] {
  return drives.flatMap(({ id, device, severity = "unknown" }) =>
    id === undefined
      ? []
      : [
          {
            kind: "smart" as const,
            id,
            name: device ?? id,
            is: ["ok", "warn", "fail"].includes(severity) ? severity : "unknown",
          },
        ],
  );
}

function clockItem({ clock }: System): Item {
  const known = clock?.synchronised ?? null;
  const is = known === null ? "unknown" : known ? "synchronised" : "not synchronised";
  return { kind: "clock", id: "clock", name: "clock", is };
}

function sectionItem({ name, state, reason }: Section): Item {
  const is = state === "ok" ? "collected" : reason?.code === "pending" ? "unknown" : "not collected";
  return { kind: "section", id: name, name, is, ...(reason === null ? {} : { said: reason.text }) };
}
