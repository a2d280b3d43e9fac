/**
 * A small JSON Schema (2020-12) checker with the keywords that docs/*.openapi.json use, so that a test can
 * hold any request and answer against the document without a dependency. A keyword it does not know is an
 * error of the document, never silently passed over.
 */
import { readFileSync } from "node:fs";

type Json = Record<string, unknown>;

/** docs/NAME.openapi.json, parsed. */
export function loadOpenApi(name: string): Json {
  return JSON.parse(readFileSync(new URL(`../../../docs/${name}.openapi.json`, import.meta.url), "utf8"));
}

/**
 * Hold a body against an OpenAPI document.
 * @param path as in the document (`/v1/nodes/{id}/sync`) or a real one (`/v1/nodes/node_1/sync`)
 * @param method in any case
 * @param part `request`, or `response:STATUS`
 * @param body parsed JSON; for a body without a JSON schema (an upload) anything
 * @returns problems, one sentence each; [] when it fits
 */
export function checkAgainst(
  openapi: Json,
  path: string,
  method: string,
  part: string,
  body: unknown,
): string[] {
  const paths = object(openapi.paths);
  const item = object(paths[path] ?? paths[Object.keys(paths).find((each) => fits(each, path)) ?? ""]);
  const operation = object(item[method.toLowerCase()]);
  if (!operation.responses) return [`${method} ${path} is not in the document`];
  const holder =
    part === "request"
      ? object(operation.requestBody)
      : object(resolve(openapi, object(operation.responses)[part.replace("response:", "")]));
  if (!holder.content) return [`${method} ${path} has no ${part} in the document`];
  const schema = object(object(holder.content)["application/json"]).schema;
  return schema === undefined ? [] : checkSchema(openapi, schema, body);
}

/** @returns problems, each beginning with the place: `$.data.id: …` */
export function checkSchema(root: Json, schema: unknown, value: unknown, at = "$"): string[] {
  if (schema === true) return [];
  if (schema === false) return [`${at}: nothing is allowed here`];
  return Object.entries(object(schema)).flatMap(([keyword, wanted]) => {
    const rule = RULES[keyword];
    if (!rule) throw new Error(`${at}: this checker does not know the keyword ${keyword}`);
    return rule({ root, schema: object(schema), wanted, value, at });
  });
}

interface Case {
  readonly root: Json;
  readonly schema: Json;
  readonly wanted: unknown;
  readonly value: unknown;
  readonly at: string;
}
type Rule = (given: Case) => string[];

const none: Rule = () => [];
const sub = ({ root, value, at }: Case, schema: unknown): string[] => checkSchema(root, schema, value, at);
const problem = (given: Case, ok: boolean, text: string): string[] => (ok ? [] : [`${given.at}: ${text}`]);
const number = (given: Case, ok: (value: number) => boolean, text: string): string[] =>
  problem(given, typeof given.value !== "number" || ok(given.value), text);
const string = (given: Case, ok: (value: string) => boolean, text: string): string[] =>
  problem(given, typeof given.value !== "string" || ok(given.value), text);
const array = (given: Case, ok: (value: unknown[]) => boolean, text: string): string[] =>
  problem(given, !Array.isArray(given.value) || ok(given.value), text);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const RULES: Readonly<Record<string, Rule>> = {
  description: none,
  title: none,
  default: none,
  example: none,
  examples: none,
  deprecated: none,
  // biome-ignore lint/suspicious/noThenProperty: `then` is the keyword's name
  then: none,
  else: none,
  $ref: (given) => sub(given, resolve(given.root, { $ref: given.wanted })),
  type: (given) => {
    const types = list(given.wanted);
    return problem(
      given,
      types.some((type) => isType(type, given.value)),
      `expected ${types.join(" or ")}, is ${typeOf(given.value)}`,
    );
  },
  enum: (given) =>
    problem(
      given,
      list(given.wanted).some((each) => same(each, given.value)),
      `${JSON.stringify(given.value)} is none of ${JSON.stringify(given.wanted)}`,
    ),
  const: (given) =>
    problem(given, same(given.wanted, given.value), `expected ${JSON.stringify(given.wanted)}`),
  required: (given) =>
    isObject(given.value)
      ? list(given.wanted).flatMap((name) =>
          problem(given, Object.hasOwn(object(given.value), String(name)), `${name} is missing`),
        )
      : [],
  properties: (given) =>
    entries(given.value).flatMap(([name, field]) =>
      Object.hasOwn(object(given.wanted), name)
        ? checkSchema(given.root, object(given.wanted)[name], field, `${given.at}.${name}`)
        : [],
    ),
  additionalProperties: (given) =>
    entries(given.value)
      .filter(([name]) => !Object.hasOwn(object(given.schema.properties), name))
      .flatMap(([name, field]) => checkSchema(given.root, given.wanted, field, `${given.at}.${name}`)),
  propertyNames: (given) =>
    entries(given.value).flatMap(([name]) =>
      checkSchema(given.root, given.wanted, name, `${given.at} name ${name}`),
    ),
  items: (given) =>
    Array.isArray(given.value)
      ? given.value.flatMap((item, index) =>
          checkSchema(given.root, given.wanted, item, `${given.at}[${index}]`),
        )
      : [],
  minItems: (given) =>
    array(given, (value) => value.length >= Number(given.wanted), `fewer than ${given.wanted} items`),
  maxItems: (given) =>
    array(given, (value) => value.length <= Number(given.wanted), `more than ${given.wanted} items`),
  uniqueItems: (given) =>
    array(
      given,
      (value) => new Set(value.map((item) => JSON.stringify(item))).size === value.length,
      "an item twice",
    ),
  minProperties: (given) =>
    problem(
      given,
      !isObject(given.value) || entries(given.value).length >= Number(given.wanted),
      `fewer than ${given.wanted} fields`,
    ),
  maxProperties: (given) =>
    problem(
      given,
      !isObject(given.value) || entries(given.value).length <= Number(given.wanted),
      `more than ${given.wanted} fields`,
    ),
  minLength: (given) =>
    string(given, (value) => [...value].length >= Number(given.wanted), `shorter than ${given.wanted}`),
  maxLength: (given) =>
    string(given, (value) => [...value].length <= Number(given.wanted), `longer than ${given.wanted}`),
  pattern: (given) =>
    string(
      given,
      (value) => new RegExp(String(given.wanted), "u").test(value),
      `does not match ${given.wanted}`,
    ),
  format: (given) => string(given, formatRule(given.wanted), `is no ${given.wanted}`),
  minimum: (given) => number(given, (value) => value >= Number(given.wanted), `below ${given.wanted}`),
  maximum: (given) => number(given, (value) => value <= Number(given.wanted), `above ${given.wanted}`),
  exclusiveMinimum: (given) =>
    number(given, (value) => value > Number(given.wanted), `not above ${given.wanted}`),
  exclusiveMaximum: (given) =>
    number(given, (value) => value < Number(given.wanted), `not below ${given.wanted}`),
  allOf: (given) => list(given.wanted).flatMap((schema) => sub(given, schema)),
  anyOf: (given) => {
    const tried = list(given.wanted).map((schema) => sub(given, schema));
    return tried.some((problems) => problems.length === 0)
      ? []
      : [`${given.at}: fits none: ${tried.flat().join("; ")}`];
  },
  oneOf: (given) => {
    const tried = list(given.wanted).map((schema) => sub(given, schema));
    const fitting = tried.filter((problems) => problems.length === 0).length;
    return problem(
      given,
      fitting === 1,
      `fits ${fitting} of the schemas instead of one: ${tried.flat().join("; ")}`,
    );
  },
  not: (given) => problem(given, sub(given, given.wanted).length > 0, "fits what it must not"),
  if: (given) =>
    sub(
      given,
      sub(given, given.wanted).length === 0 ? (given.schema.then ?? true) : (given.schema.else ?? true),
    ),
};

function formatRule(format: unknown): (value: string) => boolean {
  if (format === "date-time") {
    return (value) =>
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value) &&
      !Number.isNaN(Date.parse(value));
  }
  throw new Error(`this checker does not know the format ${format}`);
}

function isType(type: unknown, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return typeof value === "number" && Number.isFinite(value);
  return typeOf(value) === type;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Follow `#/…` pointers. */
function resolve(root: Json, value: unknown): unknown {
  const pointer = object(value).$ref;
  if (typeof pointer !== "string") return value;
  let at: unknown = root;
  for (const part of pointer.replace(/^#\//, "").split("/")) {
    at = object(at)[part.replace(/~1/g, "/").replace(/~0/g, "~")];
  }
  if (at === undefined) throw new Error(`nothing at ${pointer}`);
  return resolve(root, at);
}

function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("?")[0]?.split("/") ?? [];
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith("{") || part === given[index])
  );
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

function entries(value: unknown): [string, unknown][] {
  return Object.entries(object(value));
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}
