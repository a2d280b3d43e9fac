/**
 * Whether the helper's record outlives a reboot. On a file system in memory it does not: the id of the reboot would be
 * forgotten with the boot it ended, done again when asked again, and no limit would ever hold.
 */

import { AgentError, errorCode } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import type { Policy } from "../policy/policy.ts";

/** `f_type` of statfs(2); numbers from include/uapi/linux/magic.h, RAMFS_MAGIC among them. */
const VOLATILE: ReadonlyMap<number, string> = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
  // Its upper layer is on a tmpfs where it is the root (live systems, netboot, containers); nobody can tell from here.
  [0x794c7630, "overlayfs"],
]);

export interface StatePlace {
  readonly stateFolder: string;
  /** For sentences. */
  readonly policyPath: string;
  /** `f_type` of the file system a folder is on; throws as statfs does. */
  readonly fileSystemType: (folder: string) => number;
}

/** @throws AgentError `state_volatile`, unless the policy says `volatile_state = true` */
export function refuseVolatile(
  { stateFolder, policyPath, fileSystemType }: StatePlace,
  policy: Policy,
): void {
  if (policy.volatileState) return;
  const nextStep = `move ${shellWord(stateFolder)} to a disk, or write volatile_state = true below [commands] in ${policyPath}`;
  let kind: string | undefined;
  try {
    kind = VOLATILE.get(fileSystemType(stateFolder) >>> 0);
  } catch (error) {
    throw new AgentError(
      "state_volatile",
      `nobody can tell whether ${stateFolder} outlives a reboot (${errorCode(error)})`,
      nextStep,
      { cause: error },
    );
  }
  if (kind === undefined) return;
  throw new AgentError(
    "state_volatile",
    `${stateFolder} is on ${kind}, so a reboot would be forgotten by the boot it ends in and could be done again`,
    nextStep,
  );
}
