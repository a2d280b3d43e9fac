/**
 * `npm run test:vm`: the executable on an emulated storage node with real kernel drivers: NVMe, ATA, SCSI and SAS
 * disks that answer smartctl, and a BMC on a KCS port. One boot for all tests; minutes, because nothing is
 * accelerated. What can't run here counts as skipped and says which package is missing, never as passed.
 */
import { missingTools } from "../build/executable.mjs";
import { vmImage, vmLacking } from "../lab/vm-image.mjs";
import { ROOT } from "../paths.mjs";
import { conclude, nothingYet, runCheck, runVitest } from "./layers.mjs";

const counts = nothingYet();
const missing = missingTools(["x64"]);
const lacking = missing.length > 0 ? `apt-get install ${missing.join(" ")}` : vmLacking();
if (lacking !== null) {
  console.log(`the emulated machine is not booted: ${lacking}`);
  counts.skipped++;
} else {
  await runCheck(counts, "build", [process.execPath, `${ROOT}/scripts/build/build.mjs`, "--arch=x64"]);
  // Before the tests, whose time is bounded: making it for the first time takes minutes.
  console.log(`machine: ${vmImage()}`);
  await runVitest(counts, "vm", ["--config", `${ROOT}/vitest.vm.config.ts`, ...process.argv.slice(2)]);
}
conclude(counts);
