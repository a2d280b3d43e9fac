/** As main.ts does at the beginning of every process: tests of parts hide what the whole hides. */
import { createRequire } from "node:module";
import { hideTokens } from "../../src/model/text/scrub.ts";

// Loaded with the first text that may hold one, so that not every file of tests waits for it.
const load = createRequire(import.meta.url);
hideTokens(() => load("../../src/control/index.ts").tokenPrefixes());
