/**
 * A network namespace of a test's own, which ends with its process: a real kernel's answers to odd set-ups, without
 * touching this machine's network. It needs a kernel that gives namespaces to this user, /dev/net/tun, and `ip`.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Network } from "../../../src/collectors/network/schema.ts";

const CHILD = fileURLToPath(new URL("./network-child.ts", import.meta.url));
const ALONE = ["-rnm", "sh", "-c"];

/** Why there are none here, or null. */
export function noNamespaces(): string | null {
  // Their tun and tap need /dev/net/tun, which not every machine gives to everybody.
  const script =
    "mount -t sysfs none /sys && ip link add na type veth peer name nb && ip tuntap add nt mode tun";
  const { status, stderr, error } = spawnSync("unshare", [...ALONE, script], { encoding: "utf8" });
  return status === 0 ? null : `no network namespaces here: ${error?.message ?? stderr.trim()}`;
}

export interface Seen {
  readonly data: Network;
  /** What `ip route get` says of an address of the Internet; null: no way there. */
  readonly oracle: Readonly<Record<4 | 6, { readonly dev: string; readonly src: string } | null>>;
}

export interface Setup {
  /** Lines of sh; `eth0` and `eth1` are there and up, with the other ends `zp0` and `zp1`. */
  readonly setup: string;
  /** The collector can't ask the kernel over netlink. */
  readonly deaf: boolean;
}

/** The section as collected of each set-up, and beside it the kernel's answer. */
export async function collectInNamespace(setups: readonly Setup[]): Promise<Seen[]> {
  const script = `mount -t sysfs none /sys && exec '${process.execPath}' --disable-warning=ExperimentalWarning '${CHILD}'`;
  const child = spawn("unshare", [...ALONE, script], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(JSON.stringify(setups));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (stderr !== "" || stdout === "") throw new Error(`in the namespace: ${stderr}`);
  return JSON.parse(stdout) as Seen[];
}
