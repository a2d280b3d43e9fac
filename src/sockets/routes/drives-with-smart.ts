/**
 * The drives of this node for people and programs: each drive of the section `drives` with what the section
 * `smart` knows of it. Kept apart in the report because they are collected apart (sysfs every few seconds,
 * smartctl rarely and only as root); whoever looks at one drive wants both. Pure.
 *
 * Which belongs to which is told from the data as collected; what is shown may be redacted, item by item.
 */
import { areTwo, type Told } from "../../collectors/drives/scan/same-drive.ts";
import { deviceLabel } from "../../collectors/smart/rounds/identity.ts";
import type { DriveWire } from "../wire/drive-schemas.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Data of the two sections; null where there is none. */
export interface DriveSections {
  readonly drives: unknown;
  readonly smart: unknown;
}

/** Every drive with `smart`, its entry there or null; then those that only smartctl knows (members of a RAID). */
export function joinedDrives(whole: DriveSections, shown: DriveSections): Fields[] {
  const drives = recordsOf(whole.drives, "drives");
  const entries = recordsOf(whole.smart, "drives");
  const shownDrives = recordsOf(shown.drives, "drives");
  const shownEntries = recordsOf(shown.smart, "drives");
  const ids = new Set(drives.map(({ id }) => id));
  const found = drives.map((drive) => entryOf(drive, entries, ids));
  const gone = recordsOf(whole.drives, "missing");
  return [
    ...shownDrives.map((drive, index) => ({
      ...drive,
      smart: shownEntries[entries.indexOf(found[index] as Fields)] ?? null,
    })),
    ...shownEntries.filter((_entry, index) => {
      const entry = entries[index] as Fields;
      // smartctl is asked rarely: one that was pulled out since is missing, and no drive of its own.
      return !found.includes(entry) && !gone.some((drive) => isSame(drive, entry));
    }),
  ].map((item) => ("smart" in item ? item : withoutBlockDevice(item)));
}

/** Every name by which a person may mean it, without `/dev/`; what is redacted is null and so no name. */
export function driveNames(drive: Fields): string[] {
  const smart = fieldsOf(drive.smart);
  const ways = recordsOf(smart, "paths").map((way) => deviceLabel(text(way.device), text(way.type)));
  const paths = recordsOf(drive, "paths").map((path) => text(path.name));
  return [drive.name, drive.serial, drive.id, drive.wwn, ...paths, smart.device, smart.serial, ...ways]
    .map(text)
    .filter((name) => name !== "");
}

/** The way smartctl asks it by, or null when it is not asked. */
export function smartWay(drive: Fields): { device: string; type: string } | null {
  const [way] = recordsOf(fieldsOf(drive.smart), "paths");
  return way === undefined ? null : { device: text(way.device), type: text(way.type) };
}

/**
 * The drive as the helper is to find it among all of this host: by what stays over reboots, as long as no other
 * has the same (cheap USB bridges share one serial number). null: the kernel has no device for it.
 */
export function helperName(
  drive: Fields,
  all: readonly Fields[],
): { serial: string } | { wwn: string } | { name: string } | null {
  if (recordsOf(drive, "paths").length === 0) return null;
  const alone = (field: "serial" | "wwn"): string | null => {
    const value = text(drive[field]);
    return value !== "" && all.filter((other) => other[field] === value).length === 1 ? value : null;
  };
  const serial = alone("serial");
  if (serial !== null) return { serial };
  const wwn = alone("wwn");
  // The other kinds are made up by the kernel, and the helper knows none of them.
  return wwn !== null && /^(?:0x|eui\.)/.test(wwn) ? { wwn } : { name: text(drive.name) };
}

/**
 * By id, else by serial number, else by WWN, else by the kernel's name where nothing else could tell.
 * @param ids of all drives: an entry with the id of another one is that one's, whatever else is the same
 */
function entryOf(drive: Fields, entries: readonly Fields[], ids: ReadonlySet<unknown>): Fields | undefined {
  const own = entries.find((entry) => isOwnId(drive.id) && entry.id === drive.id);
  if (own !== undefined) return own;
  // The namespaces of one NVMe controller share its health.
  const free =
    drive.type === "nvme"
      ? entries
      : entries.filter(({ id }) => id === drive.id || !isOwnId(id) || !ids.has(id));
  const best = (fits: (entry: Fields) => boolean): Fields | undefined => {
    const all = free.filter(fits);
    return all.find((entry) => isAt(drive, entry)) ?? all[0];
  };
  return (
    best((entry) => isNamed(drive.serial) && entry.serial === drive.serial && !differ(drive, entry)) ??
    best((entry) => isNamed(drive.wwn) && wwnOf(entry) === drive.wwn && !differ(drive, entry)) ??
    best((entry) => isNameless(drive) && isAt(drive, entry))
  );
}

function isSame(drive: Fields, entry: Fields): boolean {
  if (isOwnId(drive.id) && isOwnId(entry.id)) return drive.id === entry.id;
  return isNamed(drive.serial) && drive.serial === entry.serial;
}

/** Something that both tell is not the same; but the WWNs of two namespaces of one NVMe controller are not. */
function differ(drive: Fields, entry: Fields): boolean {
  if (drive.type === "nvme") return false;
  const [left, right] = [toldOf(drive), toldOf({ ...fieldsOf(entry.facts), serial: entry.serial })];
  return areTwo(left, right);
}

function toldOf({ wwn, serial, size_bytes: size }: Fields): Told {
  const named = (value: unknown): string | null => (isNamed(value) ? value : null);
  return {
    wwn: named(wwn),
    serial: named(serial),
    model: null,
    sizeBytes: typeof size === "number" ? size : null,
  };
}

function wwnOf(entry: Fields): string | null {
  const { wwn } = fieldsOf(entry.facts);
  return isNamed(wwn) ? wwn : null;
}

/** Behind a USB bridge the kernel sees the bridge's serial number, or none, and smartctl the drive's. */
function isNameless(drive: Fields): boolean {
  return drive.transport === "usb" || (!isNamed(drive.serial) && !isNamed(drive.wwn));
}

function isAt(drive: Fields, entry: Fields): boolean {
  const size = fieldsOf(entry.facts).size_bytes;
  // The letter may be another drive's by now.
  if (typeof size === "number" && typeof drive.size_bytes === "number" && size !== drive.size_bytes)
    return false;
  const labels = recordsOf(entry, "paths").map((way) => deviceLabel(text(way.device), text(way.type)));
  return labels.includes(text(drive.name));
}

/** A drive behind a RAID controller: what smartctl tells, in the fields that a drive of the kernel's has. */
function withoutBlockDevice(entry: Fields): Readonly<Record<keyof DriveWire, unknown>> {
  const facts = fieldsOf(entry.facts);
  const { rotation_rate: rate } = facts;
  const spins = typeof rate === "number" ? rate > 0 : null;
  return {
    id: entry.id ?? null,
    name: entry.device ?? null,
    model: entry.model ?? null,
    vendor: facts.vendor ?? null,
    serial: entry.serial ?? null,
    firmware: facts.firmware ?? null,
    wwn: facts.wwn ?? null,
    size_bytes: facts.size_bytes ?? null,
    type: facts.protocol === "NVMe" ? "nvme" : spins === null ? null : spins ? "hdd" : "ssd",
    transport: null,
    rotational: spins,
    logical_block_bytes: facts.logical_block_bytes ?? null,
    physical_block_bytes: null,
    removable: null,
    hotplug: false,
    write_protected: null,
    enclosure: null,
    slot: null,
    enclosure_model: null,
    state: null,
    answering: entry.state !== "hangs" && entry.state !== "quarantined",
    paths: [],
    fstype: null,
    partitions: [],
    holders: [],
    osd_ids: [],
    mounts: [],
    swap: [],
    io: null,
    temperature_c: facts.temperature_c ?? null,
    temperature_problem: null,
    mmc: null,
    smart: entry,
  };
}

/** The objects in a list of `value`; none where there is no such list. */
export function recordsOf(value: unknown, list: string): Fields[] {
  const items = fieldsOf(value)[list];
  return Array.isArray(items) ? items.filter((item) => item !== null && typeof item === "object") : [];
}

function fieldsOf(value: unknown): Fields {
  return value !== null && typeof value === "object" ? (value as Fields) : {};
}

/** Not one of a place, which another drive may have by now. */
function isOwnId(id: unknown): boolean {
  return isNamed(id) && !id.startsWith("path-");
}

function isNamed(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
