/** The socket systemd hands over (sd_listen_fds(3)): LISTEN_FDS of them from descriptor 3 on, if LISTEN_PID is us. */
import { AgentError } from "../../model/errors.ts";

const FIRST_FD = 3;

/**
 * The descriptor of the one listening socket, or null when this process was given none.
 * @throws AgentError `socket_activation` when there are several: which one is meant can't be known
 */
export function activatedSocket(env: NodeJS.ProcessEnv, pid: number): number | null {
  if (env.LISTEN_PID !== String(pid) || env.LISTEN_FDS === undefined) return null;
  if (env.LISTEN_FDS === "1") return FIRST_FD;
  throw new AgentError(
    "socket_activation",
    `systemd handed over ${env.LISTEN_FDS} sockets, expected one`,
    "systemctl cat foundry-agent-helper.socket",
  );
}
