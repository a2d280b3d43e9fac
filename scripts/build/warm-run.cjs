/**
 * `node warm-run.cjs BUNDLE FOLDER ARGUMENTS…`: runs the bundle as an executable would, on the machine that is
 * laid out in FOLDER/root instead of this one, and writes to FOLDER/compiled what V8 compiled on the way.
 * Only for scripts/build/warm.mjs. Other files in FOLDER are what they are.
 */
const fs = require("node:fs");
const os = require("node:os");
const { Script } = require("node:vm");

const [, program, bundle, folder, ...words] = process.argv;
const root = `${folder}/root`;

/** Another machine or user would be other functions compiled: the executable must not depend on who builds it. */
const away = (path) =>
  typeof path === "string" && path.startsWith("/") && !path.startsWith(folder) ? root + path : path;
const back = (found) => {
  if (found instanceof fs.Stats) found.uid = 0;
  return typeof found === "string" && found.startsWith(root) ? found.slice(root.length) : found;
};
const script = new Script(fs.readFileSync(bundle, "latin1"), { filename: "foundry-agent.cjs" });
for (const name of Object.keys(fs)) {
  if (!/^(?:access|exists|lstat|open|read(?:dir|File|link)|realpath|stat(?:fs)?)(?:Sync)?$/.test(name))
    continue;
  const real = fs[name];
  fs[name] = (path, ...more) => back(real(away(path), ...more));
}
os.networkInterfaces = () => ({});
process.geteuid = () => 999; // as the installed daemon: not root
process.env.PATH = "/nonexistent"; // nor does it find a program here that others have not

process.argv = [process.argv[0], program, ...words];
process.on("exit", () => fs.writeFileSync(`${folder}/compiled`, script.createCachedData()));
script.runInThisContext()(exports, require, module, __filename, __dirname);
