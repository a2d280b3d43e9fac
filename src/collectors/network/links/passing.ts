/**
 * Ports and bridges that container runtimes and hypervisors make and unmake as their guests come and go. A node has
 * hundreds of them a day: they are counted, not listed, so that no guest is news of the host.
 */

/** Names that these programs give (and people don't), with the program. */
// biome-ignore format: a table is read by its columns
const NAMES: readonly RegExp[] = [
  /^cali[0-9a-f]{11}$|^cali\d+$/,          // Calico
  /^lxc[0-9a-f_]{6,}$|^lxc_health$/,       // Cilium
  /^veth[0-9A-Za-z]{6,}$|^veth\d+i\d+$/,   // Docker, CNI, LXC; Proxmox
  /^docker\d+$|^docker_gwbridge$|^br-[0-9a-f]{12}$|^dm-[0-9a-f]{12}$/, // Docker
  /^cni\d+$|^cni-[\w.-]+$|^cbr\d+$|^podman\d+$|^kube-bridge$/, // CNI, podman
  /^flannel[.\w-]+$|^kube-ipvs0$|^nodelocaldns$|^cilium_\w+$|^tunl0$|^vxlan\.calico$|^antrea-\w+$|^weave$/,
  /^(?:eni|azv|gke)[0-9a-f]{8,}$/,         // cloud CNIs
  /^vnet\d+$|^virbr\d+(?:-nic)?$|^macvtap\d+$/, // libvirt
  /^tap\d+i\d+$|^fw(?:br|pr|ln)\d+[a-z]\d+$/, // Proxmox
  /^(?:tap|qvo|qvb|qbr|qr-|qg-)[0-9a-f-]{8,11}$/, // OpenStack
  /^vif\d+\.\d+(?:-emu)?$/,                // Xen
  /^lxdbr\d+$|^lxcbr\d+$|^incusbr\d+$|^tap[0-9a-f]{8}$|^mac[0-9a-f]{8}$/, // LXD, Incus
  /^v[eb]-[\w.-]+$/,                       // systemd-nspawn
];

/** Whether its name is one of those, and there is no device behind it. Pure. */
export function hasPassingName(name: string): boolean {
  return NAMES.some((form) => form.test(name));
}

/**
 * Of others what tells is where the other end is: in a guest. One with an address of its own is this host's.
 * @param hasAddress one that others can reach
 */
export function isPassing(kind: string, elsewhere: boolean, hasAddress: boolean): boolean {
  return kind === "veth" && elsewhere && !hasAddress;
}
