/**
 * A strict reader of the Prometheus text format 0.0.4: what a scraper would refuse or quietly misread is an
 * error here (doubled series, a family in two places, a sample before its TYPE, wrong escapes).
 */
export interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: { labels: Record<string, string>; value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const VALUE = /^(?:NaN|[+-]Inf|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)$/i;

/** @throws Error that names the line */
export function parsePrometheus(text: string): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const series = new Set<string>();
  let help: { name: string; text: string } | null = null;
  let current: ParsedFamily | null = null;
  if (!text.endsWith("\n")) throw new Error("the last line has no line break");
  for (const [index, line] of text.slice(0, -1).split("\n").entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${index + 1}: ${why}: ${line}`);
    };
    if (/^# (?!HELP|TYPE)/.test(line)) continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name = "", rest = ""] = comment;
      if (!NAME.test(name)) fail("no name of a family");
      if (kind === "HELP") {
        if (families.has(name)) fail("a family in two places");
        if (rest.trim() === "" || !/^(?:[^\\]|\\[\\n])*$/.test(rest)) fail("empty or wrongly escaped help");
        help = { name, text: rest };
        continue;
      }
      if (families.has(name)) fail("a second TYPE");
      if (help?.name !== name) fail("TYPE without its HELP before it");
      if (!/^(?:counter|gauge|untyped)$/.test(rest)) fail("unknown type");
      current = { name, help: help?.text ?? "", type: rest, samples: [] };
      families.set(name, current);
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$/.exec(line);
    if (!sample) return fail("neither comment nor sample");
    const [, name = "", labelPart = "", value = ""] = sample;
    if (current === null || current.name !== name) return fail("a sample outside its family");
    if (!VALUE.test(value)) fail("no number");
    const labels = labelPart === "" ? {} : parseLabels(labelPart, fail);
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (series.has(key)) fail("the same series twice");
    series.add(key);
    const number = value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value);
    if (current.type === "counter" && !(number >= 0)) fail("a counter below 0");
    current.samples.push({ labels, value: number });
  }
  for (const family of families.values())
    if (family.samples.length === 0) throw new Error(`${family.name} has no samples`);
  return families;
}

function parseLabels(text: string, fail: (why: string) => never): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text.slice(1, -1);
  while (rest !== "") {
    const found = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,(?=.)|$)/.exec(rest);
    if (!found) return fail("wrong labels");
    const [all, name = "", value = ""] = found;
    if (Object.hasOwn(labels, name)) fail("a label twice");
    labels[name] = value.replace(/\\([\\n"])/g, (_all, char: string) => (char === "n" ? "\n" : char));
    rest = rest.slice(all.length);
  }
  return labels;
}
