/** The table of gates in docs/maintenance-windows.md has those of the program, in their order and with their marks. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GATES } from "../../src/commands/gates/gates.ts";

test("each gate has its row, with what passes it by force and what a test lets pass", () => {
  const page = readFileSync(new URL("../../docs/maintenance-windows.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| `[^|]+\| (refuse|wait)([^|]*)\|/gm)].map(
    ([, name, , marks = ""]) => ({ name, forced: marks.includes("F"), host: marks.includes("T") }),
  );
  expect(rows).toEqual(
    // The gate of a lost state is no fact about the host, and lets a test pass by itself.
    GATES.map(({ name, forced, host }) => ({ name, forced, host: host || name === "lost" })),
  );
});
