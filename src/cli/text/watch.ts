/** `--watch`: the same view again and again in place, and how wide the terminal is. */
import { AgentError } from "../../model/errors.ts";
import { ended } from "../../model/text/sentence.ts";
import { EXIT, type Io } from "../output.ts";

/** Columns of the terminal, undefined where there is none (then nothing is cut). */
export function terminalWidth(io: Pick<Io, "isTty" | "env">): number | undefined {
  const { COLUMNS: columns } = io.env;
  if (!io.isTty) return undefined;
  const wanted = Number(columns);
  // A serial line tells 0: it does not know.
  return Number.isInteger(wanted) && wanted > 0 ? wanted : process.stdout.columns || undefined;
}

/**
 * Draw `render`'s text again and again in place, until Ctrl-C (exit 0); once where stdout is no terminal.
 * While the daemon is away the last picture stays, with the reason below it.
 */
export async function watch(io: Io, everyMs: number, render: () => Promise<string>): Promise<number> {
  if (!io.isTty) {
    io.stdout(await render());
    return EXIT.ok;
  }
  let picture = await render();
  let remark = "";
  io.stdout("\u001b[?25l\u001b[2J");
  try {
    while (!io.signal.aborted) {
      io.stdout(`\u001b[H${inPlace(picture + remark)}`);
      await pause(everyMs, io.signal);
      if (io.signal.aborted) break;
      try {
        [picture, remark] = [await render(), ""];
      } catch (error) {
        if (io.signal.aborted) break;
        if (!(error instanceof AgentError)) throw error;
        remark = `\nNot up to date: ${ended(error.message)}\n`;
      }
    }
  } finally {
    io.stdout("\u001b[?25h\n");
  }
  return EXIT.ok;
}

/** Each line cleared to its end, and everything below the last one. */
function inPlace(picture: string): string {
  const rows = process.stdout.rows ?? 0;
  const lines = picture.replace(/\n$/, "").split("\n");
  // One more line than fits would scroll, and the next picture would start too low.
  const shown = rows > 1 ? lines.slice(0, rows - 1) : lines;
  return `${shown.map((line) => `${line}\u001b[K`).join("\n")}\n\u001b[J`;
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
