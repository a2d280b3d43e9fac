/** What the processor is: model, vendor, sockets, cores, threads. Read once, and again when CPUs go on- or offline. */
import type { Files } from "../../system/files.ts";
import { type CpuInfo, parseCpuInfo, x86Flags } from "../linux/cpuinfo.ts";
import { oneLine, readWhole } from "../linux/text.ts";
import { armCore } from "./arm-parts.ts";

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
  // LoongArch and MIPS spell it their own way.
  const named = first?.get("model name") ?? first?.get("Model Name") ?? first?.get("cpu model");
  const implementer = first?.get("CPU implementer")?.toLowerCase();
  // 32-bit ARM kernels fill in "model name" too ("ARMv7 Processor rev 3 (v7l)"), which names no model.
  if (implementer === undefined || (named !== undefined && !/^ARMv|^AArch64/i.test(named)))
    return {
      model: oneLine(named ?? info.board.get("cpu") ?? first?.get("cpu") ?? first?.get("uarch")),
      vendor: id === undefined ? null : oneLine(VENDORS[id] ?? id),
    };
  const cores = info.processors.map(({ fields }) =>
    armCore(fields.get("CPU implementer")?.toLowerCase() ?? "", fields.get("CPU part")?.toLowerCase() ?? ""),
  );
  const models = new Set(cores.map(({ model }) => model));
  return {
    model: oneLine([...models].slice(0, 4).join(" + ")),
    vendor: oneLine(cores[0]?.vendor),
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

/**
 * From sysfs, two small files a CPU. A core is told by the threads that share it: its number is one of its cluster, and
 * several clusters (big.LITTLE) have the same ones.
 */
function readTopology(files: Files, info: CpuInfo): Topology {
  const online = parseCpuList(files.text(`${CPU}/online`) ?? "");
  const cpus = online.length > 0 ? online : info.processors.map(({ processor }) => processor);
  const isOneSocket = hasOneSocket(files, info);
  const places: [string, string, number][] = [];
  for (const cpu of cpus) {
    const at = `${CPU}/cpu${cpu}/topology`;
    const socket = files.text(`${at}/physical_package_id`);
    const core = files.text(`${at}/thread_siblings_list`) ?? files.text(`${at}/core_id`);
    // Numbered apart where nobody shares a list over sockets: a core's number alone is not unique.
    if (socket !== null && core !== null) places.push([isOneSocket ? "0" : socket, `${socket}/${core}`, cpu]);
  }
  if (places.length === cpus.length && cpus.length > 0) return count(places);
  return { sockets: null, cores: null, threads: cpus.length || null, packages: [] };
}

/**
 * A device tree that does not number sockets has one: what kernels before 5.19 call a package there is a cluster. ARM
 * servers, which have ACPI's table of processors, number their own; a package they do not number is -1, taken for one.
 */
function hasOneSocket(files: Files, info: CpuInfo): boolean {
  if (info.processors[0]?.fields.get("CPU implementer") === undefined) return false;
  if (files.presence("/sys/firmware/acpi/tables/PPTT") === "yes") return false;
  if (
    files.presence("/proc/device-tree/cpus") !== "yes" &&
    files.presence("/proc/device-tree/model") !== "yes"
  )
    return new Set(info.processors.map(({ fields }) => fields.get("CPU part"))).size > 1;
  return !files.list("/proc/device-tree/cpus/cpu-map").some((name) => /^socket\d+$/.test(name));
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
