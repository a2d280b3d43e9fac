/** Questions to whoever sits at the terminal: yes or no, and a key that is not shown while it is typed. */
import { AgentError } from "../model/errors.ts";
import type { Io } from "./output.ts";

/** What is asked of stdin; a terminal has setRawMode. */
export type Input = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
};

const MAX_TYPED = 8 * 1024;
const INTERRUPT = "\u0003";
const END = "\u0004";

/**
 * Ask for something that must not be seen: nothing is echoed. The question goes to stderr.
 * @throws AgentError `interrupted` on Ctrl-C
 */
export async function askSecret(question: string, input: Input, io: Io): Promise<string> {
  io.stderr(question);
  input.setRawMode?.(true); // the terminal echoes nothing; line editing is ours then
  try {
    return await typed(input, io.signal);
  } finally {
    input.setRawMode?.(false);
    input.pause();
    io.stderr("\n");
  }
}

/** Whether the answer to a question is yes; no is what counts for anything else. */
async function confirm(question: string, input: Input, io: Io): Promise<boolean> {
  io.stderr(`${question} [y/N] `);
  try {
    return /^y(?:es)?$/i.test((await typed(input, io.signal)).trim());
  } finally {
    input.pause();
  }
}

/**
 * Make sure that an operator wants this: `--yes`, or asked on a terminal.
 * @throws AgentError `refused` when the answer is no, `usage` when there is nobody to ask
 */
export async function makeSure(
  question: string,
  again: string,
  { values, input, io }: { values: Readonly<Record<string, unknown>>; input: Input; io: Io },
): Promise<void> {
  if (values.yes === true) return;
  if (input.isTTY !== true)
    throw new AgentError("usage", "there is no terminal to ask whether this is meant", `${again} --yes`);
  if (!(await confirm(question, input, io))) throw new AgentError("refused", "nothing was changed", null);
}

/** All of a pipe or file on stdin. @param max characters @param what it is to be, for the sentence when it is longer */
export async function readAllInput(input: Input, max = MAX_TYPED, what = "a key"): Promise<string> {
  let text = "";
  input.setEncoding("utf8");
  for await (const chunk of input as AsyncIterable<string>) {
    text += chunk;
    if (text.length > max) throw new AgentError("usage", `what came on stdin is too long for ${what}`, null);
  }
  return text.trim();
}

/** One line, with backspace, as raw mode gives it or a whole line as the terminal gives it otherwise. */
function typed(input: Input, signal: AbortSignal): Promise<string> {
  input.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    let line = "";
    let over = false;
    const done = (finish: () => void): void => {
      over = true;
      input.removeListener("data", onData);
      input.removeListener("end", onEnd);
      signal.removeEventListener("abort", interrupted);
      finish();
    };
    const interrupted = (): void =>
      done(() => reject(new AgentError("interrupted", "interrupted, nothing was changed", null)));
    const onEnd = (): void => done(() => resolve(line));
    const onData = (chunk: string | Buffer): void => {
      for (const char of String(chunk)) {
        if (over) break;
        if (char === INTERRUPT) interrupted();
        else if (char === "\r" || char === "\n" || char === END) onEnd();
        else if (char === "\u007f" || char === "\b") line = line.slice(0, -1);
        else if (line.length < MAX_TYPED) line += char;
      }
    };
    input.on("data", onData);
    input.on("end", onEnd);
    signal.addEventListener("abort", interrupted);
    if (signal.aborted) interrupted();
    input.resume();
  });
}
