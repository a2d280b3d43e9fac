/**
 * docs/smart-verdicts.md: the verdict on every capture of smartctl that there is. Own ones are in test/fixtures/smart;
 * donated ones may be read but not copied, so where they are not at hand their lines stay as they were. Whoever
 * changes a rule reviews the difference line by line.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { smartVerdict, unknownVerdict } from "../../src/collectors/smart/verdict/verdict.ts";
import { smartFacts } from "../../src/helper/smart/json.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { SmartVerdict } from "../../src/model/smart.ts";

const OWN = new URL("../../test/fixtures/smart/", import.meta.url).pathname;
/** Folders of donated captures, which are named in the page. */
const DONATED = /^(?:scrutiny|smartctl_exporter)\//;
const PAGE = new URL("../../docs/smart-verdicts.md", import.meta.url).pathname;

/** One line of the table: file, drive, exit status, the drive's own verdict, ours, the reasons' codes. */
export function verdictRow(name: string, text: string): string[] {
  try {
    const facts = smartFacts(text, null);
    const drive = facts.model ?? (/"devices"/.test(text) ? "(a scan, no drive)" : "–");
    const own = facts.passed === null ? "–" : facts.passed ? "passed" : "failed";
    return [name, drive, String(facts.exit_status ?? "–"), own, ...verdictCells(smartVerdict(facts))];
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const { code, message } = error;
    return [name, "–", "–", "–", ...verdictCells(unknownVerdict({ code, detail: message }))];
  }
}

function verdictCells({ smart_ok, severity, reasons }: SmartVerdict): string[] {
  return [String(smart_ok ?? "–"), severity, reasons.map(({ code }) => code).join(", ")];
}

/** Rows of all captures of a folder with folders of captures, sorted by name. */
export function verdictRows(folder: string): string[][] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => verdictRow(name, readFileSync(join(folder, name), "utf8")));
}

/** @param donated folder of donated captures, null where they are not at hand */
export function verdictsPage(donated: string | null): string {
  const own = verdictRows(OWN);
  const given = donated === null ? committedRows() : verdictRows(donated);
  return page([...own, ...given.filter(([name]) => !own.some(([known]) => known === name))]);
}

/** The lines of the page that there is. Those of captures that are gone from our own folders are not of it. */
function committedRows(): string[][] {
  const lines = readFileSync(PAGE, "utf8").match(/^\| (?!capture|---).*\|$/gm) ?? [];
  return lines.map((line) => line.slice(2, -2).split(" | ")).filter(([name = ""]) => DONATED.test(name));
}

function page(rows: readonly string[][]): string {
  const head = ["capture", "drive", "exit", "says itself", "smart_ok", "severity", "reasons"];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ").replaceAll("\n", " ")} |`;
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row[5] as string, (counts.get(row[5] as string) ?? 0) + 1);
  return `# Verdicts on real drives

Made by \`npm run derive\`; do not edit. Every capture of smartctl's output that we have, what
the drive says of itself and what the agent makes of it, without any history. The folders: \`vm-lab\` and
\`vm-lab-replay\` are our own (emulated drives, and the real smartctl on edited dumps of one); \`scrutiny\` (MIT) and
\`smartctl_exporter\` (Apache-2.0) are drives that people donated to these projects, whose files are not in ours.

A warning can be accepted as known (\`drives ack\`, [how](troubleshooting.md#known-and-accepted)): reasons as far as they
had come on that day are marked \`acknowledged\` and stand last, and a \`warn\` of nothing else becomes \`ok\`. \`fail\` and
\`unknown\` stay what they are. Here nothing is accepted.

${[...counts].map(([severity, count]) => `${severity}: ${count}`).join(", ")}.

${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}
`;
}
