/**
 * /metrics: what was read for this scrape (live/), what the collectors declare over their last value, and the agent's
 * own figures (own.ts).
 */

import type { AnyCollector } from "../../collectors/index.ts";
import type { Section } from "../../model/report.ts";
import type { AgentView } from "../agent-view.ts";
import { addFamily, type Families, render } from "./families.ts";
import { hiddenValues } from "./hidden-labels.ts";
import type { LiveFamilies } from "./live/live.ts";
import { ownFamilies } from "./own.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface MetricsOptions {
  /** Fill labels that identify hardware; else they are there and empty. */
  readonly serials: boolean;
  /** Names of families to leave out. */
  readonly exclude: readonly string[];
  /** Families to leave out by their name, beside `exclude`. */
  readonly except?: RegExp;
  /** false: what is read at a scrape is not wanted, and not read. */
  readonly live?: false;
}

const SENSITIVE_LABEL = /(?:^|_)(?:serial|serial_number|asset_tag|wwn|uuid|eui|nguid|machine_id)$/;

const NOTHING_LIVE: LiveFamilies = { families: new Map(), failed: [] };

/**
 * The whole text, ending in a line break.
 * @param now wall clock, milliseconds since the epoch
 */
export function metricsText(view: AgentView, options: MetricsOptions, now: number): string {
  const families: Families = new Map();
  const isExcluded = excludedBy(options);
  const live = options.live === false ? NOTHING_LIVE : view.live();
  const failed = [...live.failed];
  for (const [name, family] of live.families) if (!isExcluded(name)) families.set(name, family);
  const { sections } = view.report();
  for (const collector of view.collectors()) {
    const section = Object.hasOwn(sections, collector.name) ? sections[collector.name] : undefined;
    if (section === undefined || section.data === null || collector.metrics.length === 0) continue;
    try {
      const isWanted = (name: string): boolean => !isExcluded(name) && !live.families.has(name);
      addCollector(families, isWanted, collector, section, options.serials);
    } catch {
      failed.push(collector.name); // shown as foundry_agent_metrics_failed: one bad collector must not cost the scrape
    }
  }
  for (const family of ownFamilies(view.status(), view.healthy().ok, failed, now)) {
    if (!isExcluded(family.name)) addFamily(families, family, family.samples);
  }
  return render(families);
}

function addCollector(
  families: Families,
  isWanted: (name: string) => boolean,
  collector: AnyCollector,
  section: Section,
  serials: boolean,
): void {
  const hidden = hiddenValues(collector, section.data);
  const isHidden = serials
    ? null
    : (label: string, value: string): boolean => SENSITIVE_LABEL.test(label) || hidden.has(value);
  const shown = collector.others === undefined ? section.data : collector.others(section.data);
  for (const metric of collector.metrics) {
    if (isWanted(metric.name)) addFamily(families, metric, metric.samples(shown), isHidden);
  }
}

function excludedBy({ exclude, except }: MetricsOptions): (name: string) => boolean {
  const names = new Set(exclude);
  return (name) => names.has(name) || except?.test(name) === true;
}
