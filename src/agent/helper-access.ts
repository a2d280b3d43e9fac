/**
 * Who does what only root may: the helper behind its socket, this very process (root with `hardware = true`), or
 * nobody. Chosen once a configuration; what is wrong with it is one condition, not one a section.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { HELPER_SOCKET, socketHelper } from "../helper/link/client.ts";
import type { HelperPort } from "../helper/port.ts";
import { noHelper } from "../helper/port.ts";
import { AgentError, errorCode } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import { lookAtPolicy } from "./commands/armed.ts";
import { hardwareStep } from "./conditions/config.ts";
import type { Health } from "./conditions/health.ts";
import { openPolicyCondition, type PolicyCondition, type ShownPolicy } from "./conditions/policy.ts";

export interface HelperAccess {
  readonly port: HelperPort;
  /** So that a file that is not right is known before somebody needs it. */
  readonly policy: PolicyCondition;
  close(): void;
}

export interface HelperAccessOptions {
  readonly config: Config;
  readonly uid: number;
  readonly files: Files;
  readonly clock: Clock;
  readonly health: Health;
  readonly log: Logger;
}

/** Of the helper as such. A drive that hangs or a BMC that is missing is the business of its section. */
export const OF_THE_HELPER: ReadonlySet<string> = new Set([
  "helper_absent",
  "helper_failed",
  "helper_protocol",
]);
/** Where tmpfiles makes the service's folder. */
const SERVICE_RUN_DIR = "/run/foundry-agent";
/** Whose the conditions of the helper are, for Health. */
const HELPER = "helper";
export const POLICY_OWNER = "policy";
export const HELPER_OWNERS = [HELPER, POLICY_OWNER] as const;
const POLICY_MS = 15_000;

export function openHelperAccess(options: HelperAccessOptions): HelperAccess {
  const { config, uid, health, clock } = options;
  const stop = new AbortController();
  const { runDir } = config.agent;
  const socket = runDir === SERVICE_RUN_DIR ? HELPER_SOCKET : join(runDir, "helper.sock");
  const direct = uid === 0 && config.agent.hardware;
  const chosen = direct ? directly(options, stop.signal) : behindSocket(socket, options);
  let answers = 0;
  const port: HelperPort = {
    how: chosen.how,
    async call(...args) {
      const before = answers;
      try {
        const result = await chosen.call(...args);
        answers++;
        health.set(HELPER, []);
        if (args[0] !== "policy.show") policy.answered();
        return result;
      } catch (error) {
        // Nobody was promised a helper where there is none; one that answered since is there.
        const isNews = chosen.how.kind === "socket" && answers === before;
        if (isNews && error instanceof AgentError && OF_THE_HELPER.has(error.code)) {
          health.set(HELPER, [
            {
              code: "helper_unavailable",
              severity: "warning",
              text: `What only root may read is missing: ${error.message}`,
              nextStep: error.nextStep,
            },
          ]);
        }
        throw error;
      }
    },
  };
  const isNone = chosen.how.kind === "none";
  // Else it holds over a reload until somebody has looked.
  if (isNone) health.set(HELPER, []);

  const policy = openPolicyCondition({
    path: config.commands.policyFile,
    clock,
    ask: async () =>
      isNone
        ? null
        : await port.call("policy.show", {}, AbortSignal.any([stop.signal, AbortSignal.timeout(POLICY_MS)])),
    own: () => ownLook(config.commands.policyFile, uid),
    tell: (found) => health.set(POLICY_OWNER, found),
  });

  return {
    port,
    policy,
    close() {
      policy.stop();
      stop.abort(new AgentError("stopping", "the agent is stopping"));
    },
  };
}

/** Where there is no policy nothing is promised and nothing wrong; one that only root may read is for the helper to judge. */
function ownLook(path: string, uid: number): ShownPolicy | null {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    return errorCode(error) === "ENOENT" ? { usable: true } : null;
  }
  const { problem } = lookAtPolicy(path, uid);
  return problem === null
    ? { usable: true }
    : { usable: false, sentence: problem.text, next_step: problem.nextStep };
}

/** The service's own folder always has a helper to it; elsewhere one is used where somebody started it. */
function behindSocket(path: string, { uid, config }: HelperAccessOptions): HelperPort {
  if (path === HELPER_SOCKET || existsSync(path)) return socketHelper({ path });
  return uid === 0
    ? noHelper("needs_helper_or_root", hardwareStep(config))
    : noHelper("needs_installed_helper", `foundry-agent helper --socket ${path}  # as root, for a trial`);
}

/** Loaded with the first call: operations, parsers and policy are no business of the unprivileged daemon. */
function directly({ config, files, clock, log }: HelperAccessOptions, stopping: AbortSignal): HelperPort {
  const opened = once(async () => {
    const [{ directHelper }, { POLICY_PATH }] = await Promise.all([
      import("../helper/direct.ts"),
      import("../helper/policy/policy.ts"),
    ]);
    const helper = directHelper({
      policyPath: POLICY_PATH,
      stateFolder: join(config.agent.stateDir, "helper"),
      audit: (priority, text) => (priority < 5 ? log.warn(text) : log.info(text)),
      files,
      clock,
    });
    if (stopping.aborted) helper.close();
    else stopping.addEventListener("abort", () => helper.close(), { once: true });
    return helper;
  });
  return {
    how: { kind: "direct" },
    call: async (...args) => await (await opened()).call(...args),
  };
}

/** One that failed (a folder that could not be made yet) is tried again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}
