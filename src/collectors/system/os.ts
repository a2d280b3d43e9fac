/** Names and software of the machine: host name, os-release(5), time zone, and whether its clock is synchronised. */
import { machine as machineHardwareName } from "node:os";
import type { Files } from "../../system/files.ts";
import { oneLine } from "../linux/text.ts";
import type { OsRelease } from "./schema.ts";

/** RFC 1035: the longest a host name can be written. */
const MAX_HOSTNAME = 253;
const MAX_VALUE = 256;

export interface HostName {
  readonly hostname: string | null;
  readonly hostname_cut: boolean;
  readonly fqdn: string | null;
  readonly domainname: string | null;
}

/** @param addresses of this machine; asked only where the hosts file might have its name */
export function readHostName(files: Files, addresses?: () => ReadonlySet<string>): HostName {
  const raw = oneLine(files.text("/proc/sys/kernel/hostname"), 1024);
  const domain = oneLine(files.text("/proc/sys/kernel/domainname"), MAX_HOSTNAME);
  const domainname = domain === "(none)" ? null : domain;
  if (raw === null || raw === "(none)")
    return { hostname: null, hostname_cut: false, fqdn: null, domainname };
  const hostname = raw.slice(0, MAX_HOSTNAME);
  const fqdn = fqdnOf(raw, domainname, files.text("/etc/hosts") ?? "", addresses);
  return { hostname, hostname_cut: raw.length > MAX_HOSTNAME, fqdn, domainname };
}

/**
 * The name with its domain, from the name itself, the hosts file, or the kernel's domain name; null when none has it.
 * A line of the hosts file is this machine's where it has one of its addresses, or its short name as a name of its own,
 * as `hostname -f` finds it: another host may well be called node1 in another domain.
 */
export function fqdnOf(
  hostname: string,
  domainname: string | null,
  hosts: string,
  addresses: () => ReadonlySet<string> = () => new Set(),
): string | null {
  if (hostname.length > MAX_HOSTNAME) return null;
  if (/[^.]\.[^.]/.test(hostname)) return hostname;
  const short = hostname.toLowerCase();
  const own = new Set<string>();
  let mine: ReadonlySet<string> | null = null;
  for (const line of hosts.split("\n", 10_000)) {
    const [address = "", ...names] = (line.split("#", 1)[0] as string).trim().toLowerCase().split(/\s+/);
    const found = names.find((name) => name.startsWith(`${short}.`) && isDomainName(name));
    const named = names.includes(short);
    const [canonical = ""] = names;
    const full =
      found ?? (named && canonical.includes(".") && isDomainName(canonical) ? canonical : undefined);
    if (full === undefined) continue;
    mine ??= addresses();
    if (isLoopback(address) || mine.has(address)) return full;
    if (named) own.add(full);
  }
  const [byName] = own;
  if (byName !== undefined) return byName;
  const full = `${hostname}.${domainname}`;
  return domainname !== null && full.length <= MAX_HOSTNAME ? full : null;
}

function isLoopback(address: string): boolean {
  return /^127\.|^::1$/.test(address);
}

function isDomainName(name: string): boolean {
  return name.length <= MAX_HOSTNAME && !/\.$|^localhost\b|\.localdomain$/.test(name);
}

/** os-release(5): shell assignments with quotes and backslashes; only the known keys are kept, values capped. */
export function parseOsRelease(text: string): OsRelease {
  const found = new Map<string, string>();
  for (const line of text.split("\n", 500)) {
    const assignment = /^([A-Z][A-Z0-9_]{0,40})=(.*)$/.exec(line.trimEnd());
    if (!assignment) continue;
    const value = oneLine(unquote(assignment[2] as string), MAX_VALUE);
    if (value !== null) found.set(assignment[1] as string, value);
  }
  const value = (key: string): string | null => found.get(key) ?? null;
  return {
    id: value("ID"),
    id_like: value("ID_LIKE"),
    name: value("NAME"),
    pretty_name: value("PRETTY_NAME"),
    version: value("VERSION"),
    version_id: value("VERSION_ID"),
    version_codename: value("VERSION_CODENAME"),
    variant: value("VARIANT"),
    variant_id: value("VARIANT_ID"),
    build_id: value("BUILD_ID"),
    image_id: value("IMAGE_ID"),
    image_version: value("IMAGE_VERSION"),
  };
}

/** Null when there is no os-release or it has none of the known keys. */
export function readOsRelease(files: Files): OsRelease | null {
  const text = files.text("/etc/os-release") ?? files.text("/usr/lib/os-release");
  if (text === null) return null;
  const found = parseOsRelease(text);
  return Object.values(found).some((value) => value !== null) ? found : null;
}

/** `uname -m`: from the kernel's own file (6.1 and later), else asked of the kernel we run on, never for a fixture. */
export function readArchitecture(files: Files): string | null {
  const told = files.text("/proc/sys/kernel/arch");
  if (told !== null && /^[\w-]{1,32}$/.test(told)) return told;
  return files.root === "/" ? machineHardwareName() : null;
}

/** The IANA name /etc/localtime points to; no file at all means UTC, a copied file needs /etc/timezone. */
export function readTimeZone(files: Files): string | null {
  const target = files.link("/etc/localtime");
  const linked = target === null ? null : /\/zoneinfo\/(?:posix\/|right\/)?([\w+\-/]{1,64})$/.exec(target);
  if (linked) return linked[1] as string;
  const named = files.text("/etc/timezone");
  if (named !== null && /^[\w+\-/]{1,64}$/.test(named)) return named;
  return files.presence("/etc/localtime") === "no" ? "UTC" : null;
}

function unquote(raw: string): string {
  const quote = raw.charAt(0);
  const inner = (quote === '"' || quote === "'") && raw.endsWith(quote) ? raw.slice(1, -1) : raw;
  return inner.replace(/\\(.)/g, "$1");
}
