import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const SRC = new URL("../src/", import.meta.url).pathname;

/** Which rooms a room may import from, besides itself. */
const MAY: Record<string, string[]> = {
  model: [],
  system: ["model"],
  ceph: ["model", "system"],
  helper: ["model", "system"],
  collectors: ["model", "system", "ceph", "helper"],
  commands: ["model", "system", "ceph", "helper"],
  handlers: ["model", "system", "ceph", "helper"],
  control: ["model", "system", "ceph", "helper"],
  agent: ["model", "system", "ceph", "helper", "collectors", "commands", "handlers", "control"],
  cli: ["model", "system", "ceph", "helper", "collectors", "commands", "handlers", "control", "agent"],
  sandbox: ["model"],
  main: ["cli", "collectors", "system", "model"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const imports = files.flatMap((file) =>
  [...readFileSync(join(SRC, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
    (match) => ({
      file,
      target: relative(SRC, join(SRC, dirname(file), match[1] as string)),
    }),
  ),
);
const roomOf = (file: string): string =>
  file.includes("/") ? (file.split("/")[0] as string) : file.replace(/\.ts$/, "");

test("imports point one way", () => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)];
    if (from === to) return false;
    // The version is the package's own.
    if (target === "../package.json") return false;
    // The sandbox and the demonstration that embeds it are the only ones to know it.
    if (to === "sandbox") return !["cli/sandbox.ts", "cli/start.ts"].includes(file);
    return !MAY[from]?.includes(to);
  });
  expect(wrong).toEqual([]);
  expect(imports.length).toBeGreaterThan(20);
});

test("there are no import cycles", () => {
  const graph = new Map<string, string[]>();
  for (const { file, target } of imports) graph.set(file, [...(graph.get(file) ?? []), target]);
  const done = new Set<string>();
  const visit = (file: string, trail: string[]): void => {
    expect(trail, `cycle: ${[...trail, file].join(" → ")}`).not.toContain(file);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

test("no default exports, no shells, no barrel files", () => {
  for (const file of files) {
    const text = readFileSync(join(SRC, file), "utf8");
    expect(text, file).not.toMatch(/^export default/m);
    expect(text, file).not.toMatch(/shell:\s*true|execSync\(|from "node:child_process".*\bexec\b/);
    expect(text, file).not.toMatch(/^export \* from/m);
  }
});
