import { networkInterfaces } from "node:os";
import { type Clock, hostClock } from "./clock.ts";
import { type Files, openFiles } from "./files.ts";
import { type KernelNetwork, openKernelNetwork } from "./libc/kernel-network.ts";
import type { InterfaceAddress } from "./libc/route-messages.ts";

/** Everything collectors may ask of the machine; a fixture tree is a machine too. */
export interface Machine {
  readonly files: Files;
  readonly clock: Clock;
  /** Addresses of interfaces that have a link, or null where the kernel does not tell (no AF_NETLINK). */
  addresses(): readonly InterfaceAddress[] | null;
  /** The kernel's own words, which say more; missing or null where it can't be asked. */
  readonly kernel?: () => KernelNetwork | null;
  /** This process' effective uid; decides between "no permission" and "not there". */
  readonly uid: number;
}

/** The machine this process runs on; `root` lets tests put a fixture tree in its place. */
export function hostMachine(options: { root?: string; clock?: Clock } = {}): Machine {
  return {
    files: openFiles(options.root ?? "/"),
    clock: options.clock ?? hostClock(),
    addresses: hostAddresses,
    // Files of another machine and the kernel of this one do not belong together.
    ...(options.root === undefined || options.root === "/" ? { kernel: openKernelNetwork } : {}),
    uid: process.geteuid?.() ?? -1,
  };
}

function hostAddresses(): InterfaceAddress[] | null {
  try {
    const found: InterfaceAddress[] = [];
    for (const [name, list] of Object.entries(networkInterfaces())) {
      for (const item of list ?? []) {
        const prefix = item.cidr ? Number(item.cidr.slice(item.cidr.lastIndexOf("/") + 1)) : 0;
        found.push({
          interface: name,
          address: item.address,
          prefix,
          family: item.family === "IPv6" ? 6 : 4,
        });
      }
    }
    return found;
  } catch {
    return null; // uv_interface_addresses throws EAFNOSUPPORT where the unit hides AF_NETLINK
  }
}
