/** The man pages say what it reads of its environment, and can be rendered. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allCommands, exitCodes } from "../../scripts/docs/declared.ts";
import { explainedVariables } from "../../scripts/docs/man-commands.ts";
import { manPages } from "../../scripts/docs/man-pages.ts";
import { prose, text, typed, usage } from "../../scripts/docs/roff.ts";
import { EXIT } from "../../src/cli/output.ts";
import { CONFIG_SECTIONS } from "../../src/config/keys.ts";

const FOLDER = new URL("../../packaging/man/", import.meta.url).pathname;
const SRC = new URL("../../src/", import.meta.url).pathname;
const PAGES = ["foundry-agent-config.5", "foundry-agent.1", "foundry-agent.8"];

it("a page keeps its date until something else in it changes", async () => {
  const first = await manPages("2030-01-02", () => "");
  expect(await manPages("2031-01-02", (name) => first[name] ?? "")).toEqual(first);
  const changed = await manPages("2031-01-02", (name) => `${first[name]}.\\" old`);
  expect(changed["foundry-agent.1"]).toContain(" 1 2031-01-02 ");
});

it("every sub-command, key and exit code is in a page", async () => {
  const made = await manPages("2030-01-02", () => "");
  const all = Object.values(made).join("\n");
  for (const { name, hidden } of await allCommands())
    if (!hidden) expect(made["foundry-agent.1"]).toContain(`\\fBfoundry\\-agent ${typed(name)}\\fP`);
  for (const { keys } of Object.values(CONFIG_SECTIONS))
    for (const key of Object.keys(keys)) expect(made["foundry-agent-config.5"]).toContain(`\\fB${key}\\fP =`);
  expect(exitCodes().map(([code]) => Number(code))).toEqual(Object.values(EXIT));
  expect(all).not.toMatch(/undefined|\[object/);
});

it("every variable of the environment that is read is explained, and no other", () => {
  const read = new Set<string>();
  for (const name of readdirSync(SRC, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.startsWith("sandbox/")) continue;
    const source = readFileSync(join(SRC, name), "utf8");
    for (const [, names = ""] of source.matchAll(/\{([^{}]*)\} = (?:[a-z]+\.)*env\b/g))
      for (const [word] of names.matchAll(/\b[A-Z][A-Z_]+\b/g)) read.add(word);
    for (const [, word = ""] of source.matchAll(/\benv\.([A-Z][A-Z_]+)\b/g)) read.add(word);
    for (const [, word = ""] of source.matchAll(/userFolder\([^"]*"([A-Z_]+)"/g)) read.add(word);
  }
  expect([...read].sort()).toEqual(explainedVariables().sort());
});

describe("what is written", () => {
  it("comes out as it is, whatever it means to roff", () => {
    expect(text(".TH \\fB 'x' \"y\" – ~^`")).toBe(
      "\\&.TH \\efB \\(aqx\\(aq \\(dqy\\(dq \\[u2013] \\(ti\\(ha\\(ga",
    );
    expect(typed("--a-b")).toBe("\\-\\-a\\-b");
    expect(prose("`.x` is")).toBe("\\fB\\&.x\\fP is");
    expect(usage("a|B [--c D]")).toBe("\\fBa\\fP|\\fIB\\fP [\\fB\\-\\-c\\fP \\fID\\fP]");
  });

  const render = (program: string, args: string[], name: string): { status: number | null; said: string } => {
    const { status, stderr, stdout } = spawnSync(program, [...args, join(FOLDER, name)], {
      encoding: "utf8",
    });
    return { status, said: program === "mandoc" ? stdout + stderr : stderr };
  };
  const has = (program: string): boolean => spawnSync(program, ["-v"], { input: "" }).error === undefined;

  it.runIf(has("groff")).each(PAGES)("groff has no warning about %s", (name) => {
    expect(render("groff", ["-man", "-ww", "-z", "-Tutf8"], name)).toEqual({ status: 0, said: "" });
  });

  it.runIf(has("mandoc")).each(PAGES)("mandoc has no warning about %s", (name) => {
    expect(render("mandoc", ["-T", "lint", "-W", "warning"], name)).toEqual({ status: 0, said: "" });
  });
});
