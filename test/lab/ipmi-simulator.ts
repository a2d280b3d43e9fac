/**
 * A real IPMI responder on loopback: OpenIPMI's ipmi_sim with a BMC that has one temperature sensor, read from
 * a file, and an event log. LAN only; the programs it calls for LAN and chassis keep their state in files and
 * touch nothing of this host.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { temporaryFolder } from "../support/machine/tree.ts";

const run = promisify(execFile);

export const USER = "admin";
export const PASSWORD = "labpass";

export interface Simulator {
  readonly port: number;
  /** 0600, one line. */
  readonly passwordFile: string;
  /** Real ipmitool with these words. */
  ipmitool(...command: string[]): Promise<string>;
  /** Add an entry to the event log: sensor type, sensor number, event type, three bytes of data. */
  addEntry(...bytes: number[]): Promise<void>;
  /** Degrees of its one sensor; critical from 90. */
  temperature(degrees: number): void;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Why there can be none here, or null. */
export function simulatorLacking(): string | null {
  const missing = [
    ["ipmi_sim", "openipmi"],
    ["ipmitool", "ipmitool"],
  ].filter(([program]) => spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status !== 0);
  return missing.length === 0 ? null : `apt-get install ${missing.map(([, name]) => name).join(" ")}`;
}

export async function startSimulator(): Promise<Simulator> {
  const folder = temporaryFolder();
  const port = await freePort();
  mkdirSync(join(folder, "state"));
  writeFileSync(join(folder, "degrees"), "42\n");
  writeFileSync(join(folder, "password"), `${PASSWORD}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "sim.conf"), configuration(folder, port));
  writeFileSync(join(folder, "sim.emu"), emulation(folder));
  script(folder, "lan-control", LAN_CONTROL);
  script(folder, "chassis-control", CHASSIS_CONTROL);
  const args = ["-n", "-c", "sim.conf", "-f", "sim.emu", "-s", join(folder, "state")];
  const child = spawn("ipmi_sim", args, { cwd: folder, stdio: "ignore" });
  await listening(child, port);
  const passwordFile = join(folder, "password");
  const target = ["-I", "lanplus", "-H", "127.0.0.1", "-p", String(port), "-U", USER, "-f", passwordFile];
  async function ipmitool(...command: string[]): Promise<string> {
    const { stdout } = await run("ipmitool", [...target, "-C", "3", ...command], {
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
    return stdout;
  }
  return {
    port,
    passwordFile,
    ipmitool,
    async addEntry(...bytes) {
      const record = [0, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, ...bytes];
      await ipmitool("raw", "0x0a", "0x44", ...record.map(String));
    },
    temperature: (degrees) => writeFileSync(join(folder, "degrees"), `${degrees}\n`),
    signal: (name) => child.kill(name),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`ipmi_sim ended with ${child.exitCode}`);
    if (readFileSync("/proc/net/udp", "utf8").includes(`:${hex} `)) return;
    await sleep(50);
  }
  throw new Error("ipmi_sim did not open its port");
}

function script(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\ncd '${folder}' || exit 1\n${text}`);
  chmodSync(join(folder, name), 0o755);
}

/** ipmi_lan(5): one BMC at 0x20, channel 1. */
function configuration(folder: string, port: number): string {
  return `name "lab"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
    lan_config_program "${folder}/lan-control"
  endlan
  chassis_control "${folder}/chassis-control"
  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "${USER}" "${PASSWORD}" admin 10 none md2 md5 straight
`;
}

/** ipmi_sim_cmd(5). The sensor record is a full one (type 01h): degrees C, thresholds 80, 90, 100. */
function emulation(folder: string): string {
  return `mc_setbmc 0x20
mc_add 0x20 0x20 no-device-sdrs 0x01 0x02 0x13 0x9f 0x2a7c 0x0101 persist_sdr
sel_enable 0x20 1000 0x0a
sensor_add 0x20 0 1 0x01 0x01 poll 200 file "${folder}/degrees"
sensor_set_threshold 0x20 0 1 settable 111000 0x64 0x5a 0x50 0x00 0x00 0x00
sensor_set_event_support 0x20 0 1 enable scanning per-state 000111111000000 000111111000000 000111111000000 000111111000000
main_sdr_add 0x20 0x00 0x00 0x51 0x01 0x33 0x20 0x00 0x01 0x03 0x01 0x67 0x88 0x01 0x01 0x80 0x0a 0x80 0x7a 0x38 0x38 0x00 0x01 0x00 0x00 0x01 0x00 0x00 0x00 0x00 0x00 0x00 0x28 0x50 0x0a 0xff 0x00 0x64 0x5a 0x50 0x00 0x00 0x00 0x02 0x02 0x00 0x00 0x00 0xc8 0x43 0x50 0x55 0x20 0x54 0x65 0x6d 0x70
mc_enable 0x20
`;
}

/** Called as `get ITEM…`, `set ITEM VALUE…`, `check ITEM VALUE…`. */
const LAN_CONTROL = `[ "$1" = get ] || exit 0
shift
for item in "$@"; do
  case $item in
    ip_addr) echo "ip_addr:192.0.2.10";;
    ip_addr_src) echo "ip_addr_src:static";;
    mac_addr) echo "mac_addr:52:54:00:bc:00:01";;
    subnet_mask) echo "subnet_mask:255.255.255.0";;
    default_gw_ip_addr) echo "default_gw_ip_addr:192.0.2.1";;
    default_gw_mac_addr|backup_gw_mac_addr) echo "$item:00:00:00:00:00:00";;
    backup_gw_ip_addr) echo "backup_gw_ip_addr:0.0.0.0";;
    *) exit 1;;
  esac
done
`;

const CHASSIS_CONTROL = `[ "$1" = get ] || exit 0
shift
for item in "$@"; do
  case $item in
    power) echo "power:1";;
    boot) echo "boot:none";;
    *) echo "$item:0";;
  esac
done
`;
