/**
 * The hard reboot: from what loses least to what always works, each rung written down before it is tried and once it
 * answered. A rung that says yes, or nothing clear, has a while to prove it: a BMC says yes and does nothing at times,
 * and while the host is still there to wonder, it was no reboot.
 *
 * The BMC's own lane is not waited for: a BMC that hangs must not keep the rungs below it from being tried.
 */
import { setImmediate as loopTurn, setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../model/errors.ts";
import { checkDevice, openIpmitool } from "../bmc/ipmitool.ts";
import type { OperationContext } from "../operation.ts";
import { type Attempt, attempt, hasSystemd, transientUnit } from "./systemd.ts";

const SYNC_MS = 10_000;
const IPMITOOL_MS = 15_000;
const FORCE_MS = 15_000;
const SYSRQ_MS = 10_000;
/** What the program that asks PID 1 has more than the unit itself: queueing, killing, answering. */
const ASKING_MS = 2_000;
/** Power cycles take a few seconds, and some BMCs count to ten before. */
export const SETTLE_MS = 20_000;
/** All of the above with each rung at its slowest: 12 + 2 × 35 + 37 + 32 s. */
export const LADDER_MS = 155_000;

interface Rung {
  readonly name: string;
  try(): Promise<Attempt>;
}

/**
 * Never returns: the host is gone, or it did not work.
 * @param settleMs how long the host may take to be gone unless a rung said no
 * @throws AgentError `reboot_failed` (every rung that was tried said no), `reboot_unanswered` (one may still work)
 */
export async function climbLadder(context: OperationContext, settleMs: number): Promise<never> {
  const { signal, step } = context;
  let mayHappen = false;
  let last = "nothing was tried";
  let stopped: unknown = null;
  for (const { name, try: tryIt } of [syncing(context), ...rungs(context)]) {
    // A hang-up is known once the event loop has looked at the connection.
    await loopTurn();
    await loopTurn();
    if (signal.aborted) {
      stopped = signal.reason;
      break;
    }
    step(`${name}: tried`);
    const { said, text } = await tryIt();
    step(`${name}: ${text}`);
    if (name === SYNC) continue;
    last = `${name}: ${text}`;
    if (said !== "ok" && said !== "unknown") continue;
    mayHappen = true;
    if (await isStillHere(settleMs, signal)) {
      last = `${name}: ${text}, and the host is still there`;
      step(`${name}: the host is still there after ${Math.round(settleMs / 1_000)} s`);
    }
  }
  throw failed(mayHappen, last, stopped);
}

const SYNC = "sync";

/** As much as gets to disk in the time; in a unit of its own, so that one that hangs in the kernel is nobody's child here. */
function syncing(context: OperationContext): Rung {
  const limitMs = Math.min(SYNC_MS, context.leftMs());
  return {
    name: SYNC,
    try: () =>
      hasSystemd(context.files)
        ? attempt(context, transientUnit("sync", limitMs, ["sync"]), SYNC_MS + ASKING_MS)
        : attempt(context, ["sync"], SYNC_MS),
  };
}

function rungs(context: OperationContext): Rung[] {
  const unit = (
    name: string,
    ownMs: number,
    program: readonly [string, ...string[]],
    properties: readonly string[] = [],
  ): Rung => ({
    name,
    try: async () => {
      if (!hasSystemd(context.files))
        return { said: "missing", text: "this system was not started by systemd" };
      const limitMs = Math.min(ownMs, context.leftMs());
      // systemd counts its limit in whole seconds: with less it could still act when this call's time is over.
      if (limitMs < 1_000) return { said: "no", text: "not tried: its time was over" };
      return await attempt(context, transientUnit("reboot", limitMs, program, properties), ownMs + ASKING_MS);
    },
  });
  return [
    ...bmcRungs(context),
    unit("systemctl reboot --force --force", FORCE_MS, ["systemctl", "reboot", "--force", "--force"]),
    // Documentation/admin-guide/sysrq.rst: what is written to the file is done at once, whatever kernel.sysrq says.
    unit("sysrq b", SYSRQ_MS, ["/usr/bin/printf", "b"], ["StandardOutput=file:/proc/sysrq-trigger"]),
  ];
}

function bmcRungs(context: OperationContext): Rung[] {
  try {
    checkDevice(context.files);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    context.step(`ipmitool: not tried (${error.message})`);
    return [];
  }
  return ["cycle", "reset"].map((what) => ({
    name: `ipmitool chassis power ${what}`,
    try: async (): Promise<Attempt> => await askBmc(context, what),
  }));
}

async function askBmc(context: OperationContext, what: string): Promise<Attempt> {
  const { run, signal, clock } = context;
  const budgetMs = Math.min(IPMITOOL_MS, context.leftMs());
  const ipmitool = openIpmitool({ run, signal, now: () => clock.monotonic(), target: null, budgetMs });
  try {
    const { ok, hung, stderr } = await ipmitool("chassis", "power", what);
    if (ok) return { said: "ok", text: "the BMC said yes" };
    if (hung) return { said: "unknown", text: "the BMC gave no answer in time" };
    // No text of a BMC is handed on as it is; this one is worth a word of ours.
    const isRefused = /not supported in present state/i.test(stderr);
    return {
      said: "no",
      text: isRefused ? "the BMC does not do that in its present state" : "the BMC said no",
    };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { said: "no", text: error.message };
  }
}

/** True after `settleMs`; false when the signal fired first, which the next rung looks at. */
async function isStillHere(settleMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(settleMs, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

function failed(mayHappen: boolean, last: string, stopped: unknown): AgentError {
  const why = stopped instanceof Error ? `; stopped, because ${stopped.message}` : "";
  return mayHappen
    ? new AgentError(
        "reboot_unanswered",
        `the host is still there, though it may still go down (last: ${last})${why}`,
        "ipmitool chassis power status; journalctl -u foundry-agent-helper",
      )
    : new AgentError(
        "reboot_failed",
        `no way to reboot hard worked (last: ${last})${why}`,
        "journalctl -u foundry-agent-helper",
      );
}
