/**
 * `npm start` and `npm run agent -- ARGS`: the agent's bundle with the flags it ships with.
 *
 * The agent takes this process' place, so signals, exit code and terminal are its own. Where Node can't do
 * that (before 22.15) it runs as a child: Ctrl-C reaches both, so only what comes to us alone is passed on.
 */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { constants } from "node:os";
import { SHIP_FLAGS } from "./flags.mjs";
import { BUNDLE, NODE } from "./paths.mjs";

const args = [...SHIP_FLAGS, BUNDLE, ...process.argv.slice(2)];

if (typeof process.execve === "function") {
  process.execve(realpathSync(NODE), [NODE, ...args], process.env);
} else {
  const child = spawn(NODE, args, { stdio: "inherit" });
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
