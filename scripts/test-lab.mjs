/**
 * `npm run test:lab`: tests on real parts that need packages of the distribution (`.ci/run` installs them).
 * What can't run here counts as skipped and says which package is missing, never as passed.
 */
import { missingTools } from "./build.mjs";
import { conclude, nothingYet, runCheck, runVitest } from "./layers.mjs";
import { ROOT } from "./paths.mjs";

const counts = nothingYet();
const missing = missingTools(["x64", "arm64"]);
if (missing.length > 0) {
  // Old executables would prove nothing about this checkout; the tests skip what is not there.
  console.log(`executables are not built: apt-get install ${missing.join(" ")}`);
  counts.skipped++;
} else {
  runCheck(counts, "build", [process.execPath, `${ROOT}/scripts/build.mjs`, "--check-reproducible"]);
}
runVitest(counts, "lab", ["--config", `${ROOT}/vitest.lab.config.ts`, ...process.argv.slice(2)]);
conclude(counts);
