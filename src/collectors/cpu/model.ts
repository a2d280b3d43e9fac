/** What the processor is: model, vendor, sockets, cores, threads. Read once, and again when CPUs go on- or offline. */
import type { Files } from "../../system/files.ts";
import { type CpuInfo, parseCpuInfo, x86Flags } from "../linux/cpuinfo.ts";
import { oneLine, readWhole } from "../linux/text.ts";

const CPU = "/sys/devices/system/cpu";
/** 512 threads with 1.6 KB each. */
const MAX_CPUINFO = 1024 * 1024;
const MAX_CPUS = 4096;

export interface CpuModel {
  /** Whether /proc/cpuinfo could be read and has processors in it. */
  readonly listed: boolean;
  readonly model: string | null;
  readonly vendor: string | null;
  readonly microcode: string | null;
  readonly sockets: number | null;
  readonly cores: number | null;
  readonly threads: number | null;
  /** MHz that /proc/cpuinfo gives a virtual machine, where nothing scales it. */
  readonly virtualMhz: number | null;
  /** The first logical CPU of each package, by package id. */
  readonly packages: readonly { readonly package: string; readonly cpu: number }[];
}

const VENDORS: Readonly<Record<string, string>> = {
  GenuineIntel: "Intel",
  AuthenticAMD: "AMD",
  HygonGenuine: "Hygon",
  CentaurHauls: "Centaur",
  Shanghai: "Zhaoxin",
};

/** MIDR implementer codes, and part numbers of what is met in servers and single-board computers. */
const ARM: Readonly<Record<string, { name: string; parts: Readonly<Record<string, string>> }>> = {
  "0x41": {
    name: "ARM",
    parts: {
      "0xb76": "ARM1176",
      "0xc07": "Cortex-A7",
      "0xc08": "Cortex-A8",
      "0xc09": "Cortex-A9",
      "0xc0f": "Cortex-A15",
      "0xd03": "Cortex-A53",
      "0xd04": "Cortex-A35",
      "0xd05": "Cortex-A55",
      "0xd07": "Cortex-A57",
      "0xd08": "Cortex-A72",
      "0xd09": "Cortex-A73",
      "0xd0a": "Cortex-A75",
      "0xd0b": "Cortex-A76",
      "0xd0c": "Neoverse-N1",
      "0xd40": "Neoverse-V1",
      "0xd41": "Cortex-A78",
      "0xd49": "Neoverse-N2",
      "0xd4f": "Neoverse-V2",
      "0xd84": "Neoverse-V3",
      "0xd8e": "Neoverse-N3",
    },
  },
  "0x43": { name: "Cavium", parts: { "0x0a1": "ThunderX 88XX", "0x0af": "ThunderX2" } },
  "0x46": { name: "Fujitsu", parts: { "0x001": "A64FX" } },
  "0x48": { name: "HiSilicon", parts: { "0xd01": "Kunpeng-920" } },
  "0x51": { name: "Qualcomm", parts: { "0xc00": "Falkor" } },
  "0x61": { name: "Apple", parts: {} },
  "0xc0": { name: "Ampere", parts: { "0xac3": "Ampere-1", "0xac4": "Ampere-1a" } },
};

export function readCpuModel(files: Files): CpuModel {
  // Hidden or broken: sysfs below still counts the CPUs.
  const info = parseCpuInfo(readWhole(files, "/proc/cpuinfo", MAX_CPUINFO));
  const first = info.processors[0]?.fields;
  const topology = topologyOf(info) ?? readTopology(files, info);
  const mhz = Number(first?.get("cpu MHz"));
  return {
    listed: info.processors.length > 0,
    ...nameOf(info),
    microcode: oneLine(first?.get("microcode")),
    ...topology,
    virtualMhz: x86Flags(info)?.has("hypervisor") && mhz > 0 && mhz < 1e6 ? Math.round(mhz) : null,
  };
}

/** Model and vendor in words; ARM gives numbers only, so a table, and big.LITTLE gives two of them. */
export function nameOf(info: CpuInfo): { model: string | null; vendor: string | null } {
  const first = info.processors[0]?.fields;
  const id = first?.get("vendor_id");
  const named = first?.get("model name");
  const implementer = first?.get("CPU implementer")?.toLowerCase();
  // 32-bit ARM kernels fill in "model name" too ("ARMv7 Processor rev 3 (v7l)"), which names no model.
  if (implementer === undefined || (named !== undefined && !/^ARMv|^AArch64/i.test(named)))
    return {
      model: oneLine(named ?? info.board.get("cpu") ?? first?.get("cpu") ?? first?.get("uarch")),
      vendor: id === undefined ? null : oneLine(VENDORS[id] ?? id),
    };
  const parts = new Set<string>();
  for (const { fields } of info.processors) {
    const code = fields.get("CPU implementer")?.toLowerCase() ?? "";
    const part = fields.get("CPU part")?.toLowerCase() ?? "";
    parts.add(ARM[code]?.parts[part] ?? `part ${part}`);
  }
  return {
    model: oneLine([...parts].slice(0, 4).join(" + ")),
    vendor: oneLine(ARM[implementer]?.name ?? `implementer ${implementer}`),
  };
}

type Topology = Pick<CpuModel, "sockets" | "cores" | "threads" | "packages">;

/** From /proc/cpuinfo of x86; null when it does not say (ARM, or a VM with one CPU). */
function topologyOf(info: CpuInfo): Topology | null {
  const places: [string, string, number][] = [];
  for (const { processor, fields } of info.processors) {
    const socket = fields.get("physical id");
    const core = fields.get("core id");
    if (socket === undefined || core === undefined) return null;
    places.push([socket, core, processor]);
  }
  return places.length === 0 ? null : count(places);
}

/** From sysfs, two small files a CPU. Packages that the firmware does not number are -1: taken for one. */
function readTopology(files: Files, info: CpuInfo): Topology {
  const online = parseCpuList(files.text(`${CPU}/online`) ?? "");
  const cpus = online.length > 0 ? online : info.processors.map(({ processor }) => processor);
  const places: [string, string, number][] = [];
  for (const cpu of cpus) {
    const socket = files.text(`${CPU}/cpu${cpu}/topology/physical_package_id`);
    const core = files.text(`${CPU}/cpu${cpu}/topology/core_id`);
    if (socket !== null && core !== null) places.push([socket, core, cpu]);
  }
  if (places.length === cpus.length && cpus.length > 0) return count(places);
  return { sockets: null, cores: null, threads: cpus.length || null, packages: [] };
}

function count(places: readonly [string, string, number][]): Topology {
  const packages = new Map<string, number>();
  const cores = new Set<string>();
  for (const [socket, core, cpu] of places) {
    if (!packages.has(socket)) packages.set(socket, cpu);
    cores.add(`${socket}/${core}`);
  }
  return {
    sockets: packages.size,
    cores: cores.size,
    threads: places.length,
    packages: [...packages].map(([socket, cpu]) => ({ package: socket, cpu })),
  };
}

/** `0-3,8,10-11` (Linux cpulists) as numbers; what is no such list is left out. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const range of text.trim().split(",")) {
    const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
    if (!found) continue;
    const last = Number(found[2] ?? found[1]);
    for (let cpu = Number(found[1]); cpu <= last && cpus.length < MAX_CPUS; cpu++) cpus.push(cpu);
  }
  return cpus;
}
