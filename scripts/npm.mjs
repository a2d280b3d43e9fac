/** npm called from within an npm script, as if it were not. */
import { spawnSync } from "node:child_process";

/** The outer npm's flags are in the environment; these would change what the inner one installs, or where. */
const OUTER_ONLY =
  /^(NODE_ENV|npm_(lifecycle|package)_.*|npm_config_(prefix|local_prefix|global|location|dry_run|omit|include|only|production|dev|os|cpu|libc|workspaces?|package_lock.*|ignore_scripts|force|once|yes))$/i;

/**
 * Run npm in a folder.
 * @returns { ok, output }: output is what it printed, or why it could not be run.
 */
export function runNpm(folder, args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OUTER_ONLY.test(name)));
  // The npm and the Node that were called, not a node in a node_modules that npm may be about to delete.
  const npm = process.env.npm_execpath;
  const [program, ...before] = npm?.endsWith(".js")
    ? [process.env.npm_node_execpath ?? process.execPath, npm]
    : ["npm"];
  const all = [...before, ...args, "--no-audit", "--no-fund", "--loglevel=error"];
  const done = spawnSync(program, all, { cwd: folder, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const output = `${done.stdout ?? ""}${done.stderr ?? ""}${done.error?.message ?? ""}`;
  return { ok: done.status === 0, output };
}
