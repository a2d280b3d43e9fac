/**
 * `foundry-agent reboot --unproven`: what is left where the journal can't be written. No agent, no helper, no gate:
 * what root could type anyway, said plainly.
 */
import { hostname } from "node:os";
import { FULL_REBOOT } from "../../helper/reboot/systemd.ts";
import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import type { RunProgram } from "../../system/program.ts";
import { EXIT, type Io } from "../output.ts";

const SYSTEMCTL_MS = 30_000;

export interface UnprovenParts {
  readonly uid: number;
  readonly run: RunProgram;
  /** @throws AgentError when it is not meant */
  readonly sure: (question: string) => Promise<void>;
}

/** @throws AgentError `refused_permission`, `reboot_failed`, those of `sure` and `runProgram` */
export async function rebootUnproven(
  hard: boolean,
  { uid, run, sure }: UnprovenParts,
  io: Io,
): Promise<number> {
  if (uid !== 0)
    throw new AgentError("refused_permission", "only root can reboot past the agent", "sudo foundry-agent …");
  const how = hard
    ? "at once, without stopping anything and without writing what is not on the disks"
    : "gracefully";
  await sure(
    `${printable(hostname())} reboots ${how}. Nothing is checked, written down or reported, and nothing will prove it. Go on?`,
  );
  const { status, stderr } = await run(
    hard ? ["systemctl", "reboot", "--force", "--force"] : ["systemctl", "reboot"],
    { timeoutMs: SYSTEMCTL_MS, env: FULL_REBOOT },
  );
  if (status !== 0)
    throw new AgentError(
      "reboot_failed",
      `systemctl did not take it: ${printable(stderr.trim()).slice(0, 300) || `exit status ${status}`}`,
      "systemctl list-jobs",
    );
  io.stdout("The host is going down. Nothing will prove this reboot: it is in no journal of commands.\n");
  return EXIT.ok;
}
