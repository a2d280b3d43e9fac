/** `foundry-agent helper`: the root-only half, as systemd starts it when the agent asks for something. */
import { join, resolve } from "node:path";
import { logFormat } from "../../agent/log-format.ts";
import { activatedSocket } from "../../helper/link/activation.ts";
import { openHelperServer } from "../../helper/link/server.ts";
import { openLocateRecord } from "../../helper/locate/record.ts";
import { HELPER_STATE_FOLDER } from "../../helper/parts.ts";
import { POLICY_PATH } from "../../helper/policy/policy.ts";
import { AgentError } from "../../model/errors.ts";
import { openFiles } from "../../system/files.ts";
import { runProgram } from "../../system/program.ts";
import { EXIT, type Io } from "../output.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { printAudit } from "./audit.ts";
import { helperLine } from "./helper-log.ts";

const IDLE_SECONDS = 10;
const SOCKET_UNIT = "foundry-agent-helper.socket";

export const helperCommand: SubCommand = {
  name: "helper",
  summary: "do what only root may, for the agent; systemd starts it when it is needed",
  usage:
    "[--socket FILE [--state FOLDER] [--policy FILE] [--idle SECONDS] | --release [--state FOLDER] | --audit [--state FOLDER]]",
  options: {
    socket: { type: "string", value: "FILE", help: "for a trial: make this socket instead of systemd's" },
    state: { type: "string", value: "FOLDER", help: `what was done (default ${HELPER_STATE_FOLDER})` },
    policy: { type: "string", value: "FILE", help: `what is allowed (default ${POLICY_PATH})` },
    idle: {
      type: "string",
      value: "SECONDS",
      help: `ends after so long without work (default ${IDLE_SECONDS})`,
    },
    release: { type: "boolean", help: "switch off every slot's light that is still on, and end" },
    audit: { type: "boolean", help: "print what was changed on this host and what was refused, and end" },
  },
  examples: [
    "foundry-agent helper --release  # before the package goes; systemd's helper is stopped then",
    "sudo foundry-agent helper --audit  # who had what done on this host",
    `systemctl enable --now ${SOCKET_UNIT} # the usual way`,
    "foundry-agent helper --socket /tmp/helper.sock --state /tmp/helper  # by hand",
  ],
  hidden: true,
  async run({ values }, io) {
    if (values.release === true) return await release(pathOf(values.state, HELPER_STATE_FOLDER), io);
    if (values.audit === true) return printAudit(pathOf(values.state, HELPER_STATE_FOLDER), io);
    const format = logFormat(io.env);
    const server = await openHelperServer({
      listen: listenWhere(values.socket, io),
      policyPath: pathOf(values.policy, POLICY_PATH),
      stateFolder: pathOf(values.state, HELPER_STATE_FOLDER),
      idleExitMs: idleSeconds(values.idle) * 1_000,
      audit: (...line) => io.stderr(helperLine(...line, format, io.now())),
    });
    const stop = (): void => void server.close();
    if (io.signal.aborted) stop();
    else io.signal.addEventListener("abort", stop, { once: true });
    await server.ended;
    return EXIT.ok;
  },
};

/** What this host still holds when the agent goes. */
async function release(stateFolder: string, io: Io): Promise<number> {
  const lights = openLocateRecord({
    path: join(stateFolder, "lights.json"),
    owner: process.geteuid?.() ?? 0,
    files: openFiles("/"),
    run: runProgram,
    tell: (sentence) => io.stderr(`${sentence}\n`),
  });
  const left = await lights.releaseAll(io.signal);
  return left === 0 ? EXIT.ok : EXIT.failed;
}

function listenWhere(socket: unknown, io: Io): { fd: number } | { path: string } {
  if (typeof socket === "string") return { path: resolve(socket) };
  if (process.geteuid?.() !== 0)
    throw new AgentError(
      "refused",
      "the helper is for what only root may do, so it runs as root",
      `systemctl enable --now ${SOCKET_UNIT}`,
    );
  const fd = activatedSocket(io.env, process.pid);
  if (fd !== null) return { fd };
  throw new AgentError(
    "helper_by_hand",
    "systemd starts the helper and hands it its socket; started by hand it has none",
    `systemctl enable --now ${SOCKET_UNIT}`,
  );
}

function pathOf(given: unknown, fallback: string): string {
  return typeof given === "string" ? resolve(given) : join(fallback);
}

function idleSeconds(given: unknown): number {
  if (given === undefined) return IDLE_SECONDS;
  const seconds = Number(given);
  if (typeof given === "string" && given.trim() !== "" && seconds > 0 && seconds <= 86_400) return seconds;
  throw usageError('"--idle" needs a number of seconds above 0', "foundry-agent helper --help");
}
