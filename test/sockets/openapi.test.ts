import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { collectorsDocument } from "../../scripts/docs/collectors-doc.ts";
import { jsonSchema } from "../../scripts/docs/json-schema.ts";
import { openApiDocument } from "../../scripts/docs/openapi.ts";
import { allCollectors } from "../../src/collectors/index.ts";
import { ROUTES } from "../../src/sockets/routes/table.ts";
import { treeAgent } from "../support/agent/tree-agent.ts";
import { ask } from "../support/agent/unix-http.ts";
import { checkAgainst, checkSchema } from "../support/text/json-schema.ts";

const document = openApiDocument(ROUTES, allCollectors());

test("docs/collectors.md has a chapter for each collector", () => {
  const text = collectorsDocument(allCollectors());
  for (const { name } of allCollectors()) expect(text).toContain(`\n## ${name}\n`);
});

test("real answers are as the document says", async () => {
  for (const name of ["ceph-node", "pi4", "container"]) {
    const { controlSocket } = await treeAgent({ tree: name, registered: "test" });
    for (const path of [
      "/v1/status",
      "/v1/report",
      "/v1/report/drives",
      "/v1/report/system",
      "/v1/drives",
      "/v1/why",
      "/healthz",
    ]) {
      const { json } = await ask(controlSocket, path);
      expect([path, checkAgainst(document, path, "get", "response:200", json)]).toEqual([path, []]);
    }
    const { json } = await ask(controlSocket, "/v1/nothing");
    expect(checkAgainst(document, "/v1/status", "get", "response:default", json)).toEqual([]);
  }
});

test("every operation has a name of its own and every parameter of its path", () => {
  const ids = new Set<string>();
  for (const [path, item] of Object.entries(
    document.paths as Record<
      string,
      Record<string, { operationId: string; parameters?: { name: string; in: string }[] }>
    >,
  )) {
    for (const operation of Object.values(item)) {
      ids.add(operation.operationId);
      const named = (operation.parameters ?? [])
        .filter((one) => one.in === "path")
        .map(({ name }) => `{${name}}`);
      expect(named).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
  }
  expect(ids.size).toBe(ROUTES.length);
});

describe("valibot → JSON Schema, as the documents have it", () => {
  const cases: [string, v.GenericSchema, unknown[], unknown[]][] = [
    ["strict object", v.strictObject({ a: v.boolean() }), [{ a: true }], [{}, { a: true, b: 1 }]],
    ["nullable", v.nullable(v.picklist(["x", "y"])), ["x", null], ["z", 1]],
    ["nullable object", v.nullable(v.object({ a: v.string() })), [null, { a: "" }], [{}, 1]],
    ["nullable union", v.nullable(v.union([v.string(), v.literal(true)])), ["", true, null], [false, 1]],
    ["record", v.record(v.string(), v.nullable(v.number())), [{}, { a: null }], [{ a: "" }]],
    ["anything", v.nullable(v.unknown()), [null, 1, {}], []],
    [
      "optional in a pipe",
      v.object({ a: v.pipe(v.optional(v.string()), v.description("x")) }),
      [{}, { a: "" }],
      [{ a: 1 }],
    ],
  ];
  for (const [name, schema, good, bad] of cases) {
    test(`${name}: takes and refuses what valibot does`, () => {
      const converted = jsonSchema(schema, { closed: true });
      for (const value of good)
        expect([v.is(schema, value), checkSchema({}, converted, value)]).toEqual([true, []]);
      for (const value of bad) {
        expect(v.is(schema, value)).toBe(false);
        expect(checkSchema({}, converted, value)).not.toEqual([]);
      }
    });
  }

  test("descriptions are kept, references made, answers left open", () => {
    const inner = v.object({ a: v.number() });
    const schema = v.strictObject({ one: inner, two: v.pipe(v.nullable(v.string()), v.description("why")) });
    expect(jsonSchema(schema, { named: { x: inner } })).toEqual({
      type: "object",
      properties: {
        one: { $ref: "#/components/schemas/x" },
        two: { type: ["string", "null"], description: "why" },
      },
      required: ["one", "two"],
    });
  });

  test("what it does not know is an error and not a gap in the documentation", () => {
    expect(() => jsonSchema(v.date())).toThrow(/date/);
    expect(() => jsonSchema(v.pipe(v.string(), v.creditCard()))).toThrow(/credit_card/);
  });
});
