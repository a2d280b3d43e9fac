/**
 * Neighbours that a real lldpd hears: two of them, one playing the switch, in two network namespaces joined by
 * two cables. What the helper runs is a script in lldpcli's place that names the lab's own socket.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { lldpCollector } from "../../src/collectors/lldp.ts";
import { lldp } from "../../src/helper/lldp/lldp.ts";
import { openFiles } from "../../src/system/files.ts";
import { operationsPort } from "../support/helper/operations.ts";
import { fakePrograms } from "../support/machine/programs.ts";
import { collectContext, layTree, temporaryFolder, treeMachine } from "../support/machine/tree.ts";
import { collectData } from "../support/text/shape.ts";

const TREE = { files: { "/run/lldpd.socket": "", "/sys/class/net/eth0/carrier_changes": "1\n" } };

function lacking(): string | null {
  const found = (program: string): boolean =>
    spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
  if (process.getuid?.() !== 0) return "network namespaces are made by root only";
  const missing = [
    ["lldpd", "lldpd"],
    ["ip", "iproute2"],
  ].filter(([program]) => !found(program as string));
  if (missing.length > 0) return `apt-get install ${missing.map(([, name]) => name).join(" ")}`;
  const allowed = spawnSync("unshare", ["-m", "-n", "true"], { stdio: "ignore" }).status === 0;
  return allowed ? null : "no namespaces may be made here";
}

/** lldpd wants /run/lldpd for itself and a user _lldpd, which its package made. */
const SCRIPT = `
set -e
mount --make-rprivate /
mount -t tmpfs lab /run
mkdir -p /run/lldpd /run/netns
ip link set lo up
ip netns add switch
for n in 0 1; do
  ip link add eth$n type veth peer name Ethernet$n netns switch
  ip link set eth$n up
  ip netns exec switch ip link set Ethernet$n up
done
ip netns exec switch ip addr add 10.0.0.1/24 dev Ethernet0
lldpd -d -u "$1/node.socket" 2> "$1/node.log" &
ip netns exec switch lldpd -d -u "$1/switch.socket" -S "Lab switch" 2> "$1/switch.log" &
while [ ! -S "$1/node.socket" ] || [ ! -S "$1/switch.socket" ]; do sleep 0.1; done
lldpcli -u "$1/node.socket" resume
lldpcli -u "$1/switch.socket" resume
lldpcli -u "$1/switch.socket" configure system hostname leaf-1
lldpcli -u "$1/switch.socket" configure lldp portdescription "to node 7"
lldpcli -u "$1/switch.socket" configure lldp tx-interval 1
echo ready
wait
`;

async function startLab(): Promise<string> {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755); // lldpcli is set-uid _lldpd where its package installed it
  const script = join(folder, "lab.sh");
  writeFileSync(script, SCRIPT);
  // A process namespace of its own: when its first process ends, all others in it do.
  const child: ChildProcess = spawn(
    "unshare",
    ["-m", "-n", "-p", "-f", "--kill-child", "sh", script, folder],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  let said = "";
  child.stdout?.on("data", (chunk) => {
    said += String(chunk);
  });
  await expect.poll(() => said, { timeout: 30_000 }).toContain("ready");
  return folder;
}

it("are what the switch says of itself", async (context) => {
  const reason = lacking();
  if (reason !== null) return context.skip(reason);
  const folder = await startLab();
  expect(existsSync(join(folder, "node.socket"))).toBe(true);
  const programs = fakePrograms();
  programs.put("lldpcli", `exec lldpcli -u '${folder}/node.socket' "$@"`);
  const files = openFiles(layTree(TREE));
  const helper = operationsPort([lldp], { files, run: programs.run });
  const ask = () => helper.call("lldp", {}, AbortSignal.timeout(15_000));
  await expect
    .poll(ask, { timeout: 60_000, interval: 500 })
    .toMatchObject({ neighbors: [{ chassis: { name: "leaf-1" } }, { chassis: { name: "leaf-1" } }] });
  const collector = lldpCollector({ helper });
  expect(await collectData(collector, collectContext(treeMachine(TREE)))).toMatchObject({
    running: true,
    neighbors: [
      {
        interface: "eth0",
        protocol: "LLDP",
        chassis: {
          id_type: "mac",
          name: "leaf-1",
          description: "Lab switch",
          addresses: expect.arrayContaining(["10.0.0.1"]),
        },
        port: { description: "to node 7" },
      },
      { interface: "eth1" },
    ],
  });
});
