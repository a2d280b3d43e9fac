/** What is remembered of commands ends with them. */
import { expect, it } from "vitest";
import { openSaid } from "../../src/commands/said.ts";

it("is said once, and again where it is something else or was forgotten", () => {
  const said = openSaid(() => false);
  expect([said.isNew("a", "x"), said.isNew("a", "x"), said.isNew("a", "y"), said.isNew("b", "x")]).toEqual([
    ...[true, false, true, true],
  ]);
  said.forget("a");
  expect(said.isNew("a", "y")).toBe(true);
});

it("forgets commands that are over, and keeps those that are not", () => {
  const open = new Set(["kept"]);
  const said = openSaid((id) => !open.has(id));
  said.isNew("kept", "x");
  for (let id = 0; id < 5_000; id++) {
    said.isNew(`cmd_${id}`, "x");
    expect(said.size).toBeLessThanOrEqual(101);
  }
  expect(said.isNew("kept", "x")).toBe(false);
});

it("is bounded where none is ever over", () => {
  const said = openSaid(() => false);
  for (let id = 0; id < 3_000; id++) said.isNew(`cmd_${id}`, "x");
  expect(said.size).toBe(1_000);
  expect(said.isNew("cmd_2999", "x")).toBe(false);
  expect(said.isNew("cmd_0", "x")).toBe(true);
});
