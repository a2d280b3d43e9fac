/** What the kernel itself says of addresses, ways out and links, for one look at the network. */
import { openNetlink } from "./netlink.ts";
import {
  addressesRequest,
  DUMP,
  GET_ADDRESS,
  GET_LINK,
  GET_ROUTE,
  type InterfaceAddress,
  type LinkKind,
  linkRequest,
  parseAddresses,
  parseLink,
  parseRoute,
  routeRequest,
  type WayOut,
} from "./route-messages.ts";

export interface KernelWay extends Omit<WayOut, "index"> {
  readonly interface: string;
}

export interface KernelNetwork {
  /** Every IPv4 address, also of links that are down, in the kernel's order; null: it does not tell. */
  addresses(): readonly InterfaceAddress[] | null;
  /**
   * What `ip route get` gives; nothing is sent. Null: it does not tell (no such family, a kernel that is none).
   * @param to the 4 or 16 bytes of an address
   */
  wayTo(to: Uint8Array): KernelWay | "nowhere" | null;
  /** What made a link. @param index its ifindex */
  link(index: number): LinkKind | null;
  /** To be called when the look is over. */
  close(): void;
}

/** EACCES prohibited, EINVAL a black hole, ENETUNREACH, EHOSTUNREACH (fib_props in net/ipv4/fib_semantics.c). */
const NO_WAY: ReadonlySet<number> = new Set([13, 22, 101, 113]);

/** Null where the kernel can't be asked (no node:ffi, no AF_NETLINK). */
export function openKernelNetwork(): KernelNetwork | null {
  const netlink = openNetlink();
  if (netlink === null) return null;
  const { ask, nameOf, close } = netlink;
  return {
    addresses() {
      const answer = ask(GET_ADDRESS, DUMP, addressesRequest());
      return typeof answer === "number" ? null : parseAddresses(answer, nameOf);
    },
    wayTo(to) {
      const answer = ask(GET_ROUTE, 0, routeRequest(to));
      if (typeof answer === "number") return NO_WAY.has(answer) ? "nowhere" : null;
      const way = parseRoute(answer);
      const name = way === null ? null : nameOf(way.index);
      if (way === null || name === null) return "nowhere";
      const { index: _, ...rest } = way;
      return { interface: name, ...rest };
    },
    link(index) {
      const answer = ask(GET_LINK, 0, linkRequest(index));
      return typeof answer === "number" ? null : parseLink(answer);
    },
    close,
  };
}
