/** Everything that is committed and follows from declarations is what they say; `npm run derive` writes it. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { committed, derivedDocuments } from "../../scripts/docs/derive.ts";
import { ROOT } from "../../scripts/paths.mjs";

/** Nothing but derived files is in these. */
const FOLDERS = ["packaging/completion", "packaging/man"];

const documents = await derivedDocuments("1970-01-01", null);

test.each(Object.keys(documents))("%s is what the program declares (else: npm run derive)", (path) => {
  expect(committed(path)).toBe(documents[path]);
});

test("no derived file is left from before", () => {
  for (const folder of FOLDERS) {
    const made = Object.keys(documents).filter((path) => dirname(path) === folder);
    expect(readdirSync(join(ROOT, folder)).sort()).toEqual(
      made.map((path) => path.slice(folder.length + 1)).sort(),
    );
  }
});
