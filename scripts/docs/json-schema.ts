/**
 * Valibot schema → JSON Schema 2020-12 (what OpenAPI 3.1 uses), for the constructs that collectors and
 * routes use. Anything else throws, so that a new construct is added here and not silently left out of the
 * documentation. Only docs and tests call this; the daemon never does.
 */
import type { GenericSchema } from "valibot";

export type JsonSchema = { [key: string]: unknown };

export interface ConvertOptions {
  /** Schemas that are documented elsewhere: a `$ref` stands for them. */
  readonly refs?: ReadonlyMap<GenericSchema, string>;
  /** strictObject as additionalProperties: false. Not for answers: their fields may grow. */
  readonly closed?: boolean;
}

/** What is looked at of valibot's objects (documented in its "Schema" and "Pipe" types). */
interface Node {
  readonly type: string;
  readonly pipe?: readonly Node[];
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly key?: Node;
  readonly value?: Node;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly rest?: Node;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly description?: string;
  readonly requirement?: unknown;
  readonly kind: string;
}

/** @throws RangeError for a construct it does not know */
export function jsonSchema(schema: GenericSchema, options: ConvertOptions = {}): JsonSchema {
  return convert(schema as unknown as Node, options);
}

function convert(node: Node, options: ConvertOptions): JsonSchema {
  const reference = options.refs?.get(node as unknown as GenericSchema);
  if (reference !== undefined) return { $ref: reference };
  if (node.pipe === undefined) return base(node, options);
  const [first, ...actions] = node.pipe;
  if (first === undefined) throw new RangeError("an empty pipe");
  // The first item of a pipe is the schema itself, without the pipe.
  let found = first.pipe === undefined ? base(first, options) : convert(first, options);
  for (const action of actions) found = refine(found, action);
  return found;
}

function base(node: Node, options: ConvertOptions): JsonSchema {
  switch (node.type) {
    case "string":
    case "number":
    case "boolean":
    case "null":
      return { type: node.type };
    case "unknown":
    case "any":
      return {};
    case "literal":
      return { const: node.literal };
    case "picklist":
      return enumeration(node.options ?? []);
    case "nullable":
      return orNull(convert(child(node.wrapped), options));
    case "optional":
      return convert(child(node.wrapped), options);
    case "array":
      return { type: "array", items: convert(child(node.item), options) };
    case "record":
      return { type: "object", additionalProperties: convert(child(node.value), options) };
    case "union":
      return { anyOf: (node.options ?? []).map((one) => convert(one as Node, options)) };
    case "object":
    case "loose_object":
    case "strict_object":
      return object(node, options);
    default:
      throw new RangeError(`no JSON Schema is known for valibot's "${node.type}"`);
  }
}

function object(node: Node, options: ConvertOptions): JsonSchema {
  const entries = Object.entries(node.entries ?? {});
  const required = entries.filter(([, entry]) => !isOptional(entry)).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, entry]) => [name, convert(entry, options)])),
    ...(required.length === 0 ? {} : { required }),
    ...(node.type === "strict_object" && options.closed ? { additionalProperties: false } : {}),
  };
}

function isOptional(node: Node): boolean {
  const first = node.pipe?.[0] ?? node;
  return first.type === "optional" || (first !== node && isOptional(first));
}

function enumeration(values: readonly unknown[]): JsonSchema {
  const types = [...new Set(values.map((value) => typeof value))];
  return { ...(types.length === 1 ? { type: types[0] } : {}), enum: [...values] };
}

function orNull(schema: JsonSchema): JsonSchema {
  if (Object.keys(schema).length === 0) return schema; // anything: null is in it
  if (typeof schema.type !== "string" || schema.const !== undefined)
    return { anyOf: [schema, { type: "null" }] };
  const values = schema.enum;
  return {
    ...schema,
    type: [schema.type, "null"],
    ...(Array.isArray(values) ? { enum: [...values, null] } : {}),
  };
}

function refine(schema: JsonSchema, action: Node): JsonSchema {
  const { requirement } = action;
  switch (action.type) {
    case "description":
      // A $ref may have a description beside it in 2020-12.
      return { ...schema, description: action.description };
    case "title":
    case "trim":
    case "check":
    case "raw_check":
    case "transform":
      return schema;
    case "integer":
    case "safe_integer":
      return { ...schema, type: schema.type === "number" ? "integer" : schema.type };
    case "min_value":
      return { ...schema, minimum: requirement };
    case "max_value":
      return { ...schema, maximum: requirement };
    case "min_length":
      return { ...schema, [schema.type === "array" ? "minItems" : "minLength"]: requirement };
    case "max_length":
      return { ...schema, [schema.type === "array" ? "maxItems" : "maxLength"]: requirement };
    case "regex":
      return { ...schema, pattern: (requirement as RegExp).source };
    default:
      throw new RangeError(`no JSON Schema is known for valibot's action "${action.type}"`);
  }
}

function child(node: Node | undefined): Node {
  if (node === undefined) throw new RangeError("a schema without its inner schema");
  return node;
}
