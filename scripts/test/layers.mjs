/** Runs the parts of a test command and counts. Used by `npm test` and `npm run test:lab`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { ROOT } from "../paths.mjs";

/** @returns counts of nothing. */
export function nothingYet() {
  return { passed: 0, failed: 0, skipped: 0 };
}

/** Run one program; it counts as one test. Its output goes to the terminal. */
export async function runCheck(counts, name, command) {
  const seconds = await timed(async () => {
    if ((await run(name, command)) === 0) counts.passed++;
    else counts.failed++;
  });
  console.log(`${name}: ${seconds} s`);
}

/** Run vitest with these arguments and count its tests; a run without a result counts as one failure. */
export async function runVitest(counts, name, args) {
  const result = `${ROOT}/build/${name}-results.json`;
  mkdirSync(`${ROOT}/build`, { recursive: true });
  rmSync(result, { force: true });
  const seconds = await timed(async () => {
    const status = await run(name, [
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      `${ROOT}/node_modules/vitest/vitest.mjs`,
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${result}`,
      ...args,
    ]);
    const found = read(result);
    counts.passed += found?.numPassedTests ?? 0;
    counts.failed += found?.numFailedTests ?? 0;
    counts.skipped += (found?.numPendingTests ?? 0) + (found?.numTodoTests ?? 0);
    // A file that does not even load has no tests to count, yet the run failed.
    if (status !== 0 && (found === null || found.numFailedTests === 0)) counts.failed++;
  });
  console.log(`${name}: ${seconds} s`);
}

/** The plain last line, and the exit code. */
export function conclude({ passed, failed, skipped }) {
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** @returns its exit status; null when it was killed, or could not be started at all */
async function run(name, [program, ...args]) {
  const child = spawn(program, args, { cwd: ROOT, stdio: "inherit" });
  try {
    const [status] = await once(child, "exit");
    return status;
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    return null;
  }
}

async function timed(work) {
  const from = performance.now();
  await work();
  return ((performance.now() - from) / 1000).toFixed(1);
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
