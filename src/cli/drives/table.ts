/**
 * The table of drives. Columns in which nobody has anything are left out, and on a narrow terminal those that
 * matter least give way, so that place, verdict, reason and use can be read at 80 columns.
 */
import { printable } from "../../model/text/scrub.ts";
import { plural } from "../../model/text/sentence.ts";
import type { DrivesWire, DriveWire, MissingWire } from "../../sockets/wire/drive-schemas.ts";
import type { Io } from "../output.ts";
import { at } from "../show/conditions.ts";
import type { View } from "../text/fold.ts";
import { relativeTime } from "../text/format.ts";
import { nextLine, nextStepHere } from "../text/next-step.ts";
import { type Cell, displayWidth, table } from "../text/table.ts";
import { terminalWidth } from "../text/watch.ts";
import { wrapText } from "../text/wrap.ts";
import { columnsFor, type DriveColumn, type TrendOf } from "./columns.ts";
import { standingVerdict, stateOf, temperatureOf, whyNoVerdict } from "./standing.ts";

const TREND = 24;

/** Temperatures by device, one sample a collection. */
export function openTrend(): { add(drives: DrivesWire): DrivesWire; of: TrendOf } {
  const samples = new Map<string, (number | null)[]>();
  let collectedAt: string | null = null;
  return {
    add(answer) {
      if (answer.collected_at !== collectedAt) {
        for (const drive of answer.drives)
          if (drive.name !== undefined)
            samples.set(drive.name, [...(samples.get(drive.name) ?? []), temperatureOf(drive)].slice(-TREND));
        collectedAt = answer.collected_at;
      }
      return answer;
    },
    of: (name) => samples.get(name) ?? [],
  };
}

/**
 * Pure; ends with a line break.
 * @param trend for `--watch`
 * @param socket what `--socket` named
 */
export function drivesView(
  answer: DrivesWire,
  io: Pick<Io, "color" | "now" | "isTty" | "env">,
  trend: TrendOf | null,
  socket?: unknown,
): View {
  const now = io.now();
  const { drives, missing, reason } = answer;
  if (drives.length === 0 && missing.length === 0) {
    if (reason !== null)
      return `${printable(reason.text)}\n${reason.next_step === null ? "" : `${printable(nextLine(reason.next_step, socket))}\n`}`;
    return answer.state === "pending"
      ? "The drives were not looked at yet. Look again in a few seconds.\n"
      : "There are no drives.\n";
  }
  const width = terminalWidth(io);
  const columns = columnsFor(answer, trend !== null).map((column: DriveColumn) => ({
    column,
    cells: bySlot(drives, missing).map((drive) =>
      "since" in drive ? column.missing(drive, now) : column.drive(drive, trend ?? (() => [])),
    ),
  }));
  // A column nobody has anything in only takes room: slots on a Raspberry Pi.
  const filled = columns.filter(({ cells }) => cells.some((cell) => cell !== null));
  const kept = width === undefined ? filled : fitting(filled, width);
  const rows = bySlot(drives, missing).map((_drive, row) => kept.map(({ cells }) => cells[row] ?? null));
  const drawn = table(
    kept.map(({ column }) => column),
    rows,
    { color: io.color, ...(width === undefined ? {} : { width }) },
  );
  const [head = "", ...lines] = drawn.trimEnd().split("\n");
  return {
    before: `${head}\n`,
    rows: bySlot(drives, missing).map((drive, row) => ({
      text: `${lines[row] ?? ""}\n`,
      ...standingOf(drive),
    })),
    after: `\n${wrapText(footer(answer, now), width, 0)}\n${remarks(answer, width, socket)}`,
  };
}

/** What it counts as where there is no room for all: the worst stays longest. */
function standingOf(drive: DriveWire | MissingWire): { readonly rank: number; readonly word: string } {
  if ("since" in drive) return { rank: 0, word: "missing" };
  const severity = drive.smart == null ? null : (standingVerdict(drive.smart)?.severity ?? "unknown");
  if (severity === "fail") return { rank: 0, word: "failing" };
  if (!stateOf(drive).ordinary) return { rank: 1, word: stateOf(drive).text };
  if (severity === "warn") return { rank: 2, word: "with a warning" };
  if (severity === "unknown" || severity === "asleep")
    return { rank: 3, word: severity === "asleep" ? "asleep" : "without a verdict" };
  return severity === null ? { rank: 4, word: "present" } : { rank: 5, word: "ok" };
}

/** Columns left out, the least important first, until the rest fits when all that may shrink has. */
function fitting<T extends { column: DriveColumn; cells: readonly Cell[] }>(
  all: readonly T[],
  width: number,
): T[] {
  const needed = ({ column, cells }: T): number => {
    const widest = Math.max(
      displayWidth(column.title),
      ...cells.map((cell) => displayWidth(cellWords(cell))),
    );
    return column.shrink === true ? Math.min(widest, column.min ?? widest) : widest;
  };
  let kept = [...all];
  while (kept.reduce((sum, each) => sum + needed(each) + 2, -2) > width) {
    const droppable = kept.filter(({ column }) => column.drop !== undefined);
    if (droppable.length === 0) break;
    const least = droppable.reduce((a, b) => ((b.column.drop ?? 0) < (a.column.drop ?? 0) ? b : a));
    kept = kept.filter((each) => each !== least);
  }
  return kept;
}

function cellWords(cell: Cell): string {
  return cell === null ? "-" : typeof cell === "object" ? cell.text : cell;
}

/** A missing drive stands where it was, so that the hole is seen where somebody has to look for it. */
function bySlot(drives: readonly DriveWire[], missing: readonly MissingWire[]): (DriveWire | MissingWire)[] {
  const rows: (DriveWire | MissingWire)[] = [...drives];
  for (const gone of missing) {
    const slot = Number(gone.slot ?? Number.NaN);
    const next = rows.findIndex(
      (row) => row.enclosure === gone.enclosure && row.slot != null && Number(row.slot) > slot,
    );
    rows.splice(next === -1 ? rows.length : next, 0, gone);
  }
  return rows;
}

function footer({ drives, missing, state, collected_at, smart }: DrivesWire, now: number): string {
  const gone = missing.length === 0 ? "" : `, ${missing.length} missing`;
  const old = state === "stale" ? " (out of date)" : "";
  const asked =
    smart?.state === "ok" || smart?.state === "stale"
      ? `, health asked ${relativeTime(at(smart.collected_at), now)}`
      : "";
  return `${plural(drives.length, "drive")}${gone}, looked at ${relativeTime(at(collected_at), now)}${old}${asked}`;
}

/** What to look at next: why there is no verdict, and the worst drive. */
function remarks({ drives, smart }: DrivesWire, width: number | undefined, socket: unknown): string {
  const why = whyNoVerdict(smart, "their");
  const next = why?.next_step == null ? "" : `${printable(nextLine(why.next_step, socket))}\n`;
  const reason = why === null ? "" : `${wrapText(printable(why.text), width, 0)}\n${next}`;
  const standing = drives.map((drive) =>
    drive.smart == null ? null : standingVerdict(drive.smart)?.severity,
  );
  const failing = standing.filter((severity) => severity === "fail").length;
  const warned = standing.filter((severity) => severity === "warn").length;
  if (failing + warned === 0) return reason;
  const words = [
    failing === 0 ? null : `${plural(failing, "drive")} ${failing === 1 ? "is" : "are"} failing`,
    warned === 0
      ? null
      : `${failing === 0 ? plural(warned, "drive") : warned} ${warned === 1 ? "shows" : "show"} signs of trouble`,
  ].filter((text) => text !== null);
  const worst = drives[standing.indexOf(failing > 0 ? "fail" : "warn")];
  const look = nextStepHere(`foundry-agent drives ${worst?.name ?? ""}`.trimEnd(), socket);
  return `${reason}${words.join(", ")}. Why, and what to do: ${printable(look)}\n`;
}
