/**
 * Questions and answers of NETLINK_ROUTE as bytes: addresses, the way to an address, and what a link is. Shapes from
 * include/uapi/linux/{netlink,rtnetlink,if_addr,if_link}.h; everything is little-endian as on x86-64 and arm64. Pure.
 */

export const HEADER_BYTES = 16;

/** Types of requests. */
export const GET_LINK = 18;
export const GET_ADDRESS = 22;
export const GET_ROUTE = 26;
/** All there are, instead of one. */
export const DUMP = 0x300;

const ERROR = 2;
const DONE = 3;
const MULTI = 2;
const NEW_LINK = 16;
const NEW_ADDRESS = 20;
const NEW_ROUTE = 24;
const EINVAL = 22;

export interface RawMessage {
  readonly type: number;
  /** After the header. */
  readonly body: Buffer;
}

/** @returns end: null, more is to be read; 0, that was all; else the errno */
export function splitMessages(
  bytes: Uint8Array,
  sequence: number,
): { messages: RawMessage[]; end: number | null } {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: RawMessage[] = [];
  for (let at = 0; at + HEADER_BYTES <= all.length; ) {
    const length = all.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > all.length) return { messages, end: EINVAL };
    const type = all.readUInt16LE(at + 4);
    const body = all.subarray(at + HEADER_BYTES, at + length);
    if (all.readUInt32LE(at + 8) === sequence) {
      // Behind a list stands what came of it.
      if (type === DONE) return { messages, end: body.length < 4 ? 0 : Math.abs(body.readInt32LE(0)) };
      if (type === ERROR) return { messages, end: body.length < 4 ? EINVAL : Math.abs(body.readInt32LE(0)) };
      messages.push({ type, body });
      if ((all.readUInt16LE(at + 6) & MULTI) === 0) return { messages, end: 0 };
    }
    at += aligned(length);
  }
  return { messages, end: null };
}

/** The attributes from an offset on, by number; of several of one number the last. */
function attributes(body: Buffer, from: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = from; at + 4 <= body.length; ) {
    const length = body.readUInt16LE(at);
    if (length < 4 || at + length > body.length) break;
    // The two highest bits say "nested" and "network order".
    found.set(body.readUInt16LE(at + 2) & 0x3fff, body.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return found;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

/** One address of one interface, as the kernel has it. */
export interface InterfaceAddress {
  readonly interface: string;
  readonly address: string;
  readonly prefix: number;
  readonly family: 4 | 6;
  /** Missing where only the address itself tells. */
  readonly scope?: "global" | "site" | "link" | "host";
  /** Another address of the same network comes first; missing: not known. */
  readonly secondary?: boolean;
}

/** All IPv4 addresses; the rest comes with marks from /proc/net/if_inet6. */
export function addressesRequest(): Uint8Array {
  return Uint8Array.of(AF_INET, 0, 0, 0, 0, 0, 0, 0);
}

const AF_INET = 2;
const AF_INET6 = 10;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_SECONDARY = 1;
/** Of 255: nowhere. 200 site, 253 link, 254 host (rtnetlink.h). */
const SCOPES: Readonly<Record<number, InterfaceAddress["scope"]>> = {
  0: "global",
  200: "site",
  253: "link",
  254: "host",
};

/** In the kernel's order: of an interface the one it prefers first. @param nameOf an interface's name by its index */
export function parseAddresses(
  messages: readonly RawMessage[],
  nameOf: (index: number) => string | null,
): InterfaceAddress[] {
  return messages.flatMap(({ type, body }): InterfaceAddress[] => {
    if (type !== NEW_ADDRESS || body.length < 8 || body[0] !== AF_INET) return [];
    const found = attributes(body, 8);
    const address = ipv4(found.get(IFA_LOCAL) ?? found.get(IFA_ADDRESS));
    const name = nameOf(body.readUInt32LE(4));
    if (address === null || name === null) return [];
    const scope = SCOPES[body[3] ?? 0] ?? "global";
    return [
      {
        interface: name,
        address,
        prefix: body[1] ?? 32,
        family: 4,
        scope,
        secondary: ((body[2] ?? 0) & IFA_F_SECONDARY) !== 0,
      },
    ];
  });
}

/** What the kernel would do with a packet. */
export interface WayOut {
  readonly family: 4 | 6;
  /** Index of the interface. */
  readonly index: number;
  /** Source address the packet would get; null: none. */
  readonly source: string | null;
  /** null: the other end is on the link. */
  readonly gateway: string | null;
  /** Number of the table of routes: 254 is main. */
  readonly table: number;
}

const RTM_F_LOOKUP_TABLE = 0x1000;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTN_UNICAST = 1;

/** @param to 4 or 16 bytes */
export function routeRequest(to: Uint8Array): Uint8Array {
  const body = Buffer.alloc(12 + 4 + to.length);
  body[0] = to.length === 4 ? AF_INET : AF_INET6;
  body[1] = to.length * 8;
  body.writeUInt32LE(RTM_F_LOOKUP_TABLE, 8);
  body.writeUInt16LE(4 + to.length, 12);
  body.writeUInt16LE(RTA_DST, 14);
  body.set(to, 16);
  return body;
}

/** Null where the packet would go nowhere (unreachable, black hole) or stay on this machine. */
export function parseRoute(messages: readonly RawMessage[]): WayOut | null {
  const body = messages.find(({ type }) => type === NEW_ROUTE)?.body;
  if (body === undefined || body.length < 12 || body[7] !== RTN_UNICAST) return null;
  const found = attributes(body, 12);
  const index = u32(found.get(RTA_OIF));
  if (index === null) return null;
  const via = found.get(RTA_VIA);
  return {
    family: body[0] === AF_INET6 ? 6 : 4,
    index,
    source: ipText(found.get(RTA_PREFSRC)),
    gateway: ipText(found.get(RTA_GATEWAY) ?? via?.subarray(2)),
    table: u32(found.get(RTA_TABLE)) ?? body[4] ?? 0,
  };
}

/** What made a link: its kind (`vlan`, `veth`, `team`, …) is in no file. */
export interface LinkKind {
  /** null: a device, or nothing that has a kind. */
  readonly kind: string | null;
  readonly vlanId: number | null;
  /** The other end, or what it is on, is in another network namespace: a container's. */
  readonly elsewhere: boolean;
}

const IFLA_LINKINFO = 18;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;

export function linkRequest(index: number): Uint8Array {
  const body = Buffer.alloc(16 + 8);
  body.writeInt32LE(index, 4);
  body.writeUInt16LE(8, 16);
  body.writeUInt16LE(IFLA_EXT_MASK, 18);
  body.writeUInt32LE(RTEXT_FILTER_SKIP_STATS, 20);
  return body;
}

export function parseLink(messages: readonly RawMessage[]): LinkKind | null {
  const body = messages.find(({ type }) => type === NEW_LINK)?.body;
  if (body === undefined || body.length < 16) return null;
  const found = attributes(body, 16);
  const info = attributes(found.get(IFLA_LINKINFO) ?? Buffer.alloc(0), 0);
  const kind = text(info.get(IFLA_INFO_KIND));
  const id =
    kind === "vlan"
      ? attributes(info.get(IFLA_INFO_DATA) ?? Buffer.alloc(0), 0).get(IFLA_VLAN_ID)
      : undefined;
  return {
    kind,
    vlanId: id !== undefined && id.length >= 2 ? id.readUInt16LE(0) : null,
    elsewhere: found.has(IFLA_LINK_NETNSID),
  };
}

function u32(value: Buffer | undefined): number | null {
  return value === undefined || value.length < 4 ? null : value.readUInt32LE(0);
}

/** Up to the NUL; null for what is no plain word. */
function text(value: Buffer | undefined): string | null {
  const found = value?.toString("latin1").replace(/\0.*$/s, "") ?? "";
  return /^[\w.-]{1,32}$/.test(found) ? found : null;
}

function ipv4(bytes: Buffer | undefined): string | null {
  return bytes?.length === 4 ? bytes.join(".") : null;
}

function ipText(bytes: Buffer | undefined): string | null {
  return bytes?.length === 16 ? ipv6Text(bytes) : ipv4(bytes);
}

/** RFC 5952: lower case, the longest run of zero groups (two at least, the first of equals) becomes "::". */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === "0") length++;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return groups.join(":");
  return `${groups.slice(0, best.at).join(":")}::${groups.slice(best.at + best.length).join(":")}`;
}
