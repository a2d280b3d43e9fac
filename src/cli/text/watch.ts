/** `--watch`: the same view again and again in place, and how wide the terminal is. */
import { AgentError } from "../../model/errors.ts";
import { ended } from "../../model/text/sentence.ts";
import { EXIT, type Io } from "../output.ts";
import { fold, height, type Room, type View } from "./fold.ts";

/** Columns of the terminal, undefined where there is none (then nothing is cut). */
export function terminalWidth(io: Pick<Io, "isTty" | "env">): number | undefined {
  const { COLUMNS: columns } = io.env;
  if (!io.isTty) return undefined;
  const wanted = Number(columns);
  // A serial line tells 0: it does not know.
  return Number.isInteger(wanted) && wanted > 0 ? wanted : process.stdout.columns || undefined;
}

/** Lines of the terminal, undefined where there is none or it does not know. */
function terminalRows({ env }: Pick<Io, "env">): number | undefined {
  const wanted = Number(env.LINES);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : process.stdout.rows || undefined;
}

/** Whether it is drawn again and again: where nothing can be drawn in place, it is shown once, like without --watch. */
export function watches(values: Readonly<Record<string, unknown>>, io: Pick<Io, "isTty" | "env">): boolean {
  return values.watch === true && values.json !== true && io.isTty && io.env.TERM !== "dumb";
}

/**
 * Draw `render`'s view again and again in place, until Ctrl-C (exit 0), folded to what the terminal has room for, which
 * is looked at anew each time. While the daemon is away the last picture stays, with the reason below it.
 */
export async function watch(io: Io, everyMs: number, render: () => Promise<View>): Promise<number> {
  let picture = await render();
  let remark = "";
  let resized: () => void = () => undefined;
  const onResize = (): void => resized();
  process.stdout.on("resize", onResize);
  io.stdout("\u001b[?25l\u001b[2J");
  try {
    while (!io.signal.aborted) {
      io.stdout(`\u001b[H${inPlace(picture, remark, io)}`);
      const woken = new AbortController();
      resized = () => woken.abort();
      await pause(everyMs, AbortSignal.any([io.signal, woken.signal]));
      if (io.signal.aborted) break;
      // What the terminal has broken anew stands where nothing of ours is.
      if (woken.signal.aborted) io.stdout("\u001b[2J");
      try {
        [picture, remark] = [await render(), ""];
      } catch (error) {
        if (io.signal.aborted) break;
        if (!(error instanceof AgentError)) throw error;
        remark = `\nNot up to date: ${ended(error.message)}\n`;
      }
    }
  } finally {
    process.stdout.off("resize", onResize);
    io.stdout("\u001b[?25h\n");
  }
  return EXIT.ok;
}

/** Each line cleared to its end, and everything below the last one. One more line than fits would scroll. */
function inPlace(picture: View, remark: string, io: Pick<Io, "isTty" | "env">): string {
  const room: Room = { columns: terminalWidth(io), rows: terminalRows(io) };
  const rows = room.rows === undefined ? undefined : Math.max(1, room.rows - 1 - height(remark, room));
  const shown = `${fold(picture, { ...room, rows })}${remark}`;
  return `${shown
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `${line}\u001b[K`)
    .join("\n")}\n\u001b[J`;
}

/** Resolves after so long, or when the signal fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
