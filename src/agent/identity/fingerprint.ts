/**
 * What of the hardware stays the same for a board's life, each fact hashed on its own, and whether two such
 * lists can be of one node. That a fact can't be read now (DMI is for root only) is kept apart from its
 * having changed.
 */

import { errorCode } from "../../model/errors.ts";
import { cleanDmi, cleanUuid } from "../../model/text/dmi-text.ts";
import type { Files } from "../../system/files.ts";
import { smallHmac } from "../../system/small-hash.ts";
import { rootDriveSerials } from "./root-drive.ts";

export type FactKind = "dmi" | "pi" | "mac" | "root";

export interface BoardFacts {
  /** `dmi:…`, `pi:…`, `mac:…`, `root:…`, sorted. */
  readonly fingerprint: readonly string[];
  /** Kinds that may be there but can't be read by this user. */
  readonly unreadable: readonly FactKind[];
  readonly serial: string | null;
  /** Permanent addresses of physical interfaces, sorted. */
  readonly macs: readonly string[];
}

/** Kept beside what is there now; more than the parts a node has in its life. */
const MAX_PARTS = 48;
/** QEMU gives this one to every machine that is not told another. */
const COMMON_MACS = new Set(["52:54:00:12:34:56"]);
const DMI = "/sys/class/dmi/id";
const KEY = "foundry-agent/fingerprint/v1";

export function readBoardFacts(files: Files): BoardFacts {
  const unreadable: FactKind[] = [];
  const parts: string[] = [];

  const uuid = readDmi(files, "product_uuid", cleanUuid);
  const productSerial = readDmi(files, "product_serial", cleanDmi);
  if (uuid.value !== null) parts.push(part("dmi", `uuid:${uuid.value}`));
  if (productSerial.value !== null) parts.push(part("dmi", `serial:${productSerial.value}`));
  if (uuid.denied || productSerial.denied) unreadable.push("dmi");

  const pi = piSerial(files);
  if (pi !== null) parts.push(part("pi", pi));

  const macs = permanentMacs(files);
  if (macs === null) unreadable.push("mac");
  for (const mac of macs ?? []) if (!COMMON_MACS.has(mac)) parts.push(part("mac", mac));

  const drives = rootDriveSerials(files);
  if (drives === null) unreadable.push("root");
  for (const drive of drives ?? []) parts.push(part("root", drive));

  return {
    fingerprint: parts.sort(),
    unreadable,
    serial: productSerial.value ?? pi,
    macs: macs ?? [],
  };
}

/**
 * same: something of it is left, or there is nothing to compare. cloned: nothing is left. unknown: what
 * could be compared differs, but more of it can't be read now, and one exchanged part must not cost a node
 * its identity.
 */
export function compareFingerprints(
  stored: readonly string[],
  now: Pick<BoardFacts, "fingerprint" | "unreadable">,
): "same" | "cloned" | "unknown" {
  if (stored.length === 0 || now.fingerprint.length === 0) return "same";
  if (stored.some((known) => now.fingerprint.includes(known))) return "same";
  const hidden = now.unreadable.filter((kind) => kindsOf(stored).has(kind));
  if (hidden.length === 0) return "cloned";
  const kindsNow = kindsOf(now.fingerprint);
  const different = [...kindsOf(stored)].filter((kind) => kindsNow.has(kind));
  return different.length >= 2 ? "cloned" : "unknown";
}

/**
 * The union of both, what is there now first. Nothing is dropped for not being seen: a USB network adapter
 * comes back, DMI is readable again as root, and had it been forgotten, the next exchanged part would look
 * like other hardware and cost the token. The price is small: a part moved to another node hides a copied
 * card only when both happen to the same two nodes, and the control API sees two live instances then.
 */
export function mergeFingerprints(stored: readonly string[], now: readonly string[]): string[] {
  return [...new Set([...now, ...stored])].slice(0, MAX_PARTS);
}

function kindsOf(parts: readonly string[]): Set<string> {
  return new Set(parts.map((known) => known.slice(0, known.indexOf(":"))));
}

/** Hashed, because serial numbers are nobody's business; not salted, so that both sides can compare over a new identity. */
function part(kind: FactKind, fact: string): string {
  return `${kind}:${smallHmac(KEY, `${kind}\0${fact}`).slice(0, 32)}`;
}

function readDmi(
  files: Files,
  name: string,
  clean: (raw: string | null) => string | null,
): { value: string | null; denied: boolean } {
  try {
    return { value: clean(files.read(`${DMI}/${name}`, 4096)), denied: false };
  } catch (error) {
    const code = errorCode(error);
    return { value: null, denied: code === "EACCES" || code === "EPERM" };
  }
}

function piSerial(files: Files): string | null {
  const fromCpuInfo = /^Serial\s*:\s*([0-9a-f]+)\s*$/im.exec(files.text("/proc/cpuinfo") ?? "")?.[1];
  const serial = files.text("/proc/device-tree/serial-number") ?? fromCpuInfo ?? null;
  return cleanDmi(serial)?.toLowerCase() ?? null;
}

/** addr_assign_type 0 is "permanent" (NET_ADDR_PERM of linux/netdevice.h); a bond's members show the bond's address, and their own beside it. */
function permanentMacs(files: Files): string[] | null {
  const base = "/sys/class/net";
  const names = files.list(base);
  if (names.length === 0) return files.presence(base) === "no" ? [] : null; // there is always `lo`
  const macs = new Set<string>();
  for (const name of names) {
    if (files.presence(`${base}/${name}/device`) !== "yes") continue;
    const own =
      files.text(`${base}/${name}/bonding_slave/perm_hwaddr`) ??
      (files.number(`${base}/${name}/addr_assign_type`) === 0 ? files.text(`${base}/${name}/address`) : null);
    const mac = own?.toLowerCase() ?? "";
    if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) && !/^(00:|ff:)+(00|ff)$/.test(mac)) macs.add(mac);
  }
  return [...macs].sort();
}
