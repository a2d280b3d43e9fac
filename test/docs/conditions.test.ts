/** Whoever looks up a condition's code finds it: docs/troubleshooting.md has every one there is, and no other. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url).pathname;
const page = readFileSync(join(ROOT, "docs/troubleshooting.md"), "utf8");

const SOURCES = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.startsWith("sandbox/"))
  .map((name) => ({ name, text: readFileSync(join(ROOT, "src", name), "utf8") }));

/** The ways in which a condition is written down in this house. */
const FORMS: readonly { readonly file: RegExp; readonly pattern: RegExp }[] = [
  { file: /./, pattern: /code: "([a-z_]+)",\s*(?:subject[^\n]*?,\s*)?severity/g },
  { file: /\/store\/file\/problems\.ts$/, pattern: /code: "([a-z_]+)"/g },
  { file: /\/conditions(?:\/\w+)?\.ts$/, pattern: /\badd\(\s*"([a-z_]+)",/g },
  { file: /./, pattern: /code === "([a-z_]+)"[^;{]*\{\s*conditions\.raise\(\{\s*code,/g },
  // Errors that src/agent/agent.ts makes conditions of under their own codes.
  { file: /\/(?:metrics\/listener|secret-file)\.ts$/, pattern: /new AgentError\(\s*"([a-z_]+)"/g },
];

const codes = new Set(
  SOURCES.flatMap(({ name, text }) =>
    FORMS.filter(({ file }) => file.test(`/${name}`)).flatMap(({ pattern }) =>
      [...text.matchAll(pattern)].map((match) => match[1] as string),
    ),
  ),
);

test("every condition's code stands in docs/troubleshooting.md with its meaning and next step", () => {
  expect(codes.size).toBeGreaterThan(40);
  const rows = page.matchAll(/^\| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$/gm);
  expect([...rows].map((row) => row[1]).sort()).toEqual([...codes].sort());
});

/** What is wrong with these no command mends: hands do. */
const BY_HAND = new Set(
  (
    "link_flapping under_voltage under_voltage_since_boot cpu_too_hot cpu_throttled cpu_sensors_failed drive_path_offline " +
    "emmc_worn memory_uncorrected_errors memory_corrected_errors bond_degraded"
  ).split(" "),
);

test("every next step there is a line to type, or says where to read, unless only hands can mend it", () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| [^|]+ \| ([^|]+) \|$/gm)];
  const prose = rows.filter(([, code, step]) => !BY_HAND.has(code ?? "") && !/`[^`]+`|\]\(/.test(step ?? ""));
  expect(prose.map(([, code]) => code)).toEqual([]);
  expect([...BY_HAND].filter((code) => !rows.some(([, known]) => known === code))).toEqual([]);
});

test("no condition is written down in another way than this test knows", () => {
  // Each form of condition has a severity beside its code; a new form would slip through unseen.
  const strange = SOURCES.filter(({ text }) => /\.raise\(\{(?!\s*code)/.test(text)).map(({ name }) => name);
  expect(strange).toEqual([]);
});
