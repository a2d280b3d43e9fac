/** `foundry-agent network`: every interface, the way out, and who resolves names; or all there is of one of them. */

import type { Network, NetworkInterface } from "../../collectors/network/schema.ts";
import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { linkSpeed } from "../text/format.ts";
import { nextStepHere } from "../text/next-step.ts";
import { type Cell, type Column, cut, displayWidth, table } from "../text/table.ts";
import { terminalWidth } from "../text/watch.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { genericText } from "./generic-view.ts";
import { sectionHeadline } from "./section-text.ts";

export const networkCommand: SubCommand = {
  name: "network",
  summary: "show the network interfaces of this node",
  usage: "[INTERFACE] [--json] [--socket PATH]",
  words: true,
  options: CLIENT_OPTIONS,
  examples: [
    "foundry-agent network",
    "foundry-agent network eth0",
    "foundry-agent network --json | jq .data.primary",
  ],
  async run({ values, positionals }, io) {
    const [name, ...more] = positionals;
    if (more.length > 0)
      throw usageError(`network takes one interface, found "${more[0]}" too`, "foundry-agent network --help");
    const client = await openClient(io, values);
    const section = await client.get("/v1/report/network");
    if (name !== undefined && section.data !== null) {
      const one = interfaceOf(section.data, name);
      if (values.json === true) printJson(io, one);
      else io.stdout(genericText(one, { now: io.now() }));
    } else if (values.json === true) printJson(io, section);
    else if (section.data === null) io.stdout(`${sectionHeadline(section, io.now())}\n`);
    else io.stdout(networkText(section.data, io, values.socket));
    return EXIT.ok;
  },
};

function interfaceOf({ interfaces = [] }: Network, name: string): NetworkInterface {
  const found = interfaces.find((item) => item.name === name);
  if (found) return found;
  throw new AgentError(
    "no_such_interface",
    `this node has no network interface "${name}"`,
    "foundry-agent network",
  );
}

const COLUMNS: readonly Column[] = [
  { title: "interface" },
  { title: "kind" },
  { title: "link" },
  { title: "speed", align: "right" },
  { title: "addresses" },
  { title: "mac" },
  { title: "with", shrink: true },
  { title: "errors", align: "right" },
];
const COLUMN_OF_ERRORS = COLUMNS.length - 1;

/**
 * In this order columns give way to the addresses, of which half would be of no use to anybody. Errors go before
 * what is with an interface when there are none, else last.
 */
const GIVE_WAY = ["mac", "kind", "no errors", "with", "speed", "errors"];
const SHORT_RELATION = 16;
/** Of one interface; a node with hundreds has them on one. */
const MAX_ADDRESSES = 6;

/** Pure; ends with a line break. @param socket what `--socket` named */
export function networkText(
  data: Network,
  io: Pick<Io, "color" | "isTty" | "env">,
  socket?: unknown,
): string {
  const interfaces = data.interfaces ?? [];
  if (interfaces.length === 0) return `There are no network interfaces.\n\n${waysOut(data)}`;
  const rows = interfaces.flatMap(rowsOf);
  const width = terminalWidth(io);
  const shown = columnsFor(rows, width);
  const drawn = table(
    COLUMNS.filter((_column, index) => shown.has(index)),
    rows.map((row) => row.filter((_cell, index) => shown.has(index))),
    { color: io.color, ...(width === undefined ? {} : { width }) },
  );
  const named = data.primary?.interface ?? interfaces[0]?.name ?? "";
  const next = nextStepHere(`foundry-agent network ${named}`, socket);
  return `${drawn}\n${waysOut(data)}\nOne of them whole: ${printable(next)}\n`;
}

/** One row for an interface, and one more for each of its further addresses. */
function rowsOf(item: NetworkInterface): Cell[][] {
  const addresses = addressesOf(item);
  const [first = null, ...others] = addresses.slice(0, MAX_ADDRESSES);
  if (addresses.length > MAX_ADDRESSES) others.push(`and ${addresses.length - MAX_ADDRESSES} more`);
  return [
    [
      item.name ?? null,
      item.kind ?? null,
      linkOf(item),
      speedOf(item),
      first,
      item.mac ?? null,
      relationOf(item),
      errorsOf(item),
    ],
    // A blank, because an empty cell is drawn as "-": not known.
    ...others.map((address) => COLUMNS.map(({ title }): Cell => (title === "addresses" ? address : " "))),
  ];
}

const SCOPES = ["global", "site", "host", "link"];

/** Those by which others reach this node first, link-local ones last. */
function addressesOf({ addresses = [] }: NetworkInterface): string[] {
  const rank = (scope = "global"): number => SCOPES.indexOf(scope);
  return addresses
    .toSorted((a, b) => rank(a.scope) - rank(b.scope))
    .map(({ address, prefix }) => `${address}/${prefix}`);
}

/** Numbers of the columns for which there is room. */
function columnsFor(rows: readonly Cell[][], width: number | undefined): ReadonlySet<number> {
  const shown = new Set(COLUMNS.keys());
  if (width === undefined) return shown;
  const widths = COLUMNS.map(({ title, shrink }, index) => {
    const texts = rows.map((row) => textOf(row[index] ?? null));
    return Math.max(
      ...[title, ...texts].map((text) => displayWidth(shrink ? cut(text, SHORT_RELATION) : text)),
    );
  });
  const needed = (): number => [...shown].reduce((sum, index) => sum + (widths[index] ?? 0) + 2, -2);
  const errorFree = rows.every((row) => /^[-0 ]$/.test(textOf(row[COLUMN_OF_ERRORS] ?? null)));
  for (const title of GIVE_WAY) {
    if (needed() <= width) break;
    if (title === "no errors") {
      if (errorFree) shown.delete(COLUMN_OF_ERRORS);
    } else shown.delete(COLUMNS.findIndex((column) => column.title === title));
  }
  return shown;
}

function textOf(cell: Cell): string {
  return printable((cell !== null && typeof cell === "object" ? cell.text : cell) ?? "-");
}

function linkOf(item: NetworkInterface): Cell {
  const { up, carrier, state, kind } = item;
  if (up === false) return { text: "off", color: "dim" };
  if (item.flapping) return { text: "flapping", color: "yellow" };
  if (kind === "loopback") return "up";
  if (carrier === false) return { text: "no link", color: "yellow" };
  if (carrier === true && (state === "up" || state === "unknown")) return "up";
  return state ?? null;
}

function speedOf({ speed_mbps: speed, duplex }: NetworkInterface): Cell {
  if (speed === null || speed === undefined) return null;
  return duplex === "half" ? { text: `${linkSpeed(speed)} half duplex`, color: "yellow" } : linkSpeed(speed);
}

function relationOf(item: NetworkInterface): string | null {
  const { master, parent, members = [], bond_members: fares } = item;
  const gone = (fares ?? []).filter(({ state }) => state === "gone").map(({ name }) => `${name} gone`);
  if (members.length + gone.length > 0) return `of ${[...members, ...gone].join(", ")}`;
  if (parent != null) return `on ${parent}${vlanOf(item)}`;
  return master == null ? null : `in ${master}`;
}

/** An id that only the name claims is no fact, and one that can't be read is not none. */
function vlanOf({ vlan_id: vlan, vlan_id_from: from }: NetworkInterface): string {
  if (vlan == null) return from === "unknown" ? ", VLAN unknown" : "";
  return from === "name" ? `, VLAN ${vlan} by its name` : `, VLAN ${vlan}`;
}

function errorsOf({ counters }: NetworkInterface): Cell {
  if (counters === null || counters === undefined) return null;
  const errors = (counters.rx_errors ?? 0) + (counters.tx_errors ?? 0);
  return errors === 0 ? "0" : { text: String(errors), color: "yellow" };
}

/** RT_TABLE_MAIN. */
const MAIN_TABLE = 254;

function waysOut(data: Network): string {
  const routes = (data.default_routes ?? []).map(
    ({ gateway, interface: by }) => `${gateway ?? "directly"} by ${by ?? "?"}`,
  );
  const several = (name: string, texts: readonly string[]): string[][] =>
    texts.length === 0 ? [[name, "none"]] : texts.map((text, index) => [index === 0 ? name : "", text]);
  const led = (data.ways_out ?? [])
    .filter(({ table }) => table != null && table !== MAIN_TABLE)
    .map(
      (way) =>
        `${way.gateway ?? "directly"} by ${way.interface ?? "?"} (IPv${way.family}, table ${way.table})`,
    );
  const lines = [
    ...several("Default route", routes),
    ...(led.length > 0 ? several("By a rule", led) : []),
    ["This node's address", data.primary?.address ?? "none"],
    ...several("Name servers", data.dns_servers ?? []),
  ];
  if (data.addresses_known === false)
    lines.push(["Note", "IPv4 addresses may be missing: they can't be asked for here"]);
  const passing = data.passing_interfaces ?? 0;
  if (passing > 0) lines.push(["Not shown", `${passing} of containers and virtual machines`]);
  const cut = (data.left_out ?? []).map(({ kind, count }) => `${count} ${kind}`);
  if (cut.length > 0) lines.push(["Too many", `${cut.join(", ")} are left out`]);
  const width = Math.max(...lines.map(([name = ""]) => name.length));
  return lines.map(([name = "", text = ""]) => `${name.padEnd(width)}  ${printable(text)}\n`).join("");
}
