/**
 * Whether a pattern of `report.exclude` names a field that there is. One that does not lets out what somebody
 * wanted to keep, and looks as if it did its work; so it is told. A condition and no error: a field that a
 * newer version calls otherwise must not keep the agent from starting.
 */

import { collectorConfig, type KnownCollector, type LoadedConfig } from "../../config/config.ts";
import type { ConditionDraft } from "../../model/condition.ts";

/** What is looked at of valibot's objects (documented in its "Schema" types); a pipe has its first schema's fields. */
interface Node {
  readonly type: string;
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly value?: Node;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly options?: readonly Node[];
}

/** `exclude_unknown` for each pattern that fits no field of its section. */
export function excludeConditions(
  patterns: readonly string[],
  collectors: readonly KnownCollector[],
): ConditionDraft[] {
  return patterns.flatMap((pattern): ConditionDraft[] => {
    const [section, ...fields] = pattern.split(".").flatMap(stepsOf);
    const collector = collectors.find(({ name }) => name === section);
    // Of a section that is switched off there is nothing to leave out.
    if (collector?.schema === undefined || fits(collector.schema as unknown as Node, fields)) return [];
    return [
      {
        code: "exclude_unknown",
        subject: pattern,
        severity: "warning",
        text: `report.exclude names "${pattern}", and the section ${section} has no such field: nothing is left out by it.`,
        nextStep: `foundry-agent report ${section} --json  # shows what its fields are called`,
      },
    ];
  });
}

export interface ExcludeWarning extends ConditionDraft {
  /** Where the patterns stand. */
  readonly file: string | null;
  readonly line: number | null;
}

/** The same for `config check`, before any agent runs with it. */
export function excludeWarnings(
  { config, origins }: LoadedConfig,
  collectors: readonly KnownCollector[],
): ExcludeWarning[] {
  const on = collectors.filter(({ name }) => collectorConfig(config, name).enabled);
  const { file = null, line = null } = origins.get("report.exclude") ?? {};
  return excludeConditions(config.report.exclude, on).map((found) => ({ ...found, file, line }));
}

/** `drives[id]` is two steps: the field, and every item of it. */
function stepsOf(part: string): string[] {
  const array = /^(.*)\[.*\]$/.exec(part);
  return array ? [array[1] as string, "[]"] : [part];
}

function fits(node: Node, steps: readonly string[]): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return true;
  if (node.wrapped !== undefined) return fits(node.wrapped, steps);
  switch (node.type) {
    case "union":
    case "variant":
    case "intersect":
      return node.options?.some((option) => fits(option, steps)) ?? false;
    case "array":
      return step === "[]" && node.item !== undefined && fits(node.item, rest);
    case "record":
      return step !== "[]" && node.value !== undefined && fits(node.value, rest);
    case "object":
    case "strict_object":
    case "loose_object": {
      if (step === "*") return Object.values(node.entries ?? {}).some((entry) => fits(entry, rest));
      const entry = node.entries?.[step];
      return entry !== undefined && fits(entry, rest);
    }
    case "string":
    case "number":
    case "boolean":
    case "null":
    case "literal":
    case "picklist":
      return false;
    default:
      return true; // whatever may be in it
  }
}
