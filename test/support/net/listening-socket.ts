/** A listening unix socket that nobody in this process accepts from, as systemd holds it: made through the C library. */
import { dlopen } from "node:ffi";
import { chmodSync } from "node:fs";
import { unixAddress } from "../../../src/system/native.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** Bound at `path` with mode 0600 and listening; `fd` is for a child's `stdio`. */
export function listeningSocket(path: string): { readonly fd: number; close(): void } {
  const { functions: libc } = dlopen(null, {
    socket: { arguments: ["int32", "int32", "int32"], return: "int32" },
    bind: { arguments: ["int32", "buffer", "uint32"], return: "int32" },
    listen: { arguments: ["int32", "int32"], return: "int32" },
    close: { arguments: ["int32"], return: "int32" },
  });
  const address = unixAddress(path);
  const fd = libc.socket(AF_UNIX, SOCK_STREAM, 0);
  if (address === null || fd < 0 || libc.bind(fd, address, address.length) !== 0 || libc.listen(fd, 64) !== 0)
    throw new Error(`nobody can listen at ${path}`);
  chmodSync(path, 0o600);
  return { fd, close: () => void libc.close(fd) };
}
