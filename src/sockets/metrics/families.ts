/**
 * The Prometheus text format (0.0.4): families and their series as lines.
 *
 * Prometheus refuses a whole scrape for one doubled series or one family with two types, so both are settled here:
 * the first declaration of a family counts, and of two equal series the first.
 */
import type { Metric, Sample } from "../../collectors/collector.ts";

export interface Gathered {
  readonly help: string;
  readonly type: Metric<unknown>["type"];
  /** Series (`name{labels}`) → line. */
  readonly lines: Map<string, string>;
}

export type Families = Map<string, Gathered>;

const FAMILY_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * @param isHidden whether a label is there and empty; null: none is
 * @throws RangeError for a name that is none, or a family that has another type already
 */
export function addFamily(
  families: Families,
  declared: Pick<Metric<unknown>, "name" | "help" | "type">,
  samples: Iterable<Sample>,
  isHidden: ((label: string, value: string) => boolean) | null = null,
): void {
  const { name, help, type } = declared;
  if (!FAMILY_NAME.test(name)) throw new RangeError(`"${name}" is no name of a metric`);
  const family = families.get(name) ?? { help, type, lines: new Map<string, string>() };
  if (family.type !== type) throw new RangeError(`${name} is declared with two types`);
  families.set(name, family);
  for (const { value, labels } of samples) {
    if (Number.isNaN(value)) continue; // nothing known is no sample
    const series = name + labelText(labels, isHidden);
    if (!family.lines.has(series)) family.lines.set(series, `${series} ${valueText(value)}\n`);
  }
}

/** The whole text, ending in a line break; a family without samples is not announced. */
export function render(families: ReadonlyMap<string, Gathered>): string {
  let text = "";
  for (const [name, { help, type, lines }] of families) {
    if (lines.size === 0) continue;
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const line of lines.values()) text += line;
  }
  return text;
}

function labelText(
  labels: Sample["labels"],
  isHidden: ((label: string, value: string) => boolean) | null,
): string {
  if (labels === undefined) return "";
  let text = "";
  for (const name of Object.keys(labels)) {
    if (!LABEL_NAME.test(name)) throw new RangeError(`"${name}" is no name of a label`);
    const value = labels[name] ?? "";
    const shown = isHidden?.(name, value) === true ? "" : escapeLabel(value);
    text += `${text === "" ? "" : ","}${name}="${shown}"`;
  }
  return text === "" ? "" : `{${text}}`;
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
