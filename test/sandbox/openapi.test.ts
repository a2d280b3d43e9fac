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
      expect([at, checkSchema(openapi, node.schema, node.example)]).toEqual([at, []]);
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
  expect(check({ ...example, seq: 1.5 })).toEqual(['/seq must be integer {"type":"integer"}']);
  expect(check({ ...example, hashes: { "Bad Name": "x" } }).join()).toContain(
    '/hashes property name must be valid {"propertyName":"Bad Name"}',
  );
  const bad = { ...example.events[0], data: { command_id: "cmd_1", state: "exploded" } };
  expect(check({ ...example, events: [bad] }).join()).toContain(
    "/events/0/data/state must be equal to one of the allowed values",
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

test("a keyword, format or reference that nobody knows is an error of the document", () => {
  expect(() => checkSchema({}, { minimun: 1 }, 0)).toThrow(/unknown keyword/);
  expect(() => checkSchema({}, { type: "string", format: "data-time" }, "")).toThrow(/unknown format/);
  expect(() => checkSchema({}, { $ref: "#/nowhere" }, {})).toThrow(/resolve reference/);
  expect(checkSchema({}, { type: "string", format: "date-time" }, "2026-13-01T00:00:00Z")).toHaveLength(1);
});
