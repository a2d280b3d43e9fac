/** `npm test`: types, lint, unit and integration tests. `npm test -- FILTER` runs only the tests that match. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { ROOT } from "../paths.mjs";
import { conclude, nothingYet, runCheck, runVitest } from "./layers.mjs";

// Hundreds of processes are started, most of the same modules: Node keeps here what it compiles of them, for ever.
const compiled = `${ROOT}/build/compiled`;
process.env.NODE_COMPILE_CACHE ??= compiled;
const kept = existsSync(compiled) ? readdirSync(compiled, { recursive: true }).length : 0;
if (kept > 5_000) rmSync(compiled, { recursive: true });
const filters = process.argv.slice(2);
const counts = nothingYet();
if (filters.length === 0) {
  await runCheck(counts, "types", [`${ROOT}/node_modules/.bin/tsc`]);
  await runCheck(counts, "lint", [`${ROOT}/node_modules/.bin/biome`, "ci"]);
}
await runVitest(counts, "tests", filters);
conclude(counts);
