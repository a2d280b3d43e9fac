/** What does not change while an interface lives: its kind, its driver, where it sits. Read once for each ifindex. */
import type { Files } from "../../system/files.ts";
import type { NetworkInterface } from "./schema.ts";

export const NET = "/sys/class/net";

export type Fixed = Pick<NetworkInterface, "kind" | "driver" | "pci_address" | "vlan_id">;

/** @param entries names of what is in the interface's folder */
export function readFixed(files: Files, name: string, entries: ReadonlySet<string>): Fixed {
  const at = `${NET}/${name}`;
  const device = entries.has("device") ? files.resolve(`${at}/device`) : null;
  const pci =
    device === null
      ? null
      : (/([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?:\/virtio\d+)?$/.exec(device)?.[1] ?? null);
  const kind = kindOf(files, at, entries, device !== null);
  const vid =
    kind === "vlan"
      ? (/VID:\s*(\d+)/.exec(files.text(`/proc/net/vlan/${name}`) ?? "") ?? /\.(\d{1,4})$/.exec(name))
      : null;
  return {
    kind,
    driver: device === null ? null : baseName(files.link(`${at}/device/driver`)),
    pci_address: pci,
    vlan_id: vid ? Number(vid[1]) : null,
  };
}

/** ARPHRD_LOOPBACK is 772 (include/uapi/linux/if_arp.h). */
function kindOf(
  files: Files,
  at: string,
  entries: ReadonlySet<string>,
  hasDevice: boolean,
): NetworkInterface["kind"] {
  if (files.number(`${at}/type`) === 772) return "loopback";
  if (entries.has("bonding")) return "bond";
  if (entries.has("bridge")) return "bridge";
  if (entries.has("phy80211") || entries.has("wireless")) return "wireless";
  if (/^DEVTYPE=vlan$/m.test(files.text(`${at}/uevent`) ?? "")) return "vlan";
  return hasDevice ? "physical" : "virtual";
}

/** The last part of a path: what a link in sysfs leads to is named by it. */
export function baseName(path: string | null): string | null {
  return path === null ? null : path.slice(path.lastIndexOf("/") + 1);
}
