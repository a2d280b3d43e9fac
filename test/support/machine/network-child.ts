/**
 * Child process of namespaces.test.ts, inside a network namespace of its own: for each set-up of the JSON on its
 * standard input the section `network` and the kernel's answers, as JSON. One process for all: starting it takes
 * longer than all it does.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { networkCollector } from "../../../src/collectors/network/network.ts";
import { hostMachine } from "../../../src/system/machine.ts";

const BEFORE = `
ip link set lo up
for i in 0 1; do
  ip link add eth$i address 02:00:00:00:00:0$i type veth peer name zp$i address 02:00:00:00:01:0$i
  for l in eth$i zp$i; do echo 0 > /proc/sys/net/ipv6/conf/$l/accept_dad; ip link set $l up; done
done`;

const AFTER = `
for l in $(ls /sys/class/net); do ip link del $l; done
ip addr flush dev lo; ip link set lo down
for f in -4 -6; do
  ip $f rule flush; ip $f rule add pref 32766 table main
  ip $f route flush table all; ip $f route flush type unreachable; ip $f route flush type blackhole
done`;

function sh(script: string, mayFail = false): string {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8", timeout: 30_000 });
  if (status !== 0 && !mayFail) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

async function collect(deaf: boolean): Promise<unknown> {
  const { kernel, ...rest } = hostMachine();
  let kept: unknown = null;
  return await networkCollector().collect({
    machine: deaf || kernel === undefined ? rest : { ...rest, kernel },
    options: {},
    signal: AbortSignal.timeout(30_000),
    memory: {
      get: () => kept,
      set: (value) => {
        kept = value;
      },
    },
  });
}

function answer(line: string): { dev: string; src: string } | null {
  const found = / dev (\S+) .*?src (\S+)/.exec(line);
  return found === null ? null : { dev: found[1] ?? "", src: found[2] ?? "" };
}

const setups = JSON.parse(readFileSync(0, "utf8")) as { setup: string; deaf: boolean }[];
const seen: unknown[] = [];
for (const { setup, deaf } of setups) {
  sh(`set -e\n${BEFORE}\n${setup}`);
  const data = await collect(deaf);
  const four = answer(sh("ip route get 1.1.1.1", true));
  const six = answer(sh("ip -6 route get 2001:4860:4860::8888", true));
  seen.push({ data, oracle: { 4: four, 6: six } });
  sh(AFTER, true);
}
process.stdout.write(JSON.stringify(seen));
