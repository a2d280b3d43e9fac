/** `foundry-agent helper --audit`: what the helper changed on this host and what it refused, for root. */
import { type AuditLine, readAudit } from "../../helper/carry-out/audit-read.ts";
import { printable } from "../../model/text/scrub.ts";
import { valueText } from "../commands/values.ts";
import { EXIT, type Io } from "../output.ts";
import { timeText } from "../text/time.ts";

/** @throws AgentError as readAudit */
export function printAudit(stateFolder: string, io: Io): number {
  const { changed, refused } = readAudit(stateFolder);
  io.stdout(listText("Changed on this host", "Nothing was changed on this host.", changed));
  io.stdout(`\n${listText("Refused", "Nothing was refused.", refused)}`);
  return EXIT.ok;
}

function listText(title: string, none: string, lines: readonly AuditLine[]): string {
  return lines.length === 0 ? `${none}\n` : `${title}:\n${lines.map(lineText).join("")}`;
}

function lineText({ at, audit, outcome, id, source, args, message }: AuditLine): string {
  const parts = [
    timeText(Date.parse(at)),
    // Without either it is a count of many.
    ...(audit === null && outcome === null
      ? []
      : [(audit ?? "no request").padEnd(14), (outcome ?? "").padEnd(14)]),
    ...(id == null ? [] : [id]),
    ...(source == null ? [] : [`from ${source}`]),
    ...(args == null ? [] : [valueText(args)]),
    ...(message === undefined ? [] : [message]),
  ];
  return `${printable(parts.join("  ")).trimEnd()}\n`;
}
