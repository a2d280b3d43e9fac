/** Whoever follows a name in a comment, a document or an error's text finds the file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectFiles } from "../support/text/project-files.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FILES = projectFiles();

/** Files of this project by the look of them; what is a placeholder has a capital letter, a star or a brace. */
const NAMED =
  /(?<![\w/.@${}*-])(?:[a-z0-9][a-z0-9.-]*\/)*[a-z0-9][a-z0-9-]*(?:\.test)?\.(?:ts|mjs)(?![\w-])/g;
/** A path from the top, whatever its ending. */
const ROOTED =
  /(?<![\w/.@${},*-])(?:src|scripts|test|docs|packaging|systemd)\/(?:[a-z0-9_.-]+\/)*[a-z0-9_-]+\.(?:cjs|json|md|toml|sh|service|socket|conf|bash|zsh|yml|openapi\.json|[1-8])(?![\w*/-])/g;
/** Made by a build, or by a test in a folder of its own. */
const MADE = new Set(["vitest.mjs", "entry.mjs"]);

/** A file's words about files: all of a document, the comments and sentences of a program. */
function words(file: string): string {
  const text = readFileSync(join(ROOT, file), "utf8");
  // What is imported is looked after by the compiler.
  return text.replace(/(?:from|import)\s*\(?\s*"[^"]*"/g, "").replace(/new URL\([^)]*\)/g, "");
}

test("no file named in a comment or a document is missing", () => {
  const ends = new Set(
    FILES.flatMap((file) => file.split("/").map((_part, index, all) => all.slice(index).join("/"))),
  );
  const read = FILES.filter(
    (file) =>
      /\.(?:ts|mts|mjs|cjs|md|toml|yml|service|socket)$|^\.ci\/run$|^Dockerfile/.test(file) &&
      !file.startsWith("test/fixtures/trees/") &&
      file !== "CHANGELOG.md",
  );
  expect(read.length).toBeGreaterThan(500);
  const missing = read.flatMap((file) => {
    const named = [...(words(file).match(NAMED) ?? []), ...(words(file).match(ROOTED) ?? [])];
    return [...new Set(named)]
      .filter((name) => !ends.has(name) && !MADE.has(name.split("/").at(-1) ?? ""))
      .map((name) => `${file}: ${name}`);
  });
  expect(missing.join("\n")).toBe("");
});
