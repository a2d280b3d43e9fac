/**
 * `npm start` and `npm run agent -- ARGS`: the agent's bundle with the flags it ships with, told how it is called here.
 *
 * A Ctrl-C in the terminal reaches everybody in it, and npm then passes it on once more. The agent must see
 * one (a second one means "at once"), so it is not passed on from here where there is a terminal.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { SHIP_FLAGS } from "./flags.mjs";
import { BUNDLE, NODE } from "./paths.mjs";

const child = spawn(NODE, [...SHIP_FLAGS, BUNDLE, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, FOUNDRY_AGENT_CALLED: "npm run -s agent --" },
});
const terminal = process.stdin.isTTY || process.stdout.isTTY;
let asked = false;

process.on("SIGINT", () => {
  if (!terminal && !asked) child.kill("SIGINT");
  asked = true;
});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`the agent can't be started: ${error.message}`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
