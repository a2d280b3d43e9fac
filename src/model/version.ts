/** What this build is. The two constants are put in by the bundler's `define`; run from source there are none. */
import manifest from "../../package.json" with { type: "json" };

declare const __FOUNDRY_VERSION__: string | undefined;
declare const __FOUNDRY_COMMIT__: string | undefined;

/** Semantic version of the agent. */
export const VERSION: string =
  typeof __FOUNDRY_VERSION__ === "string" ? __FOUNDRY_VERSION__ : manifest.version;

/** Commit it was built from, or `development`. */
export const COMMIT: string = typeof __FOUNDRY_COMMIT__ === "string" ? __FOUNDRY_COMMIT__ : "development";
