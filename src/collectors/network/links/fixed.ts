/** What does not change while an interface lives: its kind, its driver, where it sits. Read once for each ifindex. */
import type { Files } from "../../../system/files.ts";
import type { KernelNetwork } from "../../../system/libc/kernel-network.ts";
import { oneLine } from "../../linux/text.ts";
import type { NetworkInterface } from "../schema.ts";
import { kindOf } from "./kinds.ts";

export const NET = "/sys/class/net";

export interface Fixed
  extends Pick<
    NetworkInterface,
    "kind" | "made_as" | "broadcast" | "driver" | "pci_address" | "vlan_id" | "vlan_id_from"
  > {
  /** Of a virtual function: the interface of its device. */
  readonly functionOf: string | null;
  /** The other end is in another network namespace. */
  readonly elsewhere: boolean;
}

/** @param entries names of what is in the interface's folder */
export function readFixed(
  files: Files,
  kernel: KernelNetwork | null,
  name: string,
  entries: ReadonlySet<string>,
): Fixed {
  const at = `${NET}/${name}`;
  const device = entries.has("device") ? files.resolve(`${at}/device`) : null;
  const pci =
    device === null
      ? null
      : (/([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?:\/virtio\d+)?$/.exec(device)?.[1] ?? null);
  const isFunction = device !== null && files.link(`${at}/device/physfn`) !== null;
  const uevent = files.text(`${at}/uevent`) ?? "";
  const link = device === null ? (kernel?.link(files.number(`${at}/ifindex`) ?? 0) ?? null) : null;
  const made_as = link?.kind ?? oneLine(/^DEVTYPE=(.*)$/m.exec(uevent)?.[1], 32);
  const kind = kindOf({
    type: files.number(`${at}/type`),
    madeAs: made_as,
    entries,
    tunFlags: entries.has("tun_flags") ? files.number(`${at}/tun_flags`) : null,
    hasDevice: device !== null,
    isFunction,
    portName: entries.has("phys_port_name") && device !== null ? files.text(`${at}/phys_port_name`) : null,
  });
  const vlan =
    kind === "vlan"
      ? vlanId(link?.vlanId ?? null, files.text(`/proc/net/vlan/${name}`), name, lowerOf(entries)[0] ?? null)
      : { vlan_id: null, vlan_id_from: null };
  return {
    kind,
    made_as,
    broadcast: entries.has("broadcast") ? oneLine(files.text(`${at}/broadcast`), 64) : null,
    driver: device === null ? null : baseName(files.link(`${at}/device/driver`)),
    pci_address: pci,
    ...vlan,
    functionOf: isFunction ? (files.list(`${at}/device/physfn/net`)[0] ?? null) : null,
    elsewhere: link?.elsewhere ?? false,
  };
}

/**
 * The id as the kernel has it (netlink, or /proc/net/vlan, which only root may read). Else what the name claims, where
 * it has one of the forms that the kernel itself gives (net/8021q/vlan.c: vlan5, vlan0005, eth0.5, eth0.0005 with eth0
 * below): marked, because whoever makes a VLAN may call it anything.
 * @param lower what it is on
 */
export function vlanId(
  told: number | null,
  procText: string | null,
  name: string,
  lower: string | null,
): Pick<NetworkInterface, "vlan_id" | "vlan_id_from"> {
  const known = told ?? numberIn(/VID:\s*(\d{1,4})\b/.exec(procText ?? "")?.[1]);
  if (known !== null && isVlanId(known)) return { vlan_id: known, vlan_id_from: "kernel" };
  const suffix = lower !== null && name.startsWith(`${lower}.`) ? name.slice(lower.length + 1) : null;
  const claimed = numberIn(/^(?:vlan)?(\d{1,4})$/.exec(suffix ?? (name.startsWith("vlan") ? name : ""))?.[1]);
  if (claimed !== null && isVlanId(claimed)) return { vlan_id: claimed, vlan_id_from: "name" };
  return { vlan_id: null, vlan_id_from: "unknown" };
}

function isVlanId(id: number): boolean {
  return id >= 0 && id <= 4095;
}

function numberIn(digits: string | undefined): number | null {
  return digits === undefined ? null : Number(digits);
}

/** The interfaces that an interface is on, or made of. */
export function lowerOf(entries: ReadonlySet<string>): string[] {
  return [...entries].filter((entry) => entry.startsWith("lower_")).map((entry) => entry.slice(6));
}

/** The last part of a path: what a link in sysfs leads to is named by it. */
export function baseName(path: string | null): string | null {
  return path === null ? null : path.slice(path.lastIndexOf("/") + 1);
}
