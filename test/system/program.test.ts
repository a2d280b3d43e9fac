/** Real children that behave badly. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { errorCode } from "../../src/model/errors.ts";
import { type ProgramOptions, runProgram } from "../../src/system/program.ts";
import { runUnprivileged } from "../support/agent/unprivileged.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const sh = (script: string, options: Partial<ProgramOptions> = {}) =>
  runProgram(["sh", "-c", script], { timeoutMs: 10_000, ...options });

/** Whether a process is there and no zombie. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Killed when the test is over: for what is meant to survive. */
function endLater(pid: number): void {
  onTestFinished(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  });
}

it("gives exit code, output and errors of a program that ends by itself", async () => {
  expect(await sh("echo out; echo err >&2; exit 4")).toEqual({
    status: 4,
    ended: "exited",
    stdout: "out\n",
    stderr: "err\n",
    durationMs: expect.any(Number),
    lingering: null,
  });
});

it("ends a hung program that ignores SIGTERM, at its time-out, with what it said so far", async () => {
  const result = await sh("trap '' TERM INT HUP; echo $$; while :; do sleep 60; done", { timeoutMs: 300 });
  expect(result).toMatchObject({ status: null, ended: "timed_out", lingering: null });
  expect(alive(Number(result.stdout))).toBe(false);
});

it("ends endless output at the cap and keeps exactly that much", async () => {
  const result = await sh("exec yes", { maxOutputBytes: 10_001 });
  expect(result).toMatchObject({ ended: "too_much_output", status: null, lingering: null });
  expect(result.stdout).toBe(`${"y\n".repeat(5_000)}y`);
});

it("takes output of exactly the cap, and endless errors, of which it keeps 8 KiB", async () => {
  expect(await sh("printf 12345", { maxOutputBytes: 5 })).toMatchObject({ ended: "exited", stdout: "12345" });
  const noisy = await sh("yes | head -c 300000 >&2; echo done");
  expect(noisy).toMatchObject({ ended: "exited", stdout: "done\n" });
  expect(noisy.stderr).toHaveLength(8 * 1024);
});

it("ends what a program leaves behind in its group, although it holds the pipe", async () => {
  const result = await sh("sleep 600 & echo $!");
  expect(result).toMatchObject({ status: 0, ended: "exited" });
  await eventually(() => !alive(Number(result.stdout)));
});

it("does not wait for what left the group and holds the pipe", async () => {
  const result = await sh("setsid sh -c 'echo $$; exec sleep 600' & sleep 0.3");
  endLater(Number(result.stdout));
  expect(result).toMatchObject({ status: 0, ended: "exited", lingering: null });
  expect(alive(Number(result.stdout))).toBe(true);
});

it("is ended by its signal, grandchildren too", async () => {
  const folder = temporaryFolder();
  const stop = new AbortController();
  const running = sh(`sleep 600 & echo $! > ${folder}/pid.new; mv ${folder}/pid.new ${folder}/pid; wait`, {
    signal: stop.signal,
  });
  await eventually(() => existsSync(join(folder, "pid")));
  stop.abort();
  expect(await running).toMatchObject({ status: null, ended: "aborted", lingering: null });
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  await eventually(() => !alive(pid));
});

it("is not even started when its signal has fired", async () => {
  const file = join(temporaryFolder(), "touched");
  expect(await sh(`touch ${file}`, { signal: AbortSignal.abort() })).toMatchObject({
    status: null,
    ended: "aborted",
  });
  expect(existsSync(file)).toBe(false);
});

it("says when a signal of somebody else ended it", async () => {
  expect(await sh("kill -9 $$")).toMatchObject({ status: null, ended: "killed", lingering: null });
});

it("gives input and closes it; a program that does not read it is no error", async () => {
  const input = "secret ".repeat(40_000);
  const { stdout } = await runProgram(["cat"], { timeoutMs: 10_000, input });
  expect(stdout).toBe(input);
  expect(await sh("exec true", { input })).toMatchObject({ status: 0, ended: "exited" });
  expect((await sh("wc -c")).stdout.trim()).toBe("0");
});

it("hands nothing of its own environment on but the way to programs", async () => {
  vi.stubEnv("SECRET_TOKEN", "canary");
  vi.stubEnv("LD_PRELOAD", "");
  vi.stubEnv("PATH", "/usr/bin:/bin");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { stdout } = await runProgram(["/usr/bin/env"], { timeoutMs: 10_000, env: { LC_ALL: "de", X: "1" } });
  expect(stdout.trim().split("\n").sort()).toEqual([
    "LC_ALL=C",
    "PATH=/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "X=1",
  ]);
});

it("finds programs of the system where PATH has no sbin", async () => {
  vi.stubEnv("PATH", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect((await sh("echo ok")).stdout).toBe("ok\n");
});

it.each([
  ["not installed", ["/nowhere/smartctl"], "program_missing"],
  ["not in PATH", ["no-such-program-anywhere"], "program_missing"],
  ["a NUL in an argument", ["true", "a\0b"], "program_failed"],
  ["too long an argument", ["true", "x".repeat(3_000_000)], "program_failed"],
] as [string, [string, ...string[]], string][])("%s", async (_name, argv, code) => {
  const error = await runProgram(argv, { timeoutMs: 5_000 }).catch((thrown: unknown) => thrown);
  expect(errorCode(error)).toBe(code);
});

const MODULE = new URL("../../src/system/program.ts", import.meta.url).href;
const LOADED = "const { runProgram } = await import(process.argv[1]);";

it("not executable for this user, as an unprivileged one", async () => {
  const folder = temporaryFolder();
  const program = join(folder, "tool");
  writeFileSync(program, "#!/bin/sh\necho ran\n");
  chmodSync(folder, 0o755);
  chmodSync(program, 0o700);
  const noRight = process.geteuid?.() === 0;
  if (!noRight) chmodSync(program, 0o600);
  const { stdout } = await runUnprivileged({
    before: LOADED,
    script: `await runProgram([${JSON.stringify(program)}], { timeoutMs: 5000 }).catch(({ code, message }) => console.log(code, message));`,
    args: [MODULE],
  });
  expect(stdout).toBe(`program_not_allowed ${program} may not be run by this user\n`);
});

it("not installed, as somebody who may not look into every folder of PATH", async () => {
  const closed = temporaryFolder();
  chmodSync(closed, 0o000);
  onTestFinished(() => chmodSync(closed, 0o700)); // or only root could remove it
  const script = `
    process.env.PATH = ${JSON.stringify(`${closed}:/usr/bin:/bin`)};
    await runProgram(["no-such-program-anywhere"], { timeoutMs: 5000 }).catch(({ code }) => console.log(code));
    await runProgram(["true"], { timeoutMs: 5000 }).then(({ status }) => console.log(status));`;
  const { stdout } = await runUnprivileged({ before: LOADED, script, args: [MODULE] });
  expect(stdout).toBe("program_missing\n0\n");
});

it("many at once leave no process and no descriptor behind", async () => {
  const fds = (): number =>
    Number(execFileSync("sh", ["-c", `ls /proc/${process.pid}/fd | wc -l`], { encoding: "utf8" }));
  await sh("true");
  const before = fds();
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => sh(`echo ${i}; exit ${i}`)));
  expect(results.map(({ status, stdout }) => [status, stdout])).toEqual(results.map((_, i) => [i, `${i}\n`]));
  await eventually(() => fds() <= before);
});
