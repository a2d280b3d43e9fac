/**
 * Shell completion: real shells offer with the committed files what can be typed. zsh's own tests run where it is installed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { completed } from "../../scripts/docs/completion/offers.ts";
import { allCommands, placesOf, valuesOf } from "../../scripts/docs/declared.ts";
import { allCollectors } from "../../src/collectors/index.ts";
import { CONTROL_APIS } from "../../src/control/index.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const APIS = CONTROL_APIS.map(({ name }) => name);
const FOLDER = new URL("../../packaging/completion/", import.meta.url).pathname;
const SECTIONS = allCollectors().map(({ name }) => name);

describe("a usage line", () => {
  const options = { for: { type: "string", value: "DURATION", help: "" } } as const;

  it("says where which words may follow", () => {
    const usage = "[DEVICE|SERIAL | forget SERIAL | locate SERIAL [--for DURATION]] [--watch]";
    expect(placesOf({ usage, options })).toEqual([
      { before: [], words: ["DEVICE", "SERIAL", "forget", "locate"] },
      { before: ["forget"], words: ["SERIAL"] },
      { before: ["locate"], words: ["SERIAL"] },
    ]);
  });

  it("has places after a name too, and words in a row", () => {
    expect(placesOf({ usage: "on|off NAME what", options })).toEqual([
      { before: [], words: ["on", "off"] },
      { before: ["on"], words: ["NAME"] },
      { before: ["off"], words: ["NAME"] },
      { before: ["on", "*"], words: ["what"] },
      { before: ["off", "*"], words: ["what"] },
    ]);
  });

  it("without words has no places", () => {
    expect(placesOf({ usage: "[--for DURATION] --watch", options })).toEqual([]);
  });

  it("says more about an option's value than its declaration", () => {
    expect(valuesOf({ usage: "[--for DURATION|ever]", options }, "for")).toEqual(["DURATION", "ever"]);
    expect(valuesOf({ usage: "", options }, "for")).toEqual(["DURATION"]);
  });

  it("with a name that has no meaning yet is refused", async () => {
    const [command] = await allCommands();
    if (command === undefined) throw new Error("there are no sub-commands");
    expect(() => completed([{ ...command, name: "x", usage: "COLOUR" }])).toThrow(/x names COLOUR: say in/);
  });
});

/** Lines of what bash offers for the last of the words; readline splits at "=", so do they. */
function bash(...words: string[]): string[] {
  return bashIn(process.env.PATH, ...words);
}

function bashIn(path: string | undefined, ...words: string[]): string[] {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _foundry_agent; printf "%s\\n" "\${COMPREPLY[@]}"`;
  const args = [
    "--norc",
    "-euc",
    script,
    "bash",
    join(FOLDER, "foundry-agent.bash"),
    "foundry-agent",
    ...words,
  ];
  const env = { PATH: path };
  return execFileSync("bash", args, { encoding: "utf8", env, cwd: FOLDER }).split("\n").filter(Boolean);
}

/** A program of the agent's name that knows drives behind a RAID controller, and what it was asked. */
function knowsMembers(): { folder: string; calls(): Set<string>; asked(): number } {
  const folder = temporaryFolder();
  const drives = [{ name: "vda" }, { name: "bus_0_megaraid_3" }, { name: "sg0_cciss_1" }];
  writeFileSync(join(folder, "answer"), JSON.stringify({ drives }, null, 2));
  const log = join(folder, "calls");
  const script = `#!/bin/sh\necho "$*" >>'${log}'\ncat '${folder}/answer'\n`;
  writeFileSync(join(folder, "foundry-agent"), script, { mode: 0o755 });
  const lines = (): string[] => readFileSync(log, "utf8").trim().split("\n");
  return { folder, calls: () => new Set(lines()), asked: () => lines().length };
}

describe("bash", () => {
  it("offers every sub-command of the overview, and no hidden one", async () => {
    const shown = (await allCommands()).filter(({ hidden }) => !hidden).map(({ name }) => name);
    expect(bash("")).toEqual(shown);
    expect(bash("help", "")).toEqual(shown);
    expect(bash("st")).toEqual(["status"]);
    expect(bash("--")).toEqual(["--help", "--version"]);
  });

  it("offers the options of each sub-command, and takes none for another's", async () => {
    for (const { name, options } of await allCommands()) {
      const long = bash(name, "--");
      expect(long, name).toEqual([...Object.keys(options), "help"].map((option) => `--${option}`));
    }
  });

  it("offers words where the set is closed", () => {
    expect(bash("config", "")).toEqual(["check", "show"]);
    expect(bash("config", "--json", "s")).toEqual(["show"]);
    expect(bash("config", "check", "")).toContain("--config");
    expect(bash("report", "")).toEqual(SECTIONS);
    expect(bash("collect", "")).toEqual(SECTIONS);
    expect(bash("report", "--as", "")).toEqual(APIS);
    expect(bash("events", "--since", "")).toEqual(["all"]);
    expect(bash("drives", "forg")).toEqual(["forget"]);
  });

  it("offers this host's interfaces without asking anybody", () => {
    expect(bash("network", "")).toEqual(readdirSync("/sys/class/net").sort());
  });

  it("offers the members of a RAID array, which the agent knows, where no device of the kernel fits", () => {
    const { folder, calls, asked } = knowsMembers();
    const path = `${folder}:${process.env.PATH}`;
    for (const words of [["drives"], ["drives", "locate"], ["smart-test"]])
      expect(bashIn(path, ...words, "bus_"), words.join(" ")).toEqual(["bus_0_megaraid_3"]);
    expect(bashIn(path, "smart-test", "sg0_")).toEqual(["sg0_cciss_1"]);
    expect(calls()).toEqual(new Set(["drives --json"]));
    const before = asked();
    // Nobody is asked for what the kernel knows, or who typed nothing yet.
    bashIn(path, "drives", "forg");
    bashIn(path, "drives", "");
    expect(asked()).toBe(before);
  });

  it("offers files where a file is meant, also behind '=' and with blanks in it", () => {
    const folder = temporaryFolder();
    for (const name of ["a b.toml", "config.toml"]) writeFileSync(join(folder, name), "");
    mkdirSync(join(folder, "parts"));
    const all = [`${folder}/a b.toml`, `${folder}/config.toml`, `${folder}/parts`];
    expect(bash("run", "--config", `${folder}/`).sort()).toEqual(all);
    expect(bash("run", "--config", "=", `${folder}/`).sort()).toEqual(all);
    expect(bash("status", "--socket", `${folder}/c`)).toEqual([`${folder}/config.toml`]);
    expect(bash("helper", "--state", `${folder}/`)).toEqual([`${folder}/parts`]);
    expect(bash("run", "--config", "=")).toContain("_foundry-agent");
  });

  it("knows that an option's value is no word", () => {
    expect(bash("config", "--config", "check", "c")).toEqual(["check"]);
    expect(bash("drives", "--socket", "=", "/x", "forg")).toEqual(["forget"]);
    expect(bash("enroll", "--name", "")).toEqual([]);
  });

  it("has nothing to offer for what is not there", () => {
    expect(bash("nonsense", "")).toEqual([]);
    expect(bash("nonsense", "--")).toEqual([]);
  });
});

describe.runIf(spawnSync("zsh", ["--version"]).status === 0)("zsh", () => {
  it("can read the file", () => {
    const { status, stderr } = spawnSync("zsh", ["-n", join(FOLDER, "_foundry-agent")], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  /** What is offered after each of the lines. */
  function zsh(...lines: string[]): string[][] {
    return zshIn(process.env.PATH, ...lines);
  }

  function zshIn(path: string | undefined, ...lines: string[]): string[][] {
    const script = new URL("offered.zsh", import.meta.url).pathname;
    const told = join(temporaryFolder(), "told");
    const typed = lines.map((line) => `foundry-agent ${line}`);
    // It waits for ever for a word that does not come.
    execFileSync("zsh", ["-f", script, FOLDER, told, ...typed], {
      timeout: 50_000,
      env: { ...process.env, PATH: path },
    });
    return lines.map((_, index) =>
      readFileSync(`${told}.${index + 1}`, "utf8")
        .split("\n")
        .filter(Boolean),
    );
  }

  it("offers the members of a RAID array, which the agent knows, where no device of the kernel fits", () => {
    const { folder, calls } = knowsMembers();
    const path = `${folder}:${process.env.PATH}`;
    expect(zshIn(path, "drives bus_", "drives locate bus_", "smart-test sg0_")).toEqual([
      ["bus_0_megaraid_3"],
      ["bus_0_megaraid_3"],
      ["sg0_cciss_1"],
    ]);
    expect(calls()).toEqual(new Set(["drives --json"]));
  });

  it("offers sub-commands, words, options and files", async () => {
    const shown = (await allCommands()).filter(({ hidden }) => !hidden).map(({ name }) => name);
    const lines = ["", "config ", "report --json ", "report --as=", "drives forg", "status --"];
    expect(zsh(...lines, `run --config ${FOLDER}_f`)).toEqual([
      expect.arrayContaining(shown),
      ["check", "show"],
      SECTIONS,
      APIS,
      ["forget"],
      expect.arrayContaining(["--watch", "--socket", "--json", "--help"]),
      expect.arrayContaining(["_foundry-agent"]),
    ]);
  });
});
