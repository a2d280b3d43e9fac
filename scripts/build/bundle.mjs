/**
 * src/main.ts and all it imports → build/foundry-agent.cjs, one file.
 *
 * CommonJS, because it is ready 5 ms sooner and 1.6 MB smaller under the ship flags than a module, and an
 * executable's `require` then knows nothing but what is built into Node. White space goes (3 ms of every start
 * are V8 reading the text), names stay and lines stay short, so that a stack trace in a bug report is readable.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BUNDLE, ROOT } from "../paths.mjs";
import { lazily } from "./lazily.mjs";

/** Commit of the checkout, with `-dirty` where it was changed since, or "unknown" without git. */
export function commitOf(root = ROOT) {
  const git = (...args) =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed = git("status", "--porcelain", "--", "src", "package-lock.json", "scripts") !== "";
    return git("rev-parse", "HEAD") + (changed ? "-dirty" : "");
  } catch {
    return "unknown";
  }
}

/** Imports every sub-command when it is asked for. */
const TABLE = `${ROOT}/src/cli/commands.ts`;
/** The daemon, as it is imported there. */
export const DAEMON = "./daemon/run.ts";
/** What root's daemon does itself where there is no helper, as it is imported where it is used. */
const AS_ROOT = { by: `${ROOT}/src/agent/helper-access.ts`, path: "../helper/direct.ts" };

/**
 * @param options.entry another entry than the agent's, for tests of the build itself.
 * @param options.only of the sub-commands this one, for whoever is not root: the others, and what only root does,
 * are empty and can't be run.
 */
export async function bundleAgent({
  entry = `${ROOT}/src/main.ts`,
  outfile = BUNDLE,
  commit = commitOf(),
  only = null,
} = {}) {
  const { build } = await import("esbuild");
  const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  const fresh = `${outfile}.${process.pid}`;
  await build({
    entryPoints: [entry],
    outfile: fresh,
    absWorkingDir: ROOT,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    legalComments: "inline",
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    plugins: [...(only === null ? [] : [without(only)]), lazily()],
    logLevel: "warning",
    define: {
      __FOUNDRY_COMMIT__: JSON.stringify(commit),
      __FOUNDRY_VERSION__: JSON.stringify(version),
    },
  });
  // Whoever runs the bundle meanwhile keeps the whole old one.
  renameSync(fresh, outfile);
}

/** An esbuild plugin: every sub-command but one is an empty module, and so is what only root does. */
function without(only) {
  return {
    name: "without",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, ({ path, importer, kind }) => {
        const isOther = importer === TABLE && path !== only;
        const isRoots = importer === AS_ROOT.by && path === AS_ROOT.path;
        return kind === "dynamic-import" && (isOther || isRoots) ? { path, namespace: "without" } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: "without" }, () => ({ contents: "" }));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundleAgent().catch((error) => {
    // esbuild has printed what is wrong and where.
    if (!Array.isArray(error.errors)) console.error(error.message);
    process.exitCode = 1;
  });
}
