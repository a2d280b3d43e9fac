/** A temporary folder that outlives one test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function makeTemporaryFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "foundry-agent-matrix-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
