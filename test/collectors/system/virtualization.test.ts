import { expect, test } from "vitest";
import { parseCpuInfo } from "../../../src/collectors/linux/cpuinfo.ts";
import { detectVirtualization } from "../../../src/collectors/system/virtualization.ts";
import { openFiles } from "../../../src/system/files.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

const BARE = "processor\t: 0\nflags\t\t: fpu lm vmx\n";
const GUEST = "processor\t: 0\nflags\t\t: fpu lm hypervisor\n";
const ARM = "processor\t: 0\nFeatures\t: fp asimd\n";
const CLOCK = "/sys/devices/system/clocksource/clocksource0/available_clocksource";
const DMI = "/sys/class/dmi/id";

function detect(tree: Partial<Tree>): ReturnType<typeof detectVirtualization> {
  const files = openFiles(layTree({ files: {}, ...tree }), tree.errors ?? {});
  return detectVirtualization(files, parseCpuInfo(files.text("/proc/cpuinfo") ?? ""));
}

test.each<[string, Record<string, string>, string | null]>([
  ["bare metal", { "/proc/cpuinfo": BARE, [`${DMI}/sys_vendor`]: "Dell Inc.\n" }, null],
  [
    "KVM that shows QEMU's strings",
    { "/proc/cpuinfo": GUEST, [`${DMI}/sys_vendor`]: "QEMU\n", [CLOCK]: "kvm-clock tsc \n" },
    "kvm",
  ],
  [
    "QEMU without KVM",
    { "/proc/cpuinfo": GUEST, [`${DMI}/sys_vendor`]: "QEMU\n", [CLOCK]: "tsc hpet \n" },
    "qemu",
  ],
  ["a microVM without DMI", { "/proc/cpuinfo": GUEST, [CLOCK]: "tsc kvm-clock \n" }, "kvm"],
  ["a hypervisor nobody names", { "/proc/cpuinfo": GUEST }, "vm-other"],
  ["VMware", { "/proc/cpuinfo": GUEST, [`${DMI}/product_name`]: "VMware Virtual Platform\n" }, "vmware"],
  ["VirtualBox", { "/proc/cpuinfo": GUEST, [`${DMI}/sys_vendor`]: "innotek GmbH\n" }, "oracle"],
  [
    "Hyper-V",
    {
      "/proc/cpuinfo": GUEST,
      [`${DMI}/sys_vendor`]: "Microsoft Corporation\n",
      [`${DMI}/product_name`]: "Virtual Machine\n",
    },
    "microsoft",
  ],
  [
    "a Surface",
    {
      "/proc/cpuinfo": BARE,
      [`${DMI}/sys_vendor`]: "Microsoft Corporation\n",
      [`${DMI}/product_name`]: "Surface Pro\n",
    },
    null,
  ],
  ["an EC2 guest", { "/proc/cpuinfo": GUEST, [`${DMI}/sys_vendor`]: "Amazon EC2\n" }, "amazon"],
  ["an EC2 metal instance", { "/proc/cpuinfo": BARE, [`${DMI}/sys_vendor`]: "Amazon EC2\n" }, null],
  ["a guest that hides the flag", { "/proc/cpuinfo": BARE, [`${DMI}/sys_vendor`]: "QEMU\n" }, "qemu"],
  ["a Xen guest", { "/proc/cpuinfo": GUEST, "/sys/hypervisor/type": "xen\n" }, "xen"],
  [
    "Xen's first domain",
    { "/proc/cpuinfo": BARE, "/sys/hypervisor/type": "xen\n", "/proc/xen/capabilities": "control_d\n" },
    null,
  ],
  ["a Raspberry Pi", { "/proc/cpuinfo": ARM, "/proc/device-tree/model": "Raspberry Pi 4 Model B\0" }, null],
  [
    "QEMU's virt board",
    { "/proc/cpuinfo": ARM, "/proc/device-tree/compatible": "linux,dummy-virt\0" },
    "qemu",
  ],
  ["KVM on ARM", { "/proc/cpuinfo": ARM, "/proc/device-tree/hypervisor/compatible": "linux,kvm\0" }, "kvm"],
  ["an ARM server", { "/proc/cpuinfo": ARM, [`${DMI}/sys_vendor`]: "Ampere(R)\n" }, null],
  ["ARM that tells nothing", { "/proc/cpuinfo": ARM }, "unknown"],
  ["nothing to read at all", {}, "unknown"],
])("%s", (_, files, vm) => {
  expect(detect({ files }).vm).toBe(vm);
});

test.each<[string, Partial<Tree>, string | null]>([
  ["systemd-nspawn", { files: { "/run/systemd/container": "systemd-nspawn\n" } }, "systemd-nspawn"],
  ["LXC by its environment", { files: { "/proc/1/environ": "TERM=linux\0container=lxc\0" } }, "lxc"],
  ["Docker", { files: { "/.dockerenv": "" } }, "docker"],
  ["Podman", { files: { "/run/.containerenv": "", "/.dockerenv": "" } }, "podman"],
  ["an OCI container of another kind", { files: { "/run/systemd/container": "oci\n" } }, "container-other"],
  ["cgroup v1 of Docker", { files: { "/proc/1/cgroup": "9:cpu:/docker/3f9c\n" } }, "docker"],
  [
    "cgroup v1 of Kubernetes",
    { files: { "/proc/1/cgroup": "9:cpu:/kubepods/burstable/pod1\n" } },
    "container-other",
  ],
  [
    "a control group namespace of its own",
    { links: { "/proc/self/ns/cgroup": "cgroup:[4026532511]" } },
    "container-other",
  ],
  ["the first control group namespace", { links: { "/proc/self/ns/cgroup": "cgroup:[4026531835]" } }, null],
  ["WSL", { files: { "/proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n" } }, "wsl"],
  ["systemd as process 1 and no namespaces shown", { files: { "/proc/1/comm": "systemd\n" } }, null],
  [
    "an unknown process 1",
    { files: { "/proc/1/comm": "sh\n" }, errors: { "/proc/1/environ": "EACCES" } },
    "unknown",
  ],
  ["garbage instead of a name", { files: { "/run/systemd/container": "\u0001\u0002\n" } }, "container-other"],
])("container: %s", (_, tree, container) => {
  expect(detect(tree).container).toBe(container);
});
