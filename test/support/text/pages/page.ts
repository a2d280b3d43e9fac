/**
 * The code blocks of a page in docs/, so that a test can do what the page says. What is done with a block stands
 * behind its language: `follow` (type it), `follow=background` (in a terminal of its own), `follow=typed` (a key is
 * asked for and typed), `follow=refused` (an ordinary user is answered with an error and a next step), `follow=FILE` (write it there), `follow=FILE+` (add it), `shows` (what the block before it
 * prints), `console` (lines with `$ ` are typed, the others are what they print), `archive` (typed after the rest: it is another way), and `example` (not followed, because
 * the words before it say what it is an example of). A block that says nothing is a mistake.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../../scripts/paths.mjs";

export interface Block {
  readonly page: string;
  /** Of its first line of text, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: one word. */
  readonly role: string;
  readonly text: string;
}

const FENCE = /^ *```(.*)$/;

/** @param page `sandbox.md`. @throws Error where a block does not say what it is for */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; lines: string[] } | null = null;
  for (const [index, text] of readFileSync(join(ROOT, "docs", page), "utf8")
    .split("\n")
    .entries()) {
    const info = FENCE.exec(text)?.[1];
    if (info === undefined) open?.lines.push(text);
    else if (open === null) open = { line: index + 2, info: info.trim(), lines: [] };
    else {
      const [language = "", role = ""] = open.info.split(" ");
      if (language === "" || role === "") throw new Error(`${page}:${open.line}: what is this block for?`);
      blocks.push({ page, line: open.line, language, role, text: open.lines.join("\n") });
      open = null;
    }
  }
  return blocks;
}

/** One command each, lines that end in a backslash with the next; comments alone and empty lines left out. */
export function commandsOf(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s*#/.test(line));
}

const NUMBER = "\\d+(?:[.:]\\d+)*";
const UNIT = "(?: ?(?:ms|s|min|h|d|B|KiB|MiB|GiB|TiB|TB|GB|MB))";
const TIME = `(?:now|in ${NUMBER}${UNIT}|${NUMBER}${UNIT} ago)`;

/**
 * What a page shows as a pattern: `…` is anything within a line, a line of it alone any lines; numbers, times, ids and
 * how wide a column is are this machine's own.
 */
export function patternOf(shown: string): RegExp {
  const parts = shown.split(
    /(^…$|…|\bnow\b|\bin \d[\d.:]*(?: ?[a-zA-Z]+)\b|\b\d[\d.:]*(?: ?[a-zA-Z]+) ago\b|\b(?:node|cmd|op|inst)_(?:local_)?[0-9a-f]{8,}\b|\d[\d.:]*\d(?: (?:ms|s|min|h|d|B|KiB|MiB|GiB|TiB)\b)?|\d(?: (?:ms|s|min|h|d|B|KiB|MiB|GiB|TiB)\b)?| {2,}|\n)/m,
  );
  const pattern = parts.map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    if (part === "\n") return " *\\n";
    if (part === "…") return parts[index - 1] === "" && parts[index + 1] === "" ? "[^\\0]*?" : "[^\\n]*?";
    if (/^ +$/.test(part)) return " +";
    if (/^now$|^in | ago$/.test(part)) return TIME;
    const id = /^([a-z]+_(?:local_)?)[0-9a-f]+$/.exec(part)?.[1];
    return id === undefined ? `${NUMBER}${UNIT}?` : `${id}[0-9A-Za-z]+`;
  });
  return new RegExp(`^${pattern.join("")} *$`, "m");
}

/** The placeholders of a command, `node_…`, as the one who types it fills them in: with what was printed last. */
export function filled(command: string, printed: string): string {
  return command.replace(/\b([a-z]+(?:_[a-z]+)*_)…/g, (_all, prefix: string) => {
    const found = printed.match(new RegExp(`\\b${prefix}[0-9A-Za-z]+`, "g"))?.at(-1);
    if (found === undefined) throw new Error(`nothing printed so far begins with ${prefix}: ${command}`);
    return found;
  });
}
