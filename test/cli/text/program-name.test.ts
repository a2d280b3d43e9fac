import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { calledHere, programHere } from "../../../src/cli/text/program-name.ts";
import { runCommandLine } from "../../../src/cli/usage.ts";
import { daemon } from "../../support/agent/daemon.ts";
import { pretendStatus } from "../../support/agent/pretend.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { NOW } from "../../support/now.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const CHECKOUT = "npm run -s agent --";

afterEach(() => vi.unstubAllEnvs());

/** Every sub-command after the program's plain name, which nobody in a checkout can type. */
const NOT_THERE = new RegExp(`\\bfoundry-agent (?:${Object.keys(COMMANDS).join("|")}|--help)\\b`);

test("an executable is called by its name where that is in PATH, else by its path", () => {
  const folder = temporaryFolder();
  const executable = join(folder, "foundry-agent-linux-x64");
  writeFileSync(executable, "");
  chmodSync(executable, 0o755);
  expect(programHere({ PATH: "/usr/bin:/bin" }, executable)).toBe(executable);
  mkdirSync(join(folder, "my bin"));
  copyFileSync(executable, join(folder, "my bin/foundry-agent"));
  expect(programHere({ PATH: folder }, join(folder, "my bin/foundry-agent"))).toBe(
    `'${folder}/my bin/foundry-agent'`,
  );
  symlinkSync(executable, join(folder, "foundry-agent"));
  expect(programHere({ PATH: `/nonexistent:${folder}` }, executable)).toBe("foundry-agent");
  expect(programHere({ FOUNDRY_AGENT_CALLED: CHECKOUT }, executable)).toBe(CHECKOUT);
  expect(programHere({}, process.execPath)).toBe("foundry-agent");
});

test("what names the program as a command is called otherwise, what only is its name stays", () => {
  const here = (text: string): string => calledHere(text, "X");
  expect(here("foundry-agent status")).toBe("X status");
  expect(here("sudo foundry-agent enroll  # or foundry-agent")).toBe("sudo X enroll  # or foundry-agent");
  expect(here("pass show key | foundry-agent enroll --key-file -")).toBe(
    "pass show key | X enroll --key-file -",
  );
  expect(here("foundry-agent config check && foundry-agent reload")).toBe("X config check && X reload");
  expect(here("systemctl start foundry-agent  # or in the foreground: foundry-agent run")).toBe(
    "systemctl start foundry-agent  # or in the foreground: X run",
  );
  for (const step of [
    "journalctl -u foundry-agent -n 50",
    "apt purge foundry-agent",
    "ls /run/foundry-agent",
  ])
    expect(here(step)).toBe(step);
});

test("in a checkout no line that is printed names a program that is not there", async () => {
  vi.stubEnv("FOUNDRY_AGENT_CALLED", CHECKOUT);
  const { run, view } = await daemon({ registered: "test" });
  pretendStatus(view, {
    conditions: [
      {
        code: "left",
        severity: "warning",
        subject: "nodefoundry",
        text: "It left.",
        nextStep: "foundry-agent enroll",
        since: NOW,
      },
    ],
  });
  let named = 0;
  for (const line of [
    ["status"],
    ["why"],
    ["why", "smart"],
    ["drives"],
    ["report"],
    ["report", "lldp"],
    ["network"],
    ["network", "nonexistent"],
    ["events", "--since", "1s"],
    ["events"],
    ["commands"],
    ["commands", "nonexistent"],
    ["reboot", "--dry-run"],
    ["reboot", "--test", "--yes"],
    ["hold", "--reason", "a fan"],
    ["status"],
    ["release"],
    ["adopt"],
    ["smart-test", "nonexistent", "short"],
    ["drives", "locate", "nonexistent"],
    ["drives", "nonexistent"],
    ["sync", "nowhere"],
    ["enroll", "extra", "words"],
    ["leave", "--yes"],
    ["status"],
    ["reset", "--identity", "--yes"],
    ["sttus"],
    ["--help"],
    ...Object.keys(COMMANDS).map((name) => [name, "--help"]),
  ]) {
    const { stdout, stderr } = await run(line);
    expect(`${line.join(" ")}: ${stdout}${stderr}`).not.toMatch(NOT_THERE);
    named += (stdout + stderr).split(`${CHECKOUT} `).length - 1;
  }
  expect(named).toBeGreaterThan(50);
});

test("what asks no daemon names it as it is called, too", async () => {
  vi.stubEnv("FOUNDRY_AGENT_CALLED", CHECKOUT);
  const folder = temporaryFolder();
  writeFileSync(join(folder, "config.toml"), "[agent]\nhardwear = true\n");
  const signal = new AbortController().signal;
  for (const line of [
    ["config", "check", "--config", join(folder, "config.toml")],
    ["config", "show", "--config", join(folder, "config.toml")],
    ["run", "--config", join(folder, "config.toml")],
    ["config"],
    ["helper", "--idle", "x"],
    ["version"],
    ["status", "--socket", join(folder, "none.sock")],
  ]) {
    let text = "";
    const keep = (words: string): void => {
      text += words;
    };
    const io = { stdout: keep, stderr: keep, isTty: false, env: {}, color: false, now: () => NOW, signal };
    await runCommandLine(COMMANDS, line, io);
    expect(text).not.toMatch(NOT_THERE);
  }
});

test("a line that npm run agent prints as the next one can be typed as it stands", () => {
  const failed = (argv: string[]): string => {
    try {
      return execFileSync(process.execPath, ["scripts/agent.mjs", ...argv], {
        cwd: ROOT,
        encoding: "utf8",
        stdio: "pipe",
      });
    } catch (error) {
      return (error as { stderr: string }).stderr;
    }
  };
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(scripts.agent).toBe("exec node scripts/agent.mjs");
  const said = failed(["sttus"]);
  expect(said).toMatch(/Next: npm run -s agent -- status --help\n$/);
  const [, line = ""] = /Next: npm run -s agent -- (.*)\n/.exec(said) ?? [];
  expect(failed(line.split(" "))).toContain("Usage: npm run -s agent -- status");
});
