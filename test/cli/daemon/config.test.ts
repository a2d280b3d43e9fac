import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configCommand } from "../../../src/cli/daemon/config.ts";
import { allCollectors } from "../../../src/collectors/index.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { runCli } from "../../support/text/io.ts";

const COLLECTORS = [{ name: "system" }, { name: "drives" }];

function configFile(text: string): string {
  const file = join(temporaryFolder(), "config.toml");
  writeFileSync(file, text, { mode: 0o640 });
  return file;
}

const run = (...argv: string[]) => runCli([configCommand(COLLECTORS)], ["config", ...argv]);

it("show cuts nothing on a narrow terminal: value and origin have lines of their own", async () => {
  const file = configFile("[agent]\nhardware = true\n");
  for (const columns of [40, 80]) {
    const { stdout } = await runCli([configCommand(COLLECTORS)], ["config", "show", "--config", file], {
      isTty: true,
      env: { COLUMNS: `${columns}` },
    });
    expect(stdout).toMatch(/^agent\.hardware = true\n {4}from .*config\.toml:2\n/);
    expect(stdout).toMatch(/^agent\.state_dir =(?: |\n {2})"\/.+\/foundry-agent"\n {4}from default$/m);
    expect(stdout).not.toContain("…");
  }
});

describe("config check", () => {
  it("prints every problem and exits with 1", async () => {
    const file = configFile("[agent]\nhardwar = true\nlog_level = 1\n# nf_sk_live_Canary1\n");
    const { code, stdout, stderr } = await run("check", "--config", file);
    expect(code).toBe(1);
    expect(stdout.split("\n")).toEqual([
      `${file}:2:1: agent.hardwar: unknown key, did you mean "hardware"? To do: write hardware instead, or remove it`,
      `${file}:3:1: agent.log_level: expected one of "error", "warn", "info", "debug", found 1. To do: write for example: log_level = "info"`,
      expect.stringContaining(`${file}:4: a key or token stands in the configuration itself`),
      "",
    ]);
    expect(stderr).toBe("3 problems\n");
    expect(stdout).not.toContain("Canary");
  });

  it("says that all is well, and which files it read", async () => {
    const file = configFile("[agent]\nhardware = true\n");
    mkdirSync(join(file, "../conf.d"));
    writeFileSync(join(file, "../conf.d/a.toml"), "commands.grace_s = 5\n");
    expect(await run("check", "--config", file)).toEqual({
      code: 0,
      stdout: `ok: ${file}, ${join(file, "../conf.d/a.toml")} (2 keys set)\n`,
      stderr: "",
    });
  });

  it("gives the same as JSON", async () => {
    const file = configFile("[agent]\nhardware = 1\n");
    const { code, stdout } = await run("check", "--json", "--config", file);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      files: [file],
      problems: [
        {
          file,
          line: 2,
          column: 1,
          key: "agent.hardware",
          message: "expected true or false, found 1",
          next_step: "write for example: hardware = false",
        },
      ],
      warnings: [],
    });
  });

  it("warns of a pattern of report.exclude that leaves nothing out: no problem, so exit 0", async () => {
    const file = configFile('[report]\nexclude = ["system.serial", "system.hostname"]\n');
    const checked = (...argv: string[]) =>
      runCli([configCommand(allCollectors())], ["config", "check", "--config", file, ...argv]);
    const sentence =
      'report.exclude names "system.serial", and the section system has no such field: nothing is left out by it.';
    const { code, stdout } = await checked();
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      expect.stringContaining(`${file}:2: warning: ${sentence} Next: foundry-agent report system --json`),
      `ok: ${file} (1 key set, 1 warning)`,
      "",
    ]);
    const found = JSON.parse((await checked("--json")).stdout);
    expect(found).toMatchObject({
      ok: true,
      problems: [],
      warnings: [{ file, line: 2, key: "report.exclude", code: "exclude_unknown", message: sentence }],
    });
  });

  it("does not warn of the fields of a collector that is switched off", async () => {
    const file = configFile('[report]\nexclude = ["local.nothing.x"]\n[collectors.local]\nenabled = false\n');
    const { stdout } = await runCli([configCommand(allCollectors())], ["config", "check", "--config", file]);
    expect(stdout).toBe(`ok: ${file} (2 keys set)\n`);
  });

  it("is to be typed again with the file that was named", async () => {
    const file = configFile("[agent\n");
    const next = `correct the line, then: foundry-agent config check --config ${file}`;
    expect((await run("check", "--config", file)).stdout).toMatch(new RegExp(`(?:Next|To do): ${next}\n$`));
    const { problems } = JSON.parse((await run("check", "--json", "--config", file)).stdout);
    expect(problems).toMatchObject([{ file, next_step: next }]);
    expect((await run("shw", "--config", file)).stderr).toContain(
      `Next: foundry-agent config show --config ${file}\n`,
    );
  });

  it("a named file that is missing is a problem", async () => {
    const { code, stdout } = await run("check", "--config", join(temporaryFolder(), "none.toml"));
    expect(code).toBe(1);
    expect(stdout).toContain("there is no such file");
  });
});

describe("config show", () => {
  it("says which pause between rounds holds on a metered network", async () => {
    const shown = async (text: string): Promise<string> => {
      const { stdout } = await run("show", "--config", configFile(`[network]\nprofile = "metered"\n${text}`));
      return /^nodefoundry\.interval_s +(.*?) {2,}/m.exec(stdout)?.[1] ?? "";
    };
    expect(await shown("")).toBe("(3600 on a metered network)");
    expect(await shown("[nodefoundry]\ninterval_s = 60\n")).toBe("60 (900 on a metered network)");
    expect(await shown("[nodefoundry]\ninterval_s = 7200\n")).toBe("7200");
  });

  it("gives each value in effect and where it comes from", async () => {
    const file = configFile('[network]\n\nprofile = "metered"\n[collectors.drives]\ndrivetemp = true\n');
    const { code, stdout } = await run("show", "--config", file);
    expect(code).toBe(0);
    const row = (key: string): string[] =>
      stdout
        .split("\n")
        .find((line) => line.startsWith(`${key} `))
        ?.split(/ {2,}/) ?? [];
    expect(row("network.profile")).toEqual(["network.profile", '"metered"', `${file}:3`]);
    expect(row("agent.hardware")).toEqual(["agent.hardware", "false", "default"]);
    expect(row("agent.name")).toEqual(["agent.name", "(the hostname)", "default"]);
    expect(row("collectors.drives.drivetemp")).toEqual(["collectors.drives.drivetemp", "true", `${file}:5`]);
    expect(row("collectors.system.enabled")).toEqual(["collectors.system.enabled", "true", "default"]);
  });

  it("gives the same as JSON, and exits with 1 when something is wrong", async () => {
    const file = configFile('[agent]\nlog_level = "debug"\nhardware = "x"\n');
    const { code, stdout, stderr } = await run("show", "--json", "--config", file);
    expect(code).toBe(1);
    const { values, problems } = JSON.parse(stdout);
    expect(problems).toBe(1);
    expect(values).toContainEqual({
      key: "agent.log_level",
      value: "debug",
      origin: { file, line: 2 },
      note: null,
    });
    expect(values).toContainEqual({ key: "agent.hardware", value: false, origin: null, note: null });
    expect(stderr).toContain("Next: foundry-agent config check");
  });
});

it.each([
  [[], "config needs check or show"],
  [["chek"], 'config has no "chek", did you mean "check"?'],
  [["check", "more"], 'config takes one word, found "more" too'],
])("%j is wrong use", async (argv, sentence) => {
  const { code, stderr } = await run(...argv);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
});
