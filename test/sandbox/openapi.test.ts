import { expect, test } from "vitest";
import { COMMAND_TYPES } from "../../src/sandbox/nodefoundry/account-api/command-types.ts";
import { ROUTES } from "../../src/sandbox/nodefoundry/routes.ts";
import type { Any } from "../support/net/sandbox.ts";
import { checkAgainst, checkSchema, loadOpenApi } from "../support/text/json-schema.ts";

const openapi: Any = loadOpenApi("agent-api");

test("the document has exactly the agent's calls", () => {
  const documented = Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.keys(item as object)
      .filter((key) => key !== "parameters")
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = ROUTES.filter((route) => route.origin === "agent").map(
    (route) => `${route.method} ${route.path}`,
  );
  expect(documented.sort()).toEqual(served.sort());
});

test("every example fits its schema", () => {
  let seen = 0;
  const visit = (node: Any, at: string): void => {
    if (node === null || typeof node !== "object") return;
    if (node.schema && node.example !== undefined) {
      seen += 1;
      expect(checkSchema(openapi, node.schema, node.example, at)).toEqual([]);
    }
    for (const [key, value] of Object.entries(node)) visit(value, `${at}/${key}`);
  };
  visit(openapi, "#");
  expect(seen).toBeGreaterThanOrEqual(8);
});

test("the document names the command types of the sandbox, each with its params", () => {
  expect(openapi.components.schemas.Command.properties.type.enum).toEqual(Object.keys(COMMAND_TYPES));
  for (const type of Object.keys(COMMAND_TYPES))
    expect(openapi.components.schemas).toHaveProperty(`Params_${type}`);
});

test("what does not fit is named with its place", () => {
  const example = openapi.paths["/v1/nodes/{id}/sync"].post.requestBody.content["application/json"].example;
  const check = (body: unknown): string[] =>
    checkAgainst(openapi, "/v1/nodes/node_1/sync", "POST", "request", body);
  expect(check(example)).toEqual([]);
  expect(check({ ...example, unknown_field: 1 })).toEqual([]);
  expect(check({ ...example, seq: 1.5 })).toEqual(["$.seq: expected integer, is number"]);
  expect(check({ ...example, hashes: { "Bad Name": "x" } }).join()).toContain(
    "$.hashes name Bad Name: does not match",
  );
  const bad = { ...example.events[0], data: { command_id: "cmd_1", state: "exploded" } };
  expect(check({ ...example, events: [bad] }).join()).toContain(
    '$.events[0].data.state: "exploded" is none of',
  );
  expect(check({ ...example, instance: undefined })).not.toEqual([]);
});

test("answers are checked by status, and what the document does not have is a problem", () => {
  const error = { error: { code: "node_cloned", message: "A copy.", request_id: "req_1" } };
  expect(checkAgainst(openapi, "/v1/nodes", "post", "response:409", error)).toEqual([]);
  expect(checkAgainst(openapi, "/v1/nodes", "post", "response:409", { error: {} })).toHaveLength(3);
  expect(checkAgainst(openapi, "/v1/nodes", "post", "response:418", error)).toHaveLength(1);
  expect(checkAgainst(openapi, "/v1/elsewhere", "post", "request", {})).toHaveLength(1);
});

test("the checker knows its keywords, and says so when it does not", () => {
  const problems = (schema: unknown, value: unknown): number => checkSchema({}, schema, value).length;
  const conditional = JSON.parse(
    '{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}',
  );
  const table: [unknown, unknown, number][] = [
    [{ type: ["string", "null"] }, null, 0],
    [{ type: "array", items: { type: "integer" }, minItems: 1, maxItems: 2, uniqueItems: true }, [1, 1], 1],
    [{ type: "array", minItems: 1 }, [], 1],
    [{ oneOf: [{ type: "integer" }, { minimum: 2 }] }, 3, 1],
    [{ oneOf: [{ type: "integer" }, { type: "null" }] }, null, 0],
    [{ anyOf: [{ type: "integer" }, { type: "null" }] }, "x", 1],
    [{ not: { type: "string" } }, "x", 1],
    [{ const: { a: 1 } }, { a: 1 }, 0],
    [{ additionalProperties: false, properties: { a: true } }, { a: 1, b: 2 }, 1],
    [conditional, { a: 1 }, 1],
    [conditional, { c: 1 }, 0],
    [{ minLength: 2, maxLength: 3, pattern: "^a" }, "b", 2],
    [{ exclusiveMinimum: 0, exclusiveMaximum: 1 }, 1, 1],
    [{ minimum: 0, maximum: 1 }, -1, 1],
    [{ minProperties: 1, maxProperties: 1 }, {}, 1],
    [{ format: "date-time" }, "2026-13-01T00:00:00Z", 1],
  ];
  for (const [schema, value, count] of table)
    expect([schema, problems(schema, value)]).toEqual([schema, count]);
  expect(() => checkSchema({}, { dependentRequired: {} }, {})).toThrow(
    /does not know the keyword dependentRequired/,
  );
  expect(() => checkSchema({}, { $ref: "#/nowhere" }, {})).toThrow(/nothing at/);
});
