/** A bound unix datagram socket, as systemd's notify socket is: Node has none, so it is made through the C library. */
import { dlopen } from "node:ffi";
import { unixAddress } from "../../../src/system/native.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** Listen at a path or an abstract `@name`. `next()` is the oldest datagram that has come, or null. */
export function datagramReceiver(path: string): { next(): string | null; close(): void } {
  const { functions: libc } = dlopen(null, {
    socket: { arguments: ["int32", "int32", "int32"], return: "int32" },
    bind: { arguments: ["int32", "buffer", "uint32"], return: "int32" },
    recv: { arguments: ["int32", "buffer", "uint64", "int32"], return: "int64" },
    close: { arguments: ["int32"], return: "int32" },
  });
  const address = unixAddress(path);
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (address === null || fd < 0 || libc.bind(fd, address, address.length) !== 0)
    throw new Error(`${path} can't be bound`);
  const buffer = Buffer.alloc(4096);
  return {
    next() {
      const length = Number(libc.recv(fd, buffer, BigInt(buffer.length), MSG_DONTWAIT));
      return length < 0 ? null : buffer.toString("utf8", 0, length);
    },
    close: () => void libc.close(fd),
  };
}
