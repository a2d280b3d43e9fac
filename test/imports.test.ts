import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { projectFiles } from "./support/text/project-files.ts";

const SRC = new URL("../src/", import.meta.url).pathname;

/** The rooms from the ground up: a room may import from those of the rows above its own. */
const ORDER = [
  ["model"],
  ["system"],
  ["ceph"],
  ["helper"],
  ["collectors", "commands", "handlers", "control", "posture"],
  ["config", "store"],
  ["sockets"],
  ["agent"],
  ["cli"],
  ["main"],
];
/** Knows the words everybody shares, and nothing of the agent that talks to it. */
const SANDBOX_MAY = ["model"];
/** The only ones to know the sandbox: its own command, and the demonstration that embeds it. */
const SANDBOX_FOR = ["cli/daemon/sandbox.ts", "cli/daemon/start.ts"];
/** What a reader takes in with one look, files and folders. `test` itself is the list of rooms and kinds of test. */
const ENTRIES = 15;
const LISTS = ["test"];

const ROOT = new URL("../", import.meta.url).pathname;

interface Import {
  readonly file: string;
  readonly target: string;
}

/** Every relative import below a folder, both ends relative to it. */
function importsBelow(folder: string): Import[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => /\.(?:ts|mjs|cjs)$/.test(name) && !name.endsWith(".d.mts"))
    .flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
        (match) => ({ file, target: relative(folder, join(folder, dirname(file), match[1] as string)) }),
      ),
    );
}

function cached(read: (path: string) => string): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const text = known.get(path) ?? read(path);
    known.set(path, text);
    return text;
  };
}

const imports = importsBelow(SRC);
const roomOf = (file: string): string =>
  file.includes("/") ? (file.split("/")[0] as string) : file.replace(/\.ts$/, "");
const rowOf = (room: string): number => ORDER.findIndex((row) => row.includes(room));

test("imports point one way", () => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)];
    // What two control APIs share is beside their folders.
    const apart = (path: string): string | undefined => /^(?:control|sandbox)\/(\w+)\//.exec(path)?.[1];
    const [own, other] = [apart(file), apart(target)];
    if (from === to && own !== undefined && other !== undefined && own !== other && other !== "http")
      return true;
    // The version is the package's own.
    if (from === to || target === "../package.json") return false;
    if (to === "sandbox") return !SANDBOX_FOR.includes(file);
    if (from === "sandbox") return !SANDBOX_MAY.includes(to);
    return rowOf(to) === -1 || rowOf(to) >= rowOf(from);
  });
  expect(wrong).toEqual([]);
  expect(imports.length).toBeGreaterThan(1_000);
});

test.each(["src", "scripts", "test"])("there are no import cycles in %s", (folder) => {
  const graph = new Map<string, string[]>();
  for (const { file, target } of importsBelow(join(ROOT, folder)))
    graph.set(file, [...(graph.get(file) ?? []), target]);
  const done = new Set<string>();
  const visit = (file: string, trail: string[]): void => {
    expect(trail, `cycle: ${[...trail, file].join(" → ")}`).not.toContain(file);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(done.size).toBeGreaterThan(30);
});

test("a folder holds what a reader takes in with one look", () => {
  const entries = new Map<string, Set<string>>();
  for (const file of projectFiles(["src", "scripts", "test"])) {
    if (file.startsWith("test/fixtures/")) continue;
    for (let path = file; path.includes("/"); path = dirname(path)) {
      const folder = dirname(path);
      entries.set(folder, (entries.get(folder) ?? new Set()).add(path));
    }
  }
  const crowded = [...entries].filter(([folder, { size }]) => size > ENTRIES && !LISTS.includes(folder));
  expect(crowded.map(([folder, { size }]) => `${folder}: ${size}`)).toEqual([]);
});

test("every value that is exported is imported somewhere", () => {
  const folders = ["src", "scripts", "test"].map((name) => join(ROOT, name));
  const text = cached((path) => readFileSync(path, "utf8"));
  const importers = new Map<string, string[]>();
  for (const folder of folders)
    for (const { file, target } of importsBelow(folder)) {
      const path = join(folder, target);
      // A test may have a program in a string, which imports from where it is written to.
      if (!existsSync(path)) continue;
      importers.set(path, [...(importers.get(path) ?? []), text(join(folder, file))]);
    }
  // A type may be there to complete the signature of what is imported.
  const values = [...importers].flatMap(([path, by]) =>
    [...text(path).matchAll(/^export (?:async )?(?:const|let|function\*?|class) (\w+)/gm)].map(
      ([, name = ""]) => ({ path, by, name }),
    ),
  );
  const dead = values.filter(({ path, by, name }) => {
    const used = new RegExp(`\\b${name}\\b|import \\* as \\w+ from "[^"]*/${basename(path)}"`);
    return !by.some((one) => used.test(one));
  });
  expect(dead.map(({ path, name }) => `${relative(ROOT, path)}: ${name}`)).toEqual([]);
  expect(values.length).toBeGreaterThan(1_000);
});

test("the shapes of answers are types to the program, and loaded by documents and tests only", () => {
  const shapes = /^sockets\/wire\/(?:answers|.*schemas)\.ts$/;
  const loading = imports.filter(({ file, target }) => shapes.test(target) && !shapes.test(file));
  expect(loading.length).toBeGreaterThan(20);
  for (const { file, target } of loading)
    for (const [statement] of readFileSync(join(SRC, file), "utf8").matchAll(/^import [^;]*;/gm))
      if (statement.includes(`/${target.split("/").at(-1)}"`))
        expect([file, statement]).toEqual([file, expect.stringMatching(/^import type /)]);
});

test("no default exports, no shells, no barrel files", () => {
  for (const file of new Set(imports.map((one) => one.file))) {
    const text = readFileSync(join(SRC, file), "utf8");
    expect(text, file).not.toMatch(/^export default/m);
    expect(text, file).not.toMatch(/shell:\s*true|execSync\(|from "node:child_process".*\bexec\b/);
    expect(text, file).not.toMatch(/^export \* from/m);
  }
});
