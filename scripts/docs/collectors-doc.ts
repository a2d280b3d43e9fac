/** docs/collectors.md, made from the collectors' declarations. */
import type { AnyCollector } from "../../src/collectors/index.ts";
import type { AnyReader } from "../../src/sockets/metrics/live/reader.ts";
import { type JsonSchema, jsonSchema } from "./json-schema.ts";

/** One chapter a collector: rhythm, fields with types and meaning, what is sensitive, metrics. */
export function collectorsDocument(
  collectors: readonly AnyCollector[],
  readers: readonly AnyReader[] = [],
): string {
  const chapters = collectors
    .map((collector) =>
      chapter(
        collector,
        readers.filter(({ section }) => section === collector.name),
      ),
    )
    .join("\n");
  const list = collectors
    .map(({ name, summary }) => `- [${name}](#${name}): ${sentence(summary)}`)
    .join("\n");
  return `# What the agent collects

Made from the collectors' own declarations; do not edit. \`foundry-agent collect NAME\` runs one of them now, \`foundry-agent report NAME\` shows its last value.

${list}

${chapters}`;
}

function chapter(collector: AnyCollector, readers: readonly AnyReader[]): string {
  const { name, summary, everyMs, timeoutMs, sensitive, volatile, metrics } = collector;
  const rows = fields(jsonSchema(collector.schema), "");
  const parts = [
    `## ${name}\n\n${sentence(summary)} Every ${time(everyMs)}, at most ${time(timeoutMs)} a run.\n`,
    `| field | type | meaning |\n|---|---|---|\n${rows.map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n")}\n`,
  ];
  if (sensitive.length > 0) parts.push(`Null on the world-readable socket: ${codes(sensitive)}.\n`);
  const changing = Object.keys(volatile);
  if (changing.length > 0) parts.push(`Change all the time, so no news by themselves: ${codes(changing)}.\n`);
  if (metrics.length > 0) parts.push(metricTable("metric of the last value", metrics));
  const live = readers.flatMap((reader) => reader.metrics);
  if (live.length > 0) parts.push(metricTable("metric read at each scrape", live));
  return parts.join("\n");
}

function metricTable(heading: string, metrics: AnyCollector["metrics"]): string {
  const lines = metrics.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${cell(help)} |`);
  return `| ${heading} | type | meaning |\n|---|---|---|\n${lines.join("\n")}\n`;
}

/** Path, type and meaning of every field, depth first; `[]` steps into the items of an array. */
function fields(schema: JsonSchema, path: string): [string, string, string][] {
  const properties = schema.properties as Record<string, JsonSchema> | undefined;
  if (properties !== undefined)
    return Object.entries(properties).flatMap(([name, field]) => {
      const at = path === "" ? name : `${path}.${name}`;
      return [
        [at, typeText(field), text(field.description)] as [string, string, string],
        ...inside(field, at),
      ];
    });
  return inside(schema, path);
}

function inside(schema: JsonSchema, path: string): [string, string, string][] {
  if (schema.properties !== undefined) return fields(schema, path);
  if (isSchema(schema.items)) return inside(schema.items, `${path}[]`);
  if (isSchema(schema.additionalProperties)) return inside(schema.additionalProperties, `${path}.*`);
  if (Array.isArray(schema.anyOf)) return schema.anyOf.flatMap((one) => inside(one as JsonSchema, path));
  return [];
}

function typeText(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => String(value)).join(", ");
  if ("const" in schema) return String(schema.const);
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map((one) => typeText(one as JsonSchema)).join(" or ");
  if (Array.isArray(schema.type)) return schema.type.join(" or ");
  if (schema.type === "array" && isSchema(schema.items)) return `list of ${typeText(schema.items)}`;
  return typeof schema.type === "string" ? schema.type : "anything";
}

function isSchema(value: unknown): value is JsonSchema {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function cell(value: string): string {
  return value.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function time(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}

function sentence(value: string): string {
  return /[.!?]$/.test(value) ? value : `${value}.`;
}
