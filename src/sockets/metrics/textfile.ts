/** The metrics as a file for node_exporter's textfile collector (`metrics.textfile`). */
import { randomBytes } from "node:crypto";
import { chmodSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Config } from "../../config/types.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { systemWords } from "../../model/text/system-words.ts";
import type { AgentView } from "../agent-view.ts";
import { metricsText } from "./prometheus-text.ts";

// node_exporter has these itself, and refuses its whole scrape when a file brings them again.
const NODE_EXPORTERS_OWN = /^(?:node|process|go|promhttp)_/;

/**
 * What writes the file, once a call; nothing where none is wanted. Never throws.
 * @returns of that: what is wrong with the file, as conditions to hold until the next call
 */
export function textfileWriter(
  metrics: Pick<Config["metrics"], "textfile" | "serials" | "exclude">,
  now: () => number = Date.now,
): (view: AgentView) => ConditionDraft[] {
  const { textfile: path } = metrics;
  if (path === null) return () => [];
  return (view) => {
    try {
      const at = now();
      replaceFile(
        path,
        heading(at) + metricsText(view, { ...metrics, except: NODE_EXPORTERS_OWN, live: false }, at),
      );
      return [];
    } catch (error) {
      return [
        {
          code: "metrics_textfile",
          severity: "warning",
          text: `The metrics can't be written to ${path}: ${systemWords(error)}.`,
          nextStep: `ls -ld ${dirname(path)}  # the agent must be able to write there`,
        },
      ];
    }
  };
}

/** A comment to whoever reads it, and to node_exporter: which values are how old. */
function heading(at: number): string {
  return `# Written by foundry-agent at ${new Date(at).toISOString()}. Nothing in it is read when it is scraped: each value is of
# its section's last collection (foundry_agent_collector_last_run_timestamp_seconds), and the ages are of the time of writing.
# Counters of the kernel (node_...) are left out: node_exporter reads them itself.
`;
}

/**
 * Whole or not at all: a file beside it, 0644, renamed over it. Not fsynced: it is written anew at the
 * next round, and cards wear.
 */
function replaceFile(path: string, text: string): void {
  // Does not end in .prom, so that node_exporter does not read it half-written.
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    writeFileSync(beside, text, { flag: "wx", mode: 0o644 });
    chmodSync(beside, 0o644);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
