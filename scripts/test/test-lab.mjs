/**
 * `npm run test:lab`: tests on real parts that need packages of the distribution (`.ci/run` installs them).
 * What can't run here counts as skipped and says which package is missing, never as passed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { missingTools } from "../build/executable.mjs";
import { nspawnLacking } from "../lab/nspawn-root.mjs";
import { ROOT } from "../paths.mjs";
import { conclude, nothingYet, runCheck, runVitest } from "./layers.mjs";

const counts = nothingYet();
// Mostly waiting for a mirror, so beside the build. What could not be fetched, the tests try once more.
const systems =
  nspawnLacking() === null
    ? once(spawn(process.execPath, [`${ROOT}/scripts/lab/nspawn-root.mjs`], { stdio: "ignore" }), "exit")
    : null;
const missing = missingTools(["x64", "arm64"]);
if (missing.length > 0) {
  // Old executables would prove nothing about this checkout; the tests skip what is not there.
  console.log(`executables are not built: apt-get install ${missing.join(" ")}`);
  counts.skipped++;
} else {
  await runCheck(counts, "build", [
    process.execPath,
    `${ROOT}/scripts/build/build.mjs`,
    "--check-reproducible",
  ]);
}
await systems;
const config = ["--config", `${ROOT}/vitest.lab.config.ts`];
const filters = process.argv.slice(2);
const torture = "test/lab/torture";
if (filters.length > 0) await runVitest(counts, "lab", [...config, ...filters]);
// Minutes of waiting for a system that goes down and comes back: beside all others, which go one after the other.
else
  await Promise.all([
    runVitest(counts, "lab", [...config, "--exclude", `${torture}/**`]),
    runVitest(counts, "torture", [...config, torture]),
  ]);
conclude(counts);
