/** Whose a connection over TCP is, as far as an address tells. */
import { isIPv6 } from "node:net";
import { isLoopback } from "../../model/config-key.ts";

/**
 * What counts as one peer: this host (all of 127.0.0.0/8 and ::1 is anybody on it), an IPv4 address, or the 64 bits of
 * an IPv6 address that a network gives out; the other 64 are for whoever has it to choose.
 */
export function addressKey(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  if (isLoopback(plain)) return "loopback";
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = (plain.split("%", 1)[0] ?? "").split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: missing }, () => "0"), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
