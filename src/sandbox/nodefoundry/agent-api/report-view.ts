/**
 * The report as an operator sees it: the last full section with the volatile values that came since put
 * back in their places, and the documented node projection read from it. Sections come from any agent
 * version, so everything is read defensively: what is not as expected is left out.
 */
import type { NodeRecord } from "../state.ts";

type Fields = Record<string, unknown>;

/** Section name → data with the volatile values in place. */
export function mergedSections(node: NodeRecord): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const [name, section] of Object.entries(node.sections)) {
    const data = structuredClone(section.data);
    for (const [path, value] of Object.entries(node.volatile[name] ?? {}))
      putAt(sectionData(data), path, value);
    merged[name] = data;
  }
  return merged;
}

/** The collector's fields, also when the section came wrapped with its state (`{state, data, …}`). */
function sectionData(section: unknown): Fields {
  if (!isFields(section)) return {};
  if (typeof section.state === "string" && "data" in section)
    return isFields(section.data) ? section.data : {};
  return section;
}

/**
 * Put a value at a flat path: `load.one`, `drives[wwn-0x5].temperature_c`. The text in brackets is the
 * identifying field of an array's item, or its position. A place that does not exist is made only under an
 * object that does.
 */
function putAt(root: Fields, path: string, value: unknown): void {
  const steps = splitPath(path);
  const last = steps.pop();
  let at: unknown = root;
  for (const step of steps) at = stepInto(at, step);
  if (last === undefined || last.item !== null || !isFields(at)) {
    if (last?.item != null && Array.isArray(at)) replaceItem(at, last.item, value);
    return;
  }
  if (last.name !== "__proto__") at[last.name] = value;
}

interface Step {
  name: string;
  item: string | null;
}

function splitPath(path: string): Step[] {
  const steps: Step[] = [];
  for (const match of path.matchAll(/\[((?:[^\]\\]|\\.)*)\]|([^.[\]]+)/g)) {
    const item = match[1];
    if (item === undefined) steps.push({ name: match[2] ?? "", item: null });
    else steps.push({ name: "", item: item.replace(/\\(.)/g, "$1") });
  }
  return steps;
}

function stepInto(at: unknown, step: Step): unknown {
  if (step.item !== null) return Array.isArray(at) ? at[itemIndex(at, step.item)] : undefined;
  return isFields(at) && Object.hasOwn(at, step.name) ? at[step.name] : undefined;
}

/** Fields that identify an item, before any other field that happens to hold the same text (a bond's member names its bond). */
const IDENTIFYING = ["id", "name", "osd_id", "serial", "device", "mountpoint", "interface"];

function itemIndex(items: readonly unknown[], key: string): number {
  const holds = (field: unknown): boolean =>
    (typeof field === "string" || typeof field === "number") && String(field) === key;
  for (const name of IDENTIFYING) {
    const found = items.findIndex((item) => holds(fields(item)[name]));
    if (found >= 0) return found;
  }
  const found = items.findIndex((item) => Object.values(fields(item)).some(holds));
  return found >= 0 ? found : /^\d+$/.test(key) ? Number(key) : -1;
}

function replaceItem(items: unknown[], key: string, value: unknown): void {
  const index = itemIndex(items, key);
  if (index >= 0 && index < items.length) items[index] = value;
}

/** What GET /v1/nodes says of the hardware. */
export interface Hardware {
  hostname: string;
  ip_address: string | null;
  ipmi_address: string | null;
  cpu_cores: number | null;
  ram_gb: number | null;
  /** type: also mmc and virtual, which the reference does not have; null when unknown. */
  drives: { device: string; size_gb: number; type: string | null; smart_ok?: boolean }[];
}

/** The documented projection from the sections as reported (or from a simulated node's own words). */
export function hardwareOf(node: NodeRecord): Hardware {
  if (node.seed) {
    const { hostname, ip_address, ipmi_address, cpu_cores, ram_gb, drives } = node.seed;
    const rest = { cpu_cores: cpu_cores ?? null, ram_gb: ram_gb ?? null, drives: [...(drives ?? [])] };
    return { hostname, ip_address: ip_address ?? null, ipmi_address: ipmi_address ?? null, ...rest };
  }
  const of = (name: string): Fields => sectionData(node.sections[name]?.data);
  const network = of("network");
  const bytes = number(of("memory").total_bytes);
  return {
    hostname: text(of("system").hostname) ?? node.hostname,
    ip_address: address(network.primary_address) ?? address(fields(network.primary).address),
    ipmi_address: address(of("bmc").address) ?? address(fields(of("bmc").lan).address),
    cpu_cores: number(of("cpu").cores) ?? number(of("cpu").threads),
    // GiB; MemTotal lacks what firmware and kernel keep for themselves.
    ram_gb: bytes === null ? null : Math.round(bytes / 2 ** 30),
    drives: list(of("drives").drives).flatMap((drive) => driveView(drive, list(of("smart").drives))),
  };
}

/** @param verdicts of the section `smart`, which names drives by the same ids */
function driveView(drive: unknown, verdicts: readonly unknown[]): Hardware["drives"] {
  const { id, name, size_bytes, type, state, missing } = fields(drive);
  const { smart_ok } = fields(verdicts.find((verdict) => fields(verdict).id === id));
  const device = text(name);
  if (device === null || state === "missing" || missing === true) return [];
  const view = { device, size_gb: Math.round((number(size_bytes) ?? 0) / 1e9), type: text(type) };
  return [typeof smart_ok === "boolean" ? { ...view, smart_ok } : view];
}

/** OSDs that the agent itself reports: `osds` of a section `ceph` or `osds`. */
export function reportedOsds(
  node: NodeRecord,
): { osdId: number; device: string; capacityGb: number; usedGb: number }[] {
  const osds = ["ceph", "osds"].flatMap((name) => list(sectionData(node.sections[name]?.data).osds));
  return osds.flatMap((osd) => {
    const { osd_id, id, device, size_bytes, used_bytes } = fields(osd);
    const osdId = number(osd_id) ?? number(id);
    if (osdId === null) return [];
    const gigabytes = (bytes: unknown): number => Math.round((number(bytes) ?? 0) / 1e9);
    return [
      { osdId, device: text(device) ?? "", capacityGb: gigabytes(size_bytes), usedGb: gigabytes(used_bytes) },
    ];
  });
}

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** An address given as text or as `{address}`. */
function address(value: unknown): string | null {
  return text(value) ?? text(fields(value).address);
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
