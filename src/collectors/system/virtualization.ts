/**
 * Whether this is bare metal, a virtual machine or a container, named as systemd-detect-virt(1) does, from
 * what can be read without executing CPUID: "unknown" where that does not settle it.
 */
import type { Files } from "../../system/files.ts";
import { type CpuInfo, x86Flags } from "../linux/cpuinfo.ts";
import type { Virtualization } from "./schema.ts";

/** Beginnings of DMI strings and what they stand for. */
const DMI_NAMES: readonly (readonly [string, string])[] = [
  ["KVM", "kvm"],
  ["OpenStack", "kvm"],
  ["KubeVirt", "kvm"],
  ["Amazon EC2", "amazon"],
  ["QEMU", "qemu"],
  ["VMware", "vmware"],
  ["VMW", "vmware"],
  ["innotek GmbH", "oracle"],
  ["VirtualBox", "oracle"],
  ["Xen", "xen"],
  ["Bochs", "bochs"],
  ["Parallels", "parallels"],
  ["BHYVE", "bhyve"],
  ["Hyper-V", "microsoft"],
  ["Apple Virtualization", "apple"],
  ["Google Compute Engine", "google"],
];
/** Clouds that also rent out whole machines under the same DMI strings. */
const ALSO_BARE_METAL = new Set(["amazon", "google"]);
const INITIAL_CGROUP_NAMESPACE = "cgroup:[4026531835]"; // PROC_CGROUP_INIT_INO, 0xEFFFFFFB

export function detectVirtualization(files: Files, cpuInfo: CpuInfo): Virtualization {
  return { vm: detectVm(files, cpuInfo), container: detectContainer(files) };
}

function detectVm(files: Files, cpuInfo: CpuInfo): string | null {
  const xen = detectXen(files);
  if (xen !== undefined) return xen;
  const dmi = dmiName(files);
  const flags = x86Flags(cpuInfo);
  if (flags !== null) {
    if (!flags.has("hypervisor")) return dmi === null || ALSO_BARE_METAL.has(dmi) ? null : dmi;
    const clock = clockSource(files);
    // QEMU's DMI strings are the same with and without KVM behind it.
    if (dmi === null || (dmi === "qemu" && clock === "kvm")) return clock ?? "vm-other";
    return dmi;
  }
  if (dmi !== null) return dmi;
  const hypervisor = files.text("/proc/device-tree/hypervisor/compatible");
  if (hypervisor !== null) {
    if (hypervisor.includes("linux,kvm")) return "kvm";
    if (hypervisor.includes("xen")) return "xen";
    return hypervisor.includes("vmware") ? "vmware" : "vm-other";
  }
  const model = files.text("/proc/device-tree/model") ?? files.text("/proc/device-tree/compatible");
  if (model !== null) return /dummy-virt|qemu/i.test(model) ? "qemu" : null;
  return dmiPresent(files) ? null : "unknown";
}

/** undefined: no Xen. Its first domain runs on the bare metal. */
function detectXen(files: Files): string | null | undefined {
  const type = files.text("/sys/hypervisor/type");
  if (type !== null && type !== "xen") return undefined;
  const capabilities = files.text("/proc/xen/capabilities");
  if (type === null && capabilities === null) return undefined;
  return capabilities?.includes("control_d") ? null : "xen";
}

function dmiPresent(files: Files): boolean {
  return files.text("/sys/class/dmi/id/sys_vendor") !== null;
}

function dmiName(files: Files): string | null {
  for (const field of ["product_name", "sys_vendor", "board_vendor", "bios_vendor"]) {
    const value = files.text(`/sys/class/dmi/id/${field}`);
    const found = value === null ? undefined : DMI_NAMES.find(([prefix]) => value.startsWith(prefix));
    if (found) return found[1];
    if (field === "sys_vendor" && value === "Microsoft Corporation") {
      const product = files.text("/sys/class/dmi/id/product_name");
      if (product === "Virtual Machine") return "microsoft";
    }
  }
  return null;
}

/** Paravirtual clocks are there only under their own hypervisor. */
function clockSource(files: Files): string | null {
  const available = files.text("/sys/devices/system/clocksource/clocksource0/available_clocksource") ?? "";
  if (available.includes("kvm-clock")) return "kvm";
  if (available.includes("hyperv_clocksource")) return "microsoft";
  if (/\bxen\b/.test(available)) return "xen";
  return null;
}

function detectContainer(files: Files): string | null {
  if (files.presence("/proc/vz") === "yes" && files.presence("/proc/bc") === "no") return "openvz";
  if (/microsoft|wsl/i.test(files.text("/proc/sys/kernel/osrelease") ?? "")) return "wsl";
  const told = files.text("/run/host/container-manager") ?? files.text("/run/systemd/container");
  if (told !== null && told !== "oci") return word(told);
  const environment = /(?:^|\0)container=([^\0]*)/.exec(files.text("/proc/1/environ") ?? "")?.[1];
  if (environment && environment !== "oci") return word(environment);
  if (files.presence("/run/.containerenv") === "yes") return "podman";
  if (files.presence("/.dockerenv") === "yes") return "docker";
  if (told !== null || environment) return "container-other";
  const cgroup = files.text("/proc/1/cgroup") ?? "";
  if (/docker/.test(cgroup)) return "docker";
  if (/libpod/.test(cgroup)) return "podman";
  if (/\/lxc(?:\/|\.payload)/.test(cgroup)) return "lxc";
  if (/kubepods/.test(cgroup)) return "container-other";
  const namespace = files.link("/proc/self/ns/cgroup");
  if (namespace !== null) return namespace === INITIAL_CGROUP_NAMESPACE ? null : "container-other";
  return /^(?:systemd|init)$/.test(files.text("/proc/1/comm") ?? "") ? null : "unknown";
}

function word(text: string): string {
  return (
    text
      .replace(/[^A-Za-z0-9_.-]+/g, " ")
      .trim()
      .slice(0, 32) || "container-other"
  );
}
