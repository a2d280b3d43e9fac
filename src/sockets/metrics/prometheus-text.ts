/**
 * /metrics in the Prometheus text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format), made of what the
 * collectors declare and of the agent's own figures (own.ts).
 *
 * Prometheus refuses a whole scrape for one doubled series or one family with two types, so both are
 * settled here: the first declaration of a family counts, and of two equal series the first.
 */

import type { Sample } from "../../collectors/collector.ts";
import type { AnyCollector } from "../../collectors/index.ts";
import type { Section } from "../../model/report.ts";
import type { AgentView } from "../agent-view.ts";
import { hiddenValues } from "./hidden-labels.ts";
import { type Family, ownFamilies } from "./own.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface MetricsOptions {
  /** Fill labels that identify hardware; else they are there and empty. */
  readonly serials: boolean;
  /** Names of families to leave out. */
  readonly exclude: readonly string[];
  /** Families to leave out by their name, beside `exclude`. */
  readonly except?: RegExp;
}

interface Gathered {
  readonly help: string;
  readonly type: "gauge" | "counter";
  /** Series (`name{labels}`) → line. */
  readonly lines: Map<string, string>;
}

const FAMILY_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SENSITIVE_LABEL = /(?:^|_)(?:serial|serial_number|asset_tag|wwn|uuid|eui|nguid|machine_id)$/;

/**
 * The whole text, ending in a line break.
 * @param now wall clock, milliseconds since the epoch
 */
export function metricsText(view: AgentView, options: MetricsOptions, now: number): string {
  const families = new Map<string, Gathered>();
  const excluded = excludedBy(options);
  const failed: string[] = [];
  const { sections } = view.report();
  for (const collector of view.collectors()) {
    const section = Object.hasOwn(sections, collector.name) ? sections[collector.name] : undefined;
    if (section === undefined || section.data === null || collector.metrics.length === 0) continue;
    try {
      addCollector(families, excluded, collector, section, options.serials);
    } catch {
      failed.push(collector.name); // shown as foundry_agent_metrics_failed: one bad collector must not cost the scrape
    }
  }
  for (const family of ownFamilies(view.status(), view.healthy().ok, failed, now)) {
    if (!excluded(family.name)) add(families, family, family.samples, null);
  }
  return render(families);
}

function addCollector(
  families: Map<string, Gathered>,
  excluded: (name: string) => boolean,
  collector: AnyCollector,
  section: Section,
  serials: boolean,
): void {
  const hidden = serials ? null : hiddenValues(collector, section.data);
  const shown = collector.others === undefined ? section.data : collector.others(section.data);
  for (const metric of collector.metrics) {
    if (!excluded(metric.name)) add(families, metric, metric.samples(shown), hidden);
  }
}

function add(
  families: Map<string, Gathered>,
  declared: Pick<Family, "name" | "help" | "type">,
  samples: Iterable<Sample>,
  hidden: ReadonlySet<string> | null,
): void {
  const { name, help, type } = declared;
  if (!FAMILY_NAME.test(name)) throw new RangeError(`"${name}" is no name of a metric`);
  const family = families.get(name) ?? { help, type, lines: new Map<string, string>() };
  if (family.type !== type) throw new RangeError(`${name} is declared with two types`);
  families.set(name, family);
  for (const { value, labels } of samples) {
    if (Number.isNaN(value)) continue; // nothing known is no sample
    const series = name + labelText(labels, hidden);
    if (!family.lines.has(series)) family.lines.set(series, `${series} ${valueText(value)}\n`);
  }
}

function excludedBy({ exclude, except }: MetricsOptions): (name: string) => boolean {
  const names = new Set(exclude);
  return (name) => names.has(name) || except?.test(name) === true;
}

function labelText(labels: Sample["labels"], hidden: ReadonlySet<string> | null): string {
  if (labels === undefined) return "";
  let text = "";
  for (const name of Object.keys(labels)) {
    if (!LABEL_NAME.test(name)) throw new RangeError(`"${name}" is no name of a label`);
    const value = labels[name] ?? "";
    const blank = hidden !== null && (SENSITIVE_LABEL.test(name) || hidden.has(value));
    text += `${text === "" ? "" : ","}${name}="${blank ? "" : escapeLabel(value)}"`;
  }
  return text === "" ? "" : `{${text}}`;
}

function render(families: ReadonlyMap<string, Gathered>): string {
  let text = "";
  for (const [name, { help, type, lines }] of families) {
    if (lines.size === 0) continue;
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const line of lines.values()) text += line;
  }
  return text;
}

/**
 * Whole numbers as they are: counters of bytes need all their digits. Fractions without the noise of binary
 * arithmetic (0.30000000000000004): 12 significant digits, or 6 after the point where that is finer.
 */
function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  if (Number.isInteger(value)) return String(value);
  return String(Number(Math.abs(value) < 1e6 ? value.toPrecision(12) : value.toFixed(6)));
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]|[\ud800-\udfff]/.test(value)) return value;
  return value.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
