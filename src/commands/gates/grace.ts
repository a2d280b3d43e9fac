/** Grace and splay: a disruptive command from the network begins no earlier, so that one wrong click can be taken back. */
import { hash } from "node:crypto";
import type { CommandSettings, HostPort } from "../executor/ports.ts";
import type { Asked, Progress } from "../record.ts";

/** The uptime of this boot before which it does not begin. */
export function notBefore(
  { nodeId, id }: Pick<Asked, "nodeId" | "id">,
  host: Pick<HostPort, "bootId" | "uptimeMs">,
  { graceS, splayS }: CommandSettings,
): NonNullable<Progress["notBefore"]> {
  const seconds = graceS + splaySeconds(nodeId, id, splayS);
  return { bootId: host.bootId, uptimeMs: host.uptimeMs() + seconds * 1_000 };
}

/** The same for the same command on the same node, spread evenly from 0 to `splayS`. */
export function splaySeconds(nodeId: string, commandId: string, splayS: number): number {
  if (splayS <= 0) return 0;
  return Number.parseInt(hash("sha256", `${nodeId} ${commandId}`, "hex").slice(0, 12), 16) % (splayS + 1);
}
