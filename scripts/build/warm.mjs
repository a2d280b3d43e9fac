/**
 * The compiled form of the bundle: V8's code cache, made after `run --once`, so that it holds the functions of
 * a start and no others. A start is then 15 ms shorter, and a daemon at rest no larger, for what is in it would be
 * compiled anyway. With every function in it, a start would be as short and a daemon 2.5 MB larger for good.
 *
 * It is of the node, the architecture and the flags that made it; run by another, V8 would not take it.
 */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SHIP_FLAGS } from "../flags.mjs";
import { ROOT } from "../paths.mjs";

/** A storage node is where most collectors find something to read. */
const MACHINE = join(ROOT, "test/fixtures/trees/ceph-node");
/** A code cache is taken only by a node with the very flags that it was made under; this one does not count. */
export const SAME_EACH_TIME = "--random-seed=1";

/**
 * The bundle as executables and `warmed` compile it: a function of what a CommonJS module may use.
 * @throws Error when it is not ASCII, which is what lets it be one byte a character in memory
 */
export function wrapped(bundle) {
  const text = readFileSync(bundle, "utf8");
  if (/[^\x00-\x7f]/.test(text)) throw new Error("the bundle has characters that are not ASCII");
  return `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
}

/**
 * Start the daemon twice, since most starts find a state that is there, and write what was compiled the second
 * time. In a temporary folder, for a socket's path must be short.
 * @param options.runNode runs the node of the executable's architecture with arguments; throws when it fails
 */
export function warm({ bundle, compiled, runNode }) {
  const work = mkdtempSync(join(tmpdir(), "foundry-warm-"));
  try {
    layMachine(join(work, "root"));
    const config = join(work, "config.toml");
    const folder = JSON.stringify(work);
    const lines = ["[agent]", `state_dir = ${folder}`, `run_dir = ${folder}`, 'log_level = "error"'];
    // Its full collections would throw compiled functions away.
    writeFileSync(config, [...lines, "[memory]", "housekeeping = false", ""].join("\n"), { mode: 0o600 });
    const script = join(ROOT, "scripts/build/warm-run.cjs");
    const command = ["run", "--once", "--config", config];
    for (let start = 0; start < 2; start++) {
      const said = runNode([...SHIP_FLAGS, SAME_EACH_TIME, script, bundle, work, ...command]);
      // Anything else, and other functions were compiled than those of a start where all is well.
      if (said.stderr !== "" || !/^collected \d+ sections; no control API is configured\n$/.test(said.stdout))
        throw new Error(`the daemon does not start as it should: ${said.stdout}${said.stderr}`);
    }
    copyFileSync(join(work, "compiled"), compiled);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function layMachine(root) {
  for (const name of readdirSync(MACHINE).sort()) {
    const { files, links = {}, folders = [] } = JSON.parse(readFileSync(join(MACHINE, name), "utf8"));
    const place = (path) => {
      mkdirSync(dirname(root + path), { recursive: true });
      return root + path;
    };
    for (const path of folders) mkdirSync(root + path, { recursive: true });
    for (const [path, text] of Object.entries(files))
      writeFileSync(place(path), typeof text === "string" ? text : Buffer.from(text.base64, "base64"));
    for (const [path, target] of Object.entries(links))
      symlinkSync(target.startsWith("/") ? root + target : target, place(path));
  }
}
