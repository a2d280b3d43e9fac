/** Checks of the host's own: which are run, as what, and what is made of how they end. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { findChecks, MAX_CHECKS, runChecks } from "../../../../src/agent/commands/after-boot/checks.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryFolder } from "../../../support/machine/tree.ts";

const OWNER = process.geteuid?.() ?? 0;
const NEVER = new AbortController().signal;

function folderWith(scripts: Readonly<Record<string, string>>, mode = 0o755) {
  const folder = join(temporaryFolder(), "checks.d");
  mkdirSync(folder, { mode: 0o755 });
  for (const [name, script] of Object.entries(scripts)) put(folder, name, script, mode);
  return folder;
}
function put(folder: string, name: string, script: string, mode = 0o755): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), mode);
}
async function run(
  folder: string,
  more: { wanted?: string[]; timeoutMs?: number; signal?: AbortSignal } = {},
) {
  const options = { folder, owner: OWNER, timeoutMs: more.timeoutMs ?? 60_000 };
  const found = findChecks(options);
  const wanted = more.wanted === undefined ? null : new Set(more.wanted);
  const items = await runChecks(found, wanted, options, more.signal ?? NEVER);
  return items.map(({ name, is, said }) => [name, is, said]);
}

test("0 works; else its first line, printable and without secrets, is the reason", async () => {
  const folder = folderWith({
    "a-works": "echo all well",
    "b-fails": "echo; echo 'port 443 is closed'; echo more; exit 1",
    "c-stderr": "echo 'no such host' >&2; exit 2",
    "d-silent": "exit 3",
    "e-secret": "printf '\\033[31mkey nf_sk_live_abcdef\\n'; exit 1",
    "f-signal": "kill -9 $$",
  });
  expect(await run(folder)).toEqual([
    ["a-works", "works", undefined],
    ["b-fails", "fails", "port 443 is closed"],
    ["c-stderr", "fails", "no such host"],
    ["d-silent", "fails", "it ended with 3 and said nothing"],
    ["e-secret", "fails", expect.stringMatching(/^\?\[31mkey nf_sk_live_\[hidden\]$/)],
    ["f-signal", "fails", "it was ended by a signal"],
  ]);
});

test("no shell, no arguments, nothing of the agent's environment", async () => {
  vi.stubEnv("FOUNDRY_TEST_SECRET", "x");
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = folderWith({ env: 'echo "$# $(env | cut -d= -f1 | sort | tr "\\n" " ")"; exit 1' });
  // What a shell adds by itself is its own.
  const words = (await run(folder))[0]?.[2]
    ?.split(" ")
    .filter((word) => !/^(?:_|OLDPWD|PWD|SHLVL)$/.test(word));
  expect(words).toEqual(["0", "LC_ALL", "PATH"]);
});

test("what hangs is ended with all it started; what says too much too", async () => {
  const folder = folderWith({
    hangs: "sleep 600 & echo $! > $(dirname $0)/pid; wait",
    talks: "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
  });
  expect(await run(folder, { wanted: ["talks"] })).toEqual([
    ["talks", "fails", "it printed more than 4096 bytes and was ended"],
  ]);
  expect(await run(folder, { wanted: ["hangs"], timeoutMs: 3_000 })).toEqual([
    ["hangs", "fails", "it was not done in 3 s and was ended"],
  ]);
  const pid = readFileSync(join(folder, "pid"), "utf8").trim();
  await eventually(
    () => !existsSync(`/proc/${pid}`) || /\nState:\tZ/.test(readFileSync(`/proc/${pid}/status`, "utf8")),
  );
});

test("when there is no more time it is not known, which is no failure", async () => {
  const folder = folderWith({ slow: "sleep 600" });
  expect(await run(folder, { signal: AbortSignal.abort() })).toEqual([["slow", "unknown", undefined]]);
});

test("names that package managers and editors leave behind are none; a folder that is not there has none", async () => {
  const folder = folderWith({
    "a.sh": "exit 0",
    "a.sh.dpkg-old": "exit 0",
    "a.sh~": "exit 0",
    ".hidden": "exit 0",
  });
  expect([...findChecks({ folder, owner: OWNER }).checks.keys()]).toEqual(["a.sh"]);
  expect(findChecks({ folder: join(folder, "none"), owner: OWNER })).toEqual({
    checks: new Map(),
    problems: [],
  });
});

test.each([
  [
    "others may write it",
    (folder: string) => chmodSync(join(folder, "x"), 0o777),
    /can be changed by others/,
  ],
  [
    "its group may write it",
    (folder: string) => chmodSync(join(folder, "x"), 0o775),
    /can be changed by others/,
  ],
  [
    "others may write into the folder",
    (folder: string) => chmodSync(folder, 0o777),
    /can be changed by others/,
  ],
  ["it may not be run", (folder: string) => chmodSync(join(folder, "x"), 0o644), /may not be run/],
])("not run, with a condition that says how to mend it: %s", async (_name, spoil, text) => {
  const folder = folderWith({ x: "exit 0" });
  spoil(folder);
  const { checks, problems } = findChecks({ folder, owner: OWNER });
  expect([...checks]).toEqual([]);
  expect(problems).toMatchObject([
    {
      code: "check_not_run",
      subject: "x",
      text: expect.stringMatching(text),
      nextStep: expect.stringMatching(/^ch(?:own|mod) /),
    },
  ]);
});

test("a link counts by where it leads, and by who may change that", async () => {
  const folder = folderWith({});
  const elsewhere = folderWith({ real: "exit 0" });
  symlinkSync(join(elsewhere, "real"), join(folder, "linked"));
  expect(findChecks({ folder, owner: OWNER }).checks.get("linked")).toBe(join(elsewhere, "real"));
  chmodSync(elsewhere, 0o777);
  expect(findChecks({ folder, owner: OWNER }).problems).toHaveLength(1);
});

test("a folder, and a link to nowhere, are said; more than so many are not run", async () => {
  const folder = folderWith(
    Object.fromEntries(Array.from({ length: MAX_CHECKS }, (_, n) => [`b${n}`, "exit 0"])),
  );
  mkdirSync(join(folder, "a-folder"));
  symlinkSync("/nowhere/at/all", join(folder, "a-link"));
  const { checks, problems } = findChecks({ folder, owner: OWNER });
  expect(checks.size).toBe(MAX_CHECKS - 2);
  expect(problems.map(({ text }) => text)).toEqual([
    expect.stringContaining("is no regular file"),
    expect.stringContaining("can't be read (ENOENT)"),
    expect.stringContaining(`at most ${MAX_CHECKS} are run`),
  ]);
});

test.runIf(OWNER === 0)("root runs nothing that another user owns", async () => {
  const folder = folderWith({ x: "exit 0" });
  chownSync(join(folder, "x"), 12_345, 12_345);
  expect(findChecks({ folder, owner: 0 }).problems[0]?.text).toContain("belongs to uid 12345");
});
