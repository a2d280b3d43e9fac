/**
 * What is imported but not used yet need not be loaded yet: a daemon whose control APIs are not due asks for
 * no TLS, one with nothing to say for no log. In the bundle these modules get a stand-in whose exports load
 * the real one when the first of them is read; the sources keep their plain `import`.
 *
 * Measured under the ship flags: 12 ms of TLS, 8 of pino, 4 of zlib, 3 of fs/promises on the way to "ready".
 */
import { join } from "node:path";

/** Only what costs half a millisecond or more, and nothing that is loaded on the way to "ready" in any case. */
const LAZY = [
  "assert",
  "child_process",
  "crypto",
  "dns/promises",
  "fs/promises",
  "http",
  "https",
  "net",
  "sqlite",
  "tls",
  "v8",
  "vm",
  "worker_threads",
  "zlib",
];
const BUILT_IN = new RegExp(`^(?:node:)?(?:${LAZY.join("|")})$`);
const PACKAGE = /^pino$/;
/**
 * Own files, importer → imported: the control APIs of a node that has none, or whose command line only looks; shapes of
 * collectors, 0.4 MB of heap of which a daemon reads a name only where `report.exclude` has one; what is read for a
 * scrape; what asks a cluster of Ceph, where there is none; tables of what only one kind of machine has (a BMC, ARM
 * cores).
 */
const OWN = [
  { by: /\/src\/(?:main\.ts|cli\/.*)$/, file: /\/src\/control\/index\.ts$/ },
  { by: /\/src\/control\/[a-z]+\/declaration\.ts$/, file: /\/src\/control\/[a-z]+\/api\.ts$/ },
  { by: /\/src\/collectors\/ceph\/ceph\.ts$/, file: /\/src\/collectors\/ceph\/ask\.ts$/ },
  { by: /\/metrics\/live\/live\.ts$/, file: /\/metrics\/live\/readers\.ts$/ },
  { by: /\/src\/collectors\/[a-z/]+\/[a-z]+\.ts$/, file: /\/src\/collectors\/[a-z/]+\/schema\.ts$/ },
  { by: /\/src\/collectors\/bmc\/[a-z-]+\.ts$/, file: /\/src\/collectors\/bmc\/health\.ts$/ },
  { by: /\/src\/collectors\/cpu\/model\.ts$/, file: /\/src\/collectors\/cpu\/arm-parts\.ts$/ },
];
const STAND_IN = "stand-in";

/** An esbuild plugin. */
export function lazily() {
  return {
    name: "lazily",
    setup(build) {
      build.onResolve({ filter: BUILT_IN }, ({ path, namespace }) =>
        namespace === STAND_IN
          ? { path, external: true }
          : { path: `node:${path.replace(/^node:/, "")}`, namespace: STAND_IN },
      );
      build.onResolve({ filter: PACKAGE }, ({ path, namespace }) =>
        namespace === STAND_IN ? undefined : { path, namespace: STAND_IN },
      );
      build.onResolve(
        { filter: /\/(?:index|api|schema|ask|readers|health|arm-parts)\.ts$/ },
        ({ path, namespace, importer, resolveDir }) => {
          const file = join(resolveDir, path);
          const late =
            namespace === "file" && OWN.some((one) => one.by.test(importer) && one.file.test(file));
          return late ? { path: file, namespace: STAND_IN } : undefined;
        },
      );
      build.onLoad({ filter: /.*/, namespace: STAND_IN }, async ({ path }) => ({
        loader: "js",
        resolveDir: build.initialOptions.absWorkingDir,
        contents: await standIn(path),
      }));
    },
  };
}

async function standIn(path) {
  const real = await import(path);
  const names = Object.keys(real).filter((name) => name !== "default" && name !== "module.exports");
  // Some are themselves a function (`assert`).
  const own =
    typeof real.default === "function" ? "module.exports = (...values) => load()(...values);\n" : "";
  return `let loaded;
const load = () => (loaded ??= require(${JSON.stringify(path)}));
${own}for (const name of ${JSON.stringify(names)})
  Object.defineProperty(module.exports, name, { configurable: true, enumerable: true, get: () => load()[name] });
`;
}
