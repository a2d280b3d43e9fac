/** The addresses of each interface with their marks: IPv4 in the kernel's order, which prefers the first, then IPv6. Pure. */
import type { InterfaceAddress } from "../../system/libc/route-messages.ts";
import { type Address6, scopeOf } from "./routes.ts";
import type { NetworkInterface } from "./schema.ts";

type Address = NetworkInterface["addresses"][number];

/**
 * By the name of the interface.
 * @param known every IPv4 address and, where there is no file of them, those of IPv6; null: they can't be asked for
 * @param six of /proc/net/if_inet6
 */
export function addressesByInterface(
  known: readonly InterfaceAddress[] | null,
  six: readonly Address6[],
): ReadonlyMap<string, Address[]> {
  const found = new Map<string, Address[]>();
  const add = (name: string, address: Address): void => {
    const own = found.get(name);
    if (own === undefined) found.set(name, [address]);
    else own.push(address);
  };
  for (const { interface: name, address, prefix, family, scope, secondary } of known ?? [])
    if (family === 4)
      add(name, {
        address,
        prefix,
        family,
        scope: scope ?? scopeOf(address),
        ...(secondary === true ? { marks: ["secondary"] } : {}),
      });
  const filed = new Set(six.map((item) => item.interface));
  const unfiled = (known ?? [])
    .filter(({ interface: name, family }) => family === 6 && !filed.has(name))
    .map(({ interface: name, address, prefix }) => {
      const plain = address.replace(/%.*$/, "");
      return { interface: name, address: plain, prefix, scope: scopeOf(plain), marks: [] };
    });
  // The file has them in the order of a hash table, which says nothing.
  const sorted = [...six, ...unfiled].sort((a, b) => (a.address < b.address ? -1 : 1));
  for (const { interface: name, address, prefix, scope, marks } of sorted)
    add(name, {
      address,
      prefix,
      family: 6,
      scope,
      ...(marks.length > 0 ? { marks: [...marks] } : {}),
    });
  return found;
}

/** Names of the interfaces by which others can reach this node. */
export function withReachable(addresses: ReadonlyMap<string, readonly Address[]>): ReadonlySet<string> {
  const reachable = [...addresses].filter(([, own]) =>
    own.some(({ scope }) => scope === "global" || scope === "site"),
  );
  return new Set(reachable.map(([name]) => name));
}
