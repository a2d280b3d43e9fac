/**
 * Any request and answer held against a JSON Schema (2020-12), by ajv, and against docs/*.openapi.json. A keyword
 * or format that ajv does not know is an error of the document, never silently passed over.
 */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

type Json = Record<string, unknown>;

/** RFC 3339 with its zone, and a time that the calendar has; all that ajv itself brings no formats for. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

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
  const found = Object.hasOwn(paths, path) ? path : Object.keys(paths).find((each) => fits(each, path));
  const operation = object(object(paths[found ?? ""])[method.toLowerCase()]);
  if (!operation.responses) return [`${method} ${path} is not in the document`];
  const responses = object(operation.responses);
  const given = part === "request" ? operation.requestBody : responses[part.replace("response:", "")];
  const { content } = resolved(openapi, object(given));
  if (!content) return [`${method} ${path} has no ${part} in the document`];
  const { schema } = object(object(content)["application/json"]);
  return schema === undefined ? [] : checkSchema(openapi, object(schema), body);
}

/** @returns problems, each beginning with the place: `/data/id must be …`. @throws Error for a schema that is none */
export function checkSchema(root: Json, schema: Json, value: unknown): string[] {
  const { components } = root;
  const validate = compiled.get(schema) ?? ajv.compile(components ? { ...schema, components } : schema);
  compiled.set(schema, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

const ajv = new Ajv2020({
  allErrors: true,
  strictTypes: false,
  strictRequired: false,
  formats: { "date-time": (text) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)) },
});
// Of OpenAPI; what `#/components/…` names is found beside the schema itself.
ajv.addVocabulary(["example", "components"]);
const compiled = new WeakMap<Json, ValidateFunction>();

/** Follow a `#/…` pointer. */
function resolved(root: Json, value: Json): Json {
  if (typeof value.$ref !== "string") return value;
  const parts = value.$ref.replace(/^#\//, "").split("/");
  return parts.reduce((at, part) => object(at[part.replace(/~1/g, "/").replace(/~0/g, "~")]), root);
}

function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("?")[0]?.split("/") ?? [];
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith("{") || part === given[index])
  );
}

function object(value: unknown): Json {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Json) : {};
}
