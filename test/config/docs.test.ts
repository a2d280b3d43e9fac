import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exampleToml } from "../../scripts/docs/config-docs.ts";
import { loadConfig, problemText } from "../../src/config/config.ts";
import { COLLECTOR_KEYS, SECTIONS } from "../../src/config/keys.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

function load(text: string) {
  const file = join(temporaryFolder(), "config.toml");
  writeFileSync(file, text);
  return loadConfig({
    file,
    uid: 1000,
    env: { HOME: "/home/ada" },
    collectors: [{ name: "drives" }, { name: "system" }, { name: "local" }, { name: "network" }],
  });
}

it("the example, which is what packages install, changes nothing", () => {
  const { problems, origins } = load(exampleToml());
  expect(problems).toEqual([]);
  expect(origins.size).toBe(0);
});

it("every key of the example is right when its # is taken away", () => {
  const { problems, origins } = load(exampleToml().replace(/^#(?=\[|[a-z_]+ = )/gm, ""));
  expect(problems.map(problemText)).toEqual([]);
  const declared = Object.entries(SECTIONS).flatMap(([name, { keys }]) =>
    Object.keys(keys).map((key) => `${name}.${key}`),
  );
  const collector = Object.keys(COLLECTOR_KEYS).map((key) => `collectors.drives.${key}`);
  expect([...origins.keys()].sort()).toEqual([...declared, ...collector].sort());
});

it("every example of the page is a right configuration", () => {
  const examples = [...page("configuration.md").matchAll(/```toml\n([\s\S]*?)```/g)].map(
    (found) => found[1] ?? "",
  );
  expect(examples.length).toBeGreaterThan(1);
  for (const example of examples) expect(load(example).problems).toEqual([]);
});
