/** The audit trail as root reads it: what was changed and what was refused, each oldest first. It only reads. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentError, errorCode } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { AUDIT_FOLDER, REFUSED } from "./audit-trail.ts";

export interface AuditLine {
  /** RFC 3339; the wall clock of that moment, which may have been wrong. */
  readonly at: string;
  /** Name of the operation; null: what came was no request. */
  readonly audit: string | null;
  readonly outcome: string | null;
  readonly id?: string | null;
  readonly source?: string | null;
  readonly args?: unknown;
  readonly message?: string;
}

/**
 * What can't be read of it (a line that was cut by a power loss) is left out.
 * @throws AgentError `refused_permission` for whoever is not root, `audit_unreadable`
 */
export function readAudit(stateFolder: string): { changed: AuditLine[]; refused: AuditLine[] } {
  const folder = join(stateFolder, AUDIT_FOLDER);
  const changed: AuditLine[] = [];
  const refused: AuditLine[] = [];
  try {
    for (const name of readdirSync(folder)) {
      const [, kind] = /^([a-z_]+)\.log(?:\.1)?$/.exec(name) ?? [];
      if (kind === undefined) continue;
      const text = readFileSync(join(folder, name), "utf8");
      (kind === REFUSED ? refused : changed).push(...text.split("\n").flatMap(lineOf));
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return { changed: [], refused: [] };
    if (code === "EACCES" || code === "EPERM")
      throw new AgentError("refused_permission", `${folder} is for root`, "sudo foundry-agent …", {
        cause: error,
      });
    throw new AgentError(
      "audit_unreadable",
      `the audit trail in ${folder} can't be read (${code})`,
      `ls -la ${shellWord(folder)}`,
      { cause: error },
    );
  }
  for (const lines of [changed, refused]) lines.sort((one, other) => (one.at < other.at ? -1 : 1));
  return { changed, refused };
}

function lineOf(text: string): AuditLine[] {
  try {
    const line = JSON.parse(text) as AuditLine;
    return typeof line.at === "string" ? [line] : [];
  } catch {
    return [];
  }
}
