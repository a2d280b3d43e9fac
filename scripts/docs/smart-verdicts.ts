/**
 * Writes docs/smart-verdicts.md: the verdict on every capture of smartctl that there is. Own ones are in
 * test/fixtures/smart; donated ones, which may be read but not copied, are looked for in the folder given:
 * `node scripts/docs/smart-verdicts.ts FOLDER`. Whoever changes a rule reviews the difference line by line.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { smartVerdict, unknownVerdict } from "../../src/collectors/smart/verdict/verdict.ts";
import { smartFacts } from "../../src/helper/smart/json.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { SmartVerdict } from "../../src/model/smart.ts";

const OWN = new URL("../../test/fixtures/smart/", import.meta.url).pathname;
const OUT = new URL("../../docs/smart-verdicts.md", import.meta.url).pathname;

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

function page(rows: readonly string[][]): string {
  const head = ["capture", "drive", "exit", "says itself", "smart_ok", "severity", "reasons"];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ").replaceAll("\n", " ")} |`;
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row[5] as string, (counts.get(row[5] as string) ?? 0) + 1);
  return `# Verdicts on real drives

Made by \`node scripts/docs/smart-verdicts.ts FOLDER\`; do not edit. Every capture of smartctl's output that we have, what
the drive says of itself and what the agent makes of it, without any history. The folders: \`vm-lab\` and
\`vm-lab-replay\` are our own (emulated drives, and the real smartctl on edited dumps of one); \`scrutiny\` (MIT) and
\`smartctl_exporter\` (Apache-2.0) are drives that people donated to these projects, whose files are not in ours.

${[...counts].map(([severity, count]) => `${severity}: ${count}`).join(", ")}.

${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}
`;
}

if (import.meta.main) {
  const donated = process.argv[2];
  const rows = verdictRows(OWN);
  if (donated !== undefined)
    rows.push(...verdictRows(donated).filter(([name]) => !rows.some(([own]) => own === name)));
  writeFileSync(OUT, page(rows));
  process.stdout.write(`${rows.length} verdicts written to docs/smart-verdicts.md\n`);
}
