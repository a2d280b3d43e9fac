/**
 * Text in the man macros (man(7)), the small set that groff and mandoc render alike. What is made here comes out as
 * it was typed: quotes, dashes and dots at the beginning of a line mean something to roff otherwise.
 */

/** Running text. Everything beyond ASCII as an escape, for readers in any locale. */
export function text(words: string): string {
  return words
    .replaceAll("\\", "\\e")
    .replace(/^[.']/gm, "\\&$&")
    .replaceAll('"', "\\(dq")
    .replaceAll("`", "\\(ga")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(
      /[^\n\x20-\x7e]/gu,
      (sign) => `\\[u${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}

/** What is typed: its dashes can be copied and typed again. */
export function typed(words: string): string {
  return text(words).replaceAll("-", "\\-");
}

/** Typed as it stands. */
export function bold(words: string): string {
  return `\\fB${typed(words)}\\fP`;
}

/** Stands for something else. */
export function italic(words: string): string {
  return `\\fI${typed(words)}\\fP`;
}

/** Running text in which `such` words are typed as they stand. */
export function prose(words: string): string {
  return words
    .split("`")
    .map((part, index) => (index % 2 === 1 ? bold(part) : text(part)))
    .join("")
    .replace(/^(?=[.'])/, "\\&");
}

/** A usage line: names in italics, what is typed in bold, brackets and bars as they are. */
export function usage(line: string): string {
  return line
    .split(/([[\]|\s]+)/)
    .map((part) => {
      if (part === "" || /^[[\]|\s]+$/.test(part)) return part;
      return /^[A-Z]/.test(part) ? italic(part) : bold(part);
    })
    .join("");
}

export function section(title: string, ...blocks: readonly string[]): string {
  return [`.SH ${typed(title.toUpperCase())}`, ...blocks].join("\n");
}

/** @param title made with bold, italic, typed */
export function subsection(title: string, ...blocks: readonly string[]): string {
  return [`.SS ${title}`, ...blocks].join("\n");
}

export function paragraph(words: string): string {
  return `.PP\n${prose(words)}`;
}

/** A term and what it means. @param term made with bold, italic, typed */
export function entry(term: string, ...meaning: readonly string[]): string {
  return [".TP", term, ...meaning].join("\n");
}

/** Lines to type. */
export function display(lines: readonly string[]): string {
  return [".PP", ".RS 4", ".EX", ...lines.map((line) => typed(line).replace(/^$/, "\\&")), ".EE", ".RE"].join(
    "\n",
  );
}

export interface PageHead {
  readonly name: string;
  readonly chapter: number;
  /** YYYY-MM-DD */
  readonly date: string;
  readonly version: string;
}

/** A whole page; `about` is its line in whatis(1). */
export function page(
  { name, chapter, date, version }: PageHead,
  about: string,
  sections: readonly string[],
): string {
  return [
    `.\\" Made by npm run derive from what the program declares.`,
    `.TH ${typed(name.toUpperCase())} ${chapter} ${date} "foundry\\-agent ${version}" "foundry\\-agent"`,
    `.SH NAME\n${typed(name)} \\- ${text(about)}`,
    ...sections,
    "",
  ].join("\n");
}
