/** Hardware by hand, for what an identity is bound to: two servers, and the state of a registered node. */

import { type BoardFacts, readBoardFacts } from "../../../src/agent/identity/fingerprint.ts";
import { type IdentityKeeper, openIdentity } from "../../../src/agent/identity/identity.ts";
import type { Identity } from "../../../src/model/identity.ts";
import type { Store } from "../../../src/store/types.ts";
import type { Clock } from "../../../src/system/clock.ts";
import { openFiles } from "../../../src/system/files.ts";
import { START, storedCommand, testStore, warning } from "../store/store.ts";
import { layTree, type Tree, treeMachine } from "./tree.ts";

export const RAW_ID = "0123456789abcdef0123456789abcdef";

export interface Board {
  uuid?: string;
  serial?: string;
  pi?: string;
  macs?: string[];
  root?: string;
  machineId?: string | null;
  /** Not root: DMI's numbers can't be read. */
  user?: boolean;
}

/** Made by hand after sysfs-class-net, sysfs-block and proc_pid_mountinfo(5). */
export function boardTree(board: Board): Tree {
  const files: Tree["files"] = {
    "/proc/sys/kernel/random/boot_id": "7c2f1e7e-0000-4000-8000-000000000001\n",
    "/proc/sys/kernel/hostname": "ceph-01\n",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "/sys/class/net/lo/address": "00:00:00:00:00:00\n",
    "/sys/class/net/lo/addr_assign_type": "0\n",
    "/proc/self/mountinfo": "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n",
  };
  const links: Record<string, string> = {};
  if (board.machineId !== null) files["/etc/machine-id"] = `${board.machineId ?? RAW_ID}\n`;
  if (board.uuid !== undefined) files["/sys/class/dmi/id/product_uuid"] = `${board.uuid}\n`;
  if (board.serial !== undefined) files["/sys/class/dmi/id/product_serial"] = `${board.serial}\n`;
  if (board.pi !== undefined) files["/proc/device-tree/serial-number"] = `${board.pi}\0`;
  for (const [n, mac] of (board.macs ?? []).entries()) {
    files[`/sys/class/net/eth${n}/address`] = `${mac}\n`;
    files[`/sys/class/net/eth${n}/addr_assign_type`] = "0\n";
    files[`/sys/class/net/eth${n}/device/uevent`] = "";
  }
  if (board.root !== undefined) {
    files["/sys/devices/ata1/block/sda/device/wwid"] = `${board.root}\n`;
    files["/sys/devices/ata1/block/sda/sda2/partition"] = "2\n";
    links["/sys/dev/block/8:2"] = "/sys/devices/ata1/block/sda/sda2";
  }
  const hidden = ["/sys/class/dmi/id/product_uuid", "/sys/class/dmi/id/product_serial"];
  const errors = board.user ? Object.fromEntries(hidden.map((path) => [path, "EACCES"])) : {};
  return { files, links, errors };
}

export const SERVER: Board = {
  uuid: "4c4c4544-0042-3510-8051-b4c04f595831",
  serial: "BB5QYX1",
  macs: ["b8:ca:3a:00:00:01", "b8:ca:3a:00:00:02"],
  root: "naa.500a075100000001",
};
export const OTHER: Board = {
  uuid: "4c4c4544-0042-3510-8051-b4c04f595899",
  serial: "CC5QYX9",
  macs: ["b8:ca:3a:00:00:91"],
  root: "naa.500a075100000099",
};

export function keeper(store: Store, board: Board, clock?: Clock): IdentityKeeper {
  return openIdentity(store, treeMachine(boardTree(board), clock), { version: "0.1.0" });
}

/** Codes of its conditions. */
export function codes(of: IdentityKeeper): string[] {
  return of.conditions().map((condition) => condition.code);
}

export function facts(board: Board): BoardFacts {
  const { errors, ...rest } = boardTree(board);
  return readBoardFacts(openFiles(layTree(rest), errors));
}

/** The state of a registered node in the middle of its work. */
export function registered(folder: string, board: Board): Identity {
  const store = testStore(folder);
  const identity = keeper(store, board).current();
  store.values("api.nodefoundry").set("token", "nf_nt_secret");
  store.insertCommand(storedCommand("open", { state: "accepted" }));
  store.appendEvents([warning("of the first")], START);
  store.close();
  return identity;
}
