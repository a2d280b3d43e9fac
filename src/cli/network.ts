/** `foundry-agent network`: every interface, the way out, and who resolves names. */

import type { SectionHead } from "../agent/wire.ts";
import { printable } from "../model/scrub.ts";
import { CLIENT_OPTIONS, openClient } from "./client.ts";
import { linkSpeed } from "./format.ts";
import { EXIT, type Io, printJson } from "./output.ts";
import { sectionHeadline } from "./section-text.ts";
import { type Cell, type Column, table } from "./table.ts";
import type { SubCommand } from "./usage.ts";
import { terminalWidth } from "./watch.ts";

/** The section as this view reads it; every field may be missing. */
interface NetworkWire {
  readonly interfaces?: readonly InterfaceWire[];
  readonly default_routes?: readonly { interface?: string; gateway?: string | null; family?: number }[];
  readonly primary?: { interface?: string; address?: string | null } | null;
  readonly dns_servers?: readonly string[];
  readonly addresses_known?: boolean;
}

interface InterfaceWire {
  readonly name?: string;
  readonly kind?: string;
  readonly mac?: string | null;
  readonly up?: boolean | null;
  readonly state?: string | null;
  readonly carrier?: boolean | null;
  readonly speed_mbps?: number | null;
  readonly duplex?: string | null;
  readonly parent?: string | null;
  readonly vlan_id?: number | null;
  readonly master?: string | null;
  readonly members?: readonly string[];
  readonly addresses?: readonly { address: string; prefix: number; scope?: string }[];
  readonly counters?: Readonly<Record<string, number>> | null;
}

export const networkCommand: SubCommand = {
  name: "network",
  summary: "show the network interfaces of this node",
  usage: "[--json] [--socket PATH]",
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent network", "foundry-agent network --json | jq .data.primary"],
  async run({ values }, io) {
    const client = await openClient(io, values);
    const section = (await client.get("/v1/report/network")) as SectionHead & { data: NetworkWire | null };
    if (values.json === true) printJson(io, section);
    else if (section.data === null) io.stdout(`${sectionHeadline(section, io.now())}\n`);
    else io.stdout(networkText(section.data, io));
    return EXIT.ok;
  },
};

const COLUMNS: readonly Column[] = [
  { title: "interface" },
  { title: "kind" },
  { title: "link" },
  { title: "speed", align: "right" },
  { title: "addresses", shrink: true },
  { title: "mac" },
  { title: "with" },
  { title: "errors", align: "right" },
];

/** Pure; ends with a line break. */
export function networkText(data: NetworkWire, io: Pick<Io, "color" | "isTty" | "env">): string {
  const interfaces = data.interfaces ?? [];
  const rows = interfaces.map((item): Cell[] => [
    item.name ?? null,
    item.kind ?? null,
    linkOf(item),
    speedOf(item),
    (item.addresses ?? []).map(({ address, prefix }) => `${address}/${prefix}`).join(", "),
    item.mac ?? null,
    relationOf(item),
    errorsOf(item),
  ]);
  const width = terminalWidth(io);
  const drawn = table(COLUMNS, rows, { color: io.color, ...(width === undefined ? {} : { width }) });
  return `${rows.length === 0 ? "There are no network interfaces.\n" : drawn}\n${waysOut(data)}`;
}

function linkOf({ up, carrier, state, kind }: InterfaceWire): Cell {
  if (up === false) return { text: "off", color: "dim" };
  if (kind === "loopback") return "up";
  if (carrier === false) return { text: "no link", color: "yellow" };
  if (carrier === true && (state === "up" || state === "unknown")) return "up";
  return state ?? null;
}

function speedOf({ speed_mbps: speed, duplex }: InterfaceWire): Cell {
  if (speed === null || speed === undefined) return null;
  return duplex === "half" ? { text: `${linkSpeed(speed)} half duplex`, color: "yellow" } : linkSpeed(speed);
}

function relationOf({ master, parent, vlan_id: vlan, members = [] }: InterfaceWire): string | null {
  if (members.length > 0) return `of ${members.join(", ")}`;
  if (parent != null) return `on ${parent}${vlan == null ? "" : `, VLAN ${vlan}`}`;
  return master == null ? null : `in ${master}`;
}

function errorsOf({ counters }: InterfaceWire): Cell {
  if (counters === null || counters === undefined) return null;
  const errors = (counters.rx_errors ?? 0) + (counters.tx_errors ?? 0);
  return errors === 0 ? "0" : { text: String(errors), color: "yellow" };
}

function waysOut(data: NetworkWire): string {
  const routes = (data.default_routes ?? []).map(
    ({ gateway, interface: by }) => `${gateway ?? "directly"} by ${by ?? "?"}`,
  );
  const lines = [
    ["Default route", routes.length === 0 ? "none" : routes.join(", ")],
    ["This node's address", data.primary?.address ?? "none"],
    [
      "Name servers",
      data.dns_servers === undefined || data.dns_servers.length === 0 ? "none" : data.dns_servers.join(", "),
    ],
  ];
  if (data.addresses_known === false) lines.push(["Note", "the kernel did not tell the IPv4 addresses"]);
  const width = Math.max(...lines.map(([name = ""]) => name.length));
  return lines.map(([name = "", text = ""]) => `${name.padEnd(width)}  ${printable(text)}\n`).join("");
}
