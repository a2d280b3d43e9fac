/** `systemctl reboot`: what stops services in order, waits for delaying inhibitors and tells who is logged in. */
import { AgentError } from "../../model/errors.ts";
import type { OperationContext } from "../operation.ts";
import { lookAtShutdown } from "./shutdown.ts";
import { attempt, noSystemd } from "./systemd.ts";

/** It returns as soon as logind or PID 1 has taken it; a slow bus has 25 s for a call, the caller 30 s in all. */
const OWN_MS = 20_000;
const NAME = "systemctl reboot";

/**
 * Returns when systemd took it; the host goes down afterwards.
 * @throws AgentError `no_systemd`, `reboot_failed` (certainly not begun by this), `reboot_unanswered` (it may be)
 */
export async function rebootGracefully(context: OperationContext): Promise<void> {
  context.step(`${NAME}: tried`);
  const { said, text } = await attempt(context, ["systemctl", "reboot"], OWN_MS, false);
  context.step(`${NAME}: ${text}`);
  if (said === "ok") return;
  if (said === "missing" || /not been booted with systemd/i.test(text))
    throw noSystemd("it can't be rebooted from here");
  if (said === "unknown") throw unanswered(text);
  // "Already in progress" is a no too; whether the host goes down then is not for this call to say.
  const { shutdown, doubt } = await lookAtShutdown(context);
  if (shutdown.under_way) throw unanswered(doubt ?? "a shutdown is under way");
  throw new AgentError(
    "reboot_failed",
    `${NAME} was refused: ${text}`,
    "systemctl list-jobs; systemd-inhibit --list",
  );
}

function unanswered(why: string): AgentError {
  return new AgentError(
    "reboot_unanswered",
    `${NAME} was asked for and nobody can say whether it was taken (${why})`,
    "systemctl is-system-running; systemctl list-jobs",
  );
}
