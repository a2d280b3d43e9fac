/**
 * Valibot schema → JSON Schema 2020-12 (what OpenAPI 3.1 uses), by valibot's own converter, written as the
 * documents want it: shorter where it says the same, and answers left open, for their fields may grow. What the
 * converter does not know throws, so that nothing is silently left out. Only docs and tests call this.
 */
import { type JsonSchema as Converted, toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";

export type JsonSchema = { [key: string]: unknown };

export interface ConvertOptions {
  /** Schemas that are documented elsewhere, by the name that stands for them below `#/components/schemas`. */
  readonly named?: Readonly<Record<string, GenericSchema>>;
  /** strictObject as additionalProperties: false. Not for answers. */
  readonly closed?: boolean;
}

/** @throws Error for a construct it does not know */
export function jsonSchema(
  schema: GenericSchema,
  { named = {}, closed = false }: ConvertOptions = {},
): JsonSchema {
  const {
    $schema: _dialect,
    $defs: _elsewhere,
    ...converted
  } = toJsonSchema(schema, {
    definitions: { ...named },
    // They hold of no JSON value by themselves: what they refuse is told by who asks.
    ignoreActions: ["trim", "check", "raw_check", "transform"],
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
    overrideSchema: ({ jsonSchema: found, errors }) => (errors ? null : shorter(found, closed)),
  });
  return { ...converted };
}

function shorter({ ...schema }: Converted, closed: boolean): Converted {
  if (schema.required?.length === 0) delete schema.required;
  if (!closed && schema.additionalProperties === false) delete schema.additionalProperties;
  if (isAnyText(schema.propertyNames)) delete schema.propertyNames;
  const [wrapped, none, ...more] = schema.anyOf ?? [];
  if (!isSchema(wrapped) || !isSchema(none) || none.type !== "null" || more.length > 0) return schema;
  if (Object.keys(wrapped).length === 0) return {}; // anything: null is in it
  if (typeof wrapped.type !== "string") return schema;
  const { enum: values } = wrapped;
  return {
    ...wrapped,
    type: [wrapped.type, "null"],
    ...(values === undefined ? {} : { enum: [...values, null] }),
  };
}

function isAnyText(schema: unknown): boolean {
  return isSchema(schema) && schema.type === "string" && Object.keys(schema).length === 1;
}

function isSchema(value: unknown): value is Converted {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
