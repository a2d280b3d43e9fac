/** `foundry-agent osds`: the OSDs of this node, the drive under each and how it fares, and what the cluster says of them. */

import type { CephData, CephOsd } from "../../collectors/ceph/schema.ts";
import { stateText, usedText } from "../../collectors/ceph/view.ts";
import { printable } from "../../model/text/scrub.ts";
import type { DriveWire } from "../../sockets/wire/drive-schemas.ts";
import { verdictCell } from "../drives/columns.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { nextLine } from "../text/next-step.ts";
import { type Cell, type Column, displayWidth, table } from "../text/table.ts";
import { terminalWidth } from "../text/watch.ts";
import { wrapText } from "../text/wrap.ts";
import type { SubCommand } from "../usage.ts";
import { sectionHeadline } from "./section-text.ts";

export const osdsCommand: SubCommand = {
  name: "osds",
  summary: "show the Ceph OSDs of this node, their drives and what the cluster says of them",
  usage: "[--json] [--socket PATH]",
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent osds", "foundry-agent osds --json | jq '.data.osds[] | select(.up == false)'"],
  async run({ values }, io) {
    const client = await openClient(io, values);
    const section = await client.get("/v1/report/ceph");
    const { drives } = await client.get("/v1/drives");
    const { data } = section;
    if (values.json === true)
      printJson(io, data === null ? section : { ...section, data: withDrives(data, drives) });
    else if (data === null) io.stdout(`${sectionHeadline(section, io.now())}\n`);
    else io.stdout(osdsText(data, drives, io, values.socket));
    return EXIT.ok;
  },
};

/** Its data, with what is known of the drives under each OSD beside their names. */
function withDrives(data: CephData, drives: readonly DriveWire[]): object {
  const osds = (data.osds ?? []).map((osd) => ({
    ...osd,
    drives: drivesOf(osd, drives).map(({ name, serial, slot, smart }) => ({
      ...{ name, serial, slot },
      verdict: smart?.severity ?? null,
    })),
  }));
  return { ...data, osds };
}

/** In the order of their names; one that the section drives does not have is left with its name. */
function drivesOf(osd: CephOsd, drives: readonly DriveWire[]): Partial<DriveWire>[] {
  return (osd.drives ?? []).map((name) => drives.find((drive) => drive.name === name) ?? { name });
}

const COLUMNS: readonly Column[] = [
  { title: "osd" },
  { title: "drive" },
  { title: "slot" },
  { title: "serial" },
  { title: "verdict", shrink: true, min: 8 },
  { title: "class" },
  { title: "state" },
  { title: "weight", align: "right" },
  { title: "used", align: "right" },
  { title: "bucket", shrink: true, min: 6 },
];

/** Pure; ends with a line break. @param socket what `--socket` named */
export function osdsText(
  data: CephData,
  drives: readonly DriveWire[],
  io: Pick<Io, "color" | "isTty" | "env">,
  socket?: unknown,
): string {
  const width = terminalWidth(io);
  const drawn = osdTable(data, drives, width, io.color);
  const said = [...daemonLines(data), ...clusterLines(data)]
    .map((line) => wrapText(printable(line), width, 2))
    .join("\n");
  const next =
    data.problem?.next_step == null ? "" : `${printable(nextLine(data.problem.next_step, socket))}\n`;
  return `${drawn}\n${said}\n${next}`;
}

/** In this order columns give way on a narrow terminal. */
const GIVE_WAY = ["bucket", "class", "weight", "slot", "used", "serial", "verdict"];

function osdTable(
  data: CephData,
  drives: readonly DriveWire[],
  width: number | undefined,
  color: boolean,
): string {
  // What `report.exclude` names is not there.
  const rows = (data.osds ?? []).flatMap((osd) => rowsOf(osd, drives));
  if (rows.length === 0) return "Which OSDs are on this node can't be told from here, or there are none.\n";
  // A column nobody has anything in only takes room: slots, or what only the cluster knows.
  const shown = new Set(
    [...COLUMNS.keys()].filter((index) => rows.some((row) => row[index] !== null && row[index] !== " ")),
  );
  const draw = (): string =>
    table(
      COLUMNS.filter((_column, index) => shown.has(index)),
      rows.map((row) => row.filter((_cell, index) => shown.has(index))),
      { color, ...(width === undefined ? {} : { width }) },
    );
  const isTooWide = (): boolean =>
    width !== undefined &&
    draw()
      .split("\n")
      .some((line) => line.includes("\u2026") || displayWidth(line) > width);
  for (const title of GIVE_WAY) {
    if (!isTooWide()) break;
    shown.delete(COLUMNS.findIndex((column) => column.title === title));
  }
  return draw();
}

/** A row for the first drive of an OSD, and one more for each further one: its DB and WAL. */
function rowsOf(osd: CephOsd, drives: readonly DriveWire[]): Cell[][] {
  const [first = {}, ...others] = drivesOf(osd, drives);
  return [
    [
      `osd.${osd.id}`,
      ...ofDrive(first),
      osd.class,
      stateCell(osd),
      osd.weight === null ? null : String(Math.round(osd.weight * 1_000) / 1_000),
      usedText(osd),
      osd.bucket,
    ],
    ...others.map((drive): Cell[] => [" ", ...ofDrive(drive), " ", " ", " ", " ", " "]),
  ];
}

function ofDrive(drive: Partial<DriveWire>): Cell[] {
  const { name = null, slot = null, serial = null, smart = null } = drive;
  return [name, slot, serial, verdictCell({ smart })];
}

function stateCell(osd: CephOsd): Cell {
  if (osd.ours === false) return { text: "not this one", color: "yellow" };
  const text = stateText(osd);
  return text !== null && osd.up === false && osd.in === true ? { text, color: "red" } : text;
}

function daemonLines({ daemons = [] }: CephData): string[] {
  if (daemons.length === 0) return [];
  return [`Also here: ${daemons.map(({ kind, name }) => `${kind}.${name}`).join(", ")}`];
}

function clusterLines({ cluster = null, problem = null }: CephData): string[] {
  if (problem !== null) return [problem.text];
  if (cluster === null) return ["The cluster is being asked for the first time."];
  const { health, version, mixed_versions, checks, flags, noout_elsewhere, fsid } = cluster;
  const versions = version === null ? "" : `, Ceph ${version}${mixed_versions ? " and others" : ""}`;
  return [
    `Cluster ${fsid}: ${health}${versions}`,
    ...checks.map(({ code, text, muted }) => `  ${code}: ${text}${muted ? " (muted)" : ""}`),
    ...flags.map(({ flag, name }) => `Flag ${flag} is set on ${name ?? "the whole cluster"}.`),
    ...noout_elsewhere.map(
      ({ bucket, all_down }) =>
        `${bucket} is kept in (noout)${all_down ? ", and none of its OSDs is up" : ""}: maintenance, or left so.`,
    ),
  ];
}
