import { expect, it } from "vitest";
import type { SubCommand } from "../../src/cli/usage.ts";
import { AgentError } from "../../src/model/errors.ts";
import { runCli } from "../support/text/io.ts";

const drives: SubCommand = {
  name: "drives",
  summary: "list the drives",
  usage: "[SERIAL] [--json]",
  words: true,
  options: {
    json: { type: "boolean", help: "as JSON" },
    socket: { type: "string", short: "s", value: "FILE", help: "the daemon's socket" },
    field: { type: "string", multiple: true, help: "only this field" },
  },
  examples: ["foundry-agent drives --json"],
  async run({ values, positionals }, io) {
    io.stdout(JSON.stringify({ ...values, positionals }));
    return 7;
  },
};
const failing = (error: unknown): SubCommand => ({
  ...drives,
  name: "fail",
  hidden: true,
  async run() {
    throw error;
  },
});
const run = (...argv: string[]) =>
  runCli([drives, { ...drives, name: "status", summary: "how it is" }, failing(0)], argv);

it("parses options, shorts, repeats and what is left, and returns the command's exit code", async () => {
  const { code, stdout, stderr } = await run(
    "drives",
    "S1",
    "-s",
    "/x",
    "--field=a",
    "--field",
    "b",
    "--json",
    "--",
    "-y",
  );
  expect([code, stderr]).toEqual([7, ""]);
  expect(JSON.parse(stdout)).toEqual({
    socket: "/x",
    field: ["a", "b"],
    json: true,
    positionals: ["S1", "-y"],
  });
});

it("refuses a word that a command has no use for, before it does anything", async () => {
  const { words: _words, ...strict } = drives;
  expect(await runCli([strict], ["drives", "extra", "--json"])).toMatchObject({
    code: 2,
    stdout: "",
    stderr: 'foundry-agent: drives takes options only, found "extra". Next: foundry-agent drives --help\n',
  });
});

it.each([["--help"], ["-h"], ["help"]])("%s lists what is not hidden, to stdout", async (argument) => {
  const { code, stdout } = await run(argument);
  expect(code).toBe(0);
  expect(stdout).toContain("  drives  list the drives\n  status  how it is\n");
  expect(stdout).not.toContain("  fail ");
});

it("without anything prints the same to stderr and exits with 2", async () => {
  expect(await run()).toMatchObject({ code: 2, stdout: "", stderr: (await run("--help")).stdout });
});

it.each([[["drives", "--help"]], [["drives", "x", "-h", "--json"]], [["help", "drives"]]])(
  "%j explains it",
  async (argv) => {
    const { code, stdout } = await run(...argv);
    expect(code).toBe(0);
    expect(stdout).toBe(`List the drives.

Usage: foundry-agent drives [SERIAL] [--json]

Options:
      --json         as JSON
  -s, --socket FILE  the daemon's socket
      --field VALUE  only this field (may be repeated)
  -h, --help         print this and end

Examples:
  foundry-agent drives --json
`);
  },
);

it.each([
  [["stauts"], 'there is no sub-command "stauts", did you mean "status"? Next: foundry-agent status --help'],
  [["xyzzy"], 'there is no sub-command "xyzzy". Next: foundry-agent --help'],
  [["help", "drivs"], 'did you mean "drives"?'],
  [["--jsno"], 'there is no sub-command, only the option "--jsno"'],
  [
    ["--socket", "/a b", "drives", "--json"],
    `"--socket" is an option of drives and follows it. Next: foundry-agent drives --socket '/a b' --json`,
  ],
  [["-s", "/x", "drives"], '"-s" is an option of drives and follows it. Next: foundry-agent drives -s /x'],
  [["--socket=/x", "status"], "Next: foundry-agent status --socket=/x"],
  [
    ["--jsno", "drives"],
    'drives has no option "--jsno", and options follow it. Next: foundry-agent drives --help',
  ],
  [
    ["drives", "--jsno"],
    'drives has no option "--jsno", did you mean "--json"? Next: foundry-agent drives --help',
  ],
  [["drives", "-q"], 'drives has no option "-q"'],
  [["drives", "--constructor"], 'drives has no option "--constructor"'],
  [["drives", "--socket"], '"--socket" needs a value (FILE)'],
  [["drives", "--socket", "--json"], '"--socket" needs a value (FILE)'],
  [["drives", "--json=yes"], '"--json" takes no value'],
  [["drives", "\u001b[31m--x"].reverse(), 'there is no sub-command "?[31m--x"'],
])("%j is wrong use: exit 2", async (argv, sentence) => {
  const { code, stdout, stderr } = await run(...argv);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(`foundry-agent: `);
  expect(stderr).toContain(sentence);
  expect(stderr.split("\n")).toHaveLength(2);
});

it("takes a single dash, and a value that begins with one when it is joined", async () => {
  expect((await run("drives", "--socket", "-")).stdout).toContain('"socket":"-"');
  expect((await run("drives", "--socket=-x")).stdout).toContain('"socket":"-x"');
});

it.each([
  ["daemon_unreachable", 3],
  ["refused", 4],
  ["refused_by_policy", 4],
  ["usage", 2],
  ["timeout", 1],
])("an error %s exits with %i", async (code, exit) => {
  const error = new AgentError(code, "the daemon does not answer", "systemctl start foundry-agent");
  expect(await runCli([failing(error)], ["fail"])).toEqual({
    code: exit,
    stdout: "",
    stderr: "foundry-agent: the daemon does not answer. Next: systemctl start foundry-agent\n",
  });
});

it("a bug exits with 1 and says where, without secrets", async () => {
  const { code, stderr } = await runCli([failing(new TypeError("bad nf_sk_live_Canary1"))], ["fail"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^foundry-agent: internal error: bad nf_sk_live_\[hidden\]\.\n\s+at /);
  expect(stderr).not.toContain("Canary");
  expect((await runCli([failing("thrown text")], ["fail"])).stderr).toBe(
    "foundry-agent: internal error: thrown text.\n",
  );
});

it("breaks what it explains at the terminal's edge, and nowhere in a pipe", async () => {
  const wordy: SubCommand = {
    ...drives,
    summary: "word ".repeat(30).trim(),
    notes: ["note ".repeat(30).trim()],
  };
  for (const argv of [["--help"], ["drives", "--help"]])
    for (const columns of [40, 60, 80, 200]) {
      const { stdout } = await runCli([wordy], argv, { isTty: true, env: { COLUMNS: `${columns}` } });
      const prose = stdout.split("\n").filter((line) => !/Usage:|foundry-agent/.test(line));
      expect(Math.max(...prose.map(({ length }) => length))).toBeLessThanOrEqual(columns);
    }
  expect((await runCli([wordy], ["--help"], { env: { COLUMNS: "40" } })).stdout).toContain(wordy.summary);
});
