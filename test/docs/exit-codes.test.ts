/** The exit codes stand in one table of the program, and the documents have its words. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT, EXIT_MEANINGS } from "../../src/cli/output.ts";
import { overview } from "../../src/cli/usage.ts";

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

test("each code has one meaning, in the overview, the manual and the one table of the documents", () => {
  expect(EXIT_MEANINGS.map(([code]) => code)).toEqual(Object.values(EXIT));
  for (const [code, meaning] of EXIT_MEANINGS) {
    expect(overview([])).toContain(`${code} ${meaning}`);
    expect(read("docs/troubleshooting.md")).toContain(`| ${code} | ${meaning} |`);
    for (const page of ["1", "8"])
      expect(read(`packaging/man/foundry-agent.${page}`)).toContain(`\\fB${code}\\fP\n${meaning}\n`);
  }
});

test("no other document says them again", () => {
  for (const name of ["commands", "status-socket", "install", "monitoring", "sandbox", "enrolling"])
    expect(read(`docs/${name}.md`)).not.toMatch(/exit codes:? *\d/i);
});

test("what status exits with is said by its help and its page alike", () => {
  const note = "Exits with 1 when something of that severity is wrong, also with --json.";
  expect(read("packaging/man/foundry-agent.1").replaceAll("\\-", "-").replace(/\\f./g, "")).toContain(note);
  expect(read("src/cli/show/status.ts")).toContain(note);
});
