/**
 * What reaches into the machine at an exact moment (an agent killed, a helper frozen) runs inside of it: a way over ssh
 * takes longer than what it is to hit.
 */
import { until } from "./until.ts";
import type { Vm } from "./vm.ts";

const GROUPS = "/sys/fs/cgroup/system.slice";

/** Of a line of shell in the machine: end what a unit runs, or let it stand still. Needs no process to be started. */
export const killAgent = `echo 1 > ${GROUPS}/foundry-agent.service/cgroup.kill`;
export const freezeHelper = `echo 1 > ${GROUPS}/foundry-agent-helper.service/cgroup.freeze`;

/** Stopped before the agent is: kills it, and waits for longer than systemd would with starting it again. */
export const KILLER = `[Unit]
After=foundry-agent.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'systemctl is-system-running > /root/killed; ${killAgent}; echo killed >> /root/killed; sleep 8; systemctl is-active foundry-agent >> /root/killed; sync'
`;

/** The next line of the agent's log with `text` in it has a line of shell run. Ready when it resolves. */
export async function setTrap(vm: Vm, text: string, doing: string): Promise<void> {
  await vm.put("/root/trap", trapScript(text, doing), "755");
  // The one before still follows a log in which nothing more is looked for.
  await vm.run("systemctl -q stop trap");
  await vm.ok("rm -f /root/trap.ready /root/trap.snapped");
  await vm.ok("systemd-run -q --unit=trap --collect /root/trap");
  await until("the trap to be set", 60, () => exists(vm, "/root/trap.ready"));
}

/** Resolves when the trap has snapped and what it does is done. */
export async function trapSnapped(vm: Vm): Promise<void> {
  await until("the trap to snap", 90, () => exists(vm, "/root/trap.snapped"));
}

async function exists(vm: Vm, path: string): Promise<true | null> {
  return (await vm.run(`test -e ${path}`)).status === 0 ? true : null;
}

/** The line that is there already says that following has begun; what is looked for comes after it. */
function trapScript(text: string, doing: string): string {
  return `#!/bin/sh
journalctl -q -f -n 1 -o cat -u foundry-agent | {
  read -r first
  touch /root/trap.ready
  while read -r line; do
    case "$line" in
      *'${text}'*)
        ${doing}
        printf '%s\\n' "$line" > /root/trap.snapped
        sync /root/trap.snapped
        exit 0 ;;
    esac
  done
}
`;
}
