/** Configuration files laid out below a fresh folder, and loaded. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { loadConfig, problemText } from "../../../src/config/config.ts";
import { temporaryFolder } from "../machine/tree.ts";

export const COLLECTORS = [
  { name: "system" },
  { name: "drives", options: { drivetemp: v.boolean(), skip: v.array(v.string()) } },
  { name: "ups" },
];

/** Lay files out below a fresh folder and load `config.toml` there. */
export function loadFiles(
  files: Record<string, string>,
  options: Partial<Parameters<typeof loadConfig>[0]> = {},
) {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode: 0o640 });
  }
  const file = join(folder, "config.toml");
  const loaded = loadConfig({
    file,
    uid: 1000,
    env: { HOME: "/home/ada" },
    collectors: COLLECTORS,
    ...options,
  });
  return { ...loaded, folder, text: loaded.problems.map(problemText).join("\n") };
}
