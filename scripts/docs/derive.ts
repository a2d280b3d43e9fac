/**
 * `npm run derive`: everything that is committed and follows from something else in the tree, written anew. Documents
 * are made here; the golden reports are written by their own test, which has the machines. Tests compare and never
 * write: they say when this is to be run.
 *
 * `npm run derive -- FOLDER` judges the donated captures of smartctl in that folder anew, too.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { allCollectors } from "../../src/collectors/index.ts";
import { allReaders } from "../../src/sockets/metrics/live/readers.ts";
import { ROUTES } from "../../src/sockets/routes/table.ts";
import { ROOT } from "../paths.mjs";
import { collectorsDocument } from "./collectors-doc.ts";
import { completionFiles } from "./completion/files.ts";
import { configurationPage, exampleToml } from "./config-docs.ts";
import { committedPage, manPages } from "./man-pages.ts";
import { openApiDocument } from "./openapi.ts";
import { policyFile } from "./policy-file.ts";
import { verdictsPage } from "./smart-verdicts.ts";

/**
 * Path from the root of the project → text.
 * @param today YYYY-MM-DD, for manual pages that change
 * @param donated folder of donated captures of smartctl, null where they are not at hand
 */
export async function derivedDocuments(
  today: string,
  donated: string | null,
): Promise<Readonly<Record<string, string>>> {
  const collectors = allCollectors();
  return {
    "docs/config.example.toml": exampleToml(),
    "docs/configuration.md": configurationPage(),
    "docs/collectors.md": collectorsDocument(collectors, allReaders()),
    "docs/smart-verdicts.md": verdictsPage(donated),
    "docs/status-socket.openapi.json": `${JSON.stringify(openApiDocument(ROUTES, collectors), null, 1)}\n`,
    "packaging/config.toml": exampleToml(),
    "packaging/policy.toml": policyFile(committed("packaging/policy.toml")),
    ...below("packaging/completion", await completionFiles()),
    ...below("packaging/man", await manPages(today, committedPage)),
  };
}

function below(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

/** What is committed, "" where there is nothing yet. */
export function committed(path: string): string {
  try {
    return readFileSync(`${ROOT}/${path}`, "utf8");
  } catch {
    return "";
  }
}

if (import.meta.main) {
  const today = new Date().toISOString().slice(0, 10);
  for (const [path, text] of Object.entries(await derivedDocuments(today, process.argv[2] ?? null))) {
    if (committed(path) === text) continue;
    writeFileSync(`${ROOT}/${path}`, text);
    process.stdout.write(`${path} is written anew\n`);
  }
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=dot", "test/golden/golden.test.ts"];
  const { status } = spawnSync(process.execPath, vitest, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, FOUNDRY_DERIVE: "1" },
  });
  process.exitCode = status ?? 1;
}
