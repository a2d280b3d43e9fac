/** What is written by hand about the types of commands has every one of src/commands/index.ts. */
import { expect, test } from "vitest";
import { committed } from "../../scripts/docs/derive.ts";
import { COMMAND_TYPES } from "../../src/commands/index.ts";

const types = COMMAND_TYPES.map(({ type }) => type);

test("docs/commands.md has a row for each type, and for no other", () => {
  const [, table = ""] = /^## Types\n([\s\S]*?)\n## /m.exec(committed("docs/commands.md")) ?? [];
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, type]) => type)).toEqual(types);
});

test("the enum of docs/agent-api.openapi.json, which nothing derives, holds each type: write it there, and its Params_TYPE", () => {
  const { schemas } = JSON.parse(committed("docs/agent-api.openapi.json")).components;
  expect(schemas.Command.properties.type.enum).toEqual(expect.arrayContaining(types));
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(types.map((type) => `Params_${type}`)));
});
