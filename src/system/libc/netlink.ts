/**
 * The kernel asked over NETLINK_ROUTE (rtnetlink(7)), through `node:ffi`: Node has no call for it, and no file of
 * /proc or /sys says which way out and which source address the kernel would choose, which addresses are secondary,
 * or what id a VLAN has. Reading needs no right. An extra like everything of node:ffi (docs/adr/0022-the-kernels-own-choice.md).
 *
 * The kernel makes its answer while it is asked, so nothing waits here; every buffer and every answer has a limit.
 */
import { HEADER_BYTES, type RawMessage, splitMessages } from "./route-messages.ts";

export interface Netlink {
  /**
   * The messages of the answer, without the closing one.
   * @param body what follows the header of a request
   * @returns an errno (a positive number) where the kernel refuses, has no such thing, or nothing came
   */
  ask(type: number, flags: number, body: Uint8Array): RawMessage[] | number;
  /** Name of the interface with an index; null: there is none. */
  nameOf(index: number): string | null;
  close(): void;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST = 1;
const MSG_DONTWAIT = 0x40;
/** The kernel fills at most 32 KiB at once (NLMSG_GOODSIZE and its growth in af_netlink.c). */
const BUFFER_BYTES = 32 * 1024;
/** Of one answer: 2000 addresses are 200 KB. */
const MAX_READS = 64;
/** IF_NAMESIZE, with its NUL. */
const NAME_BYTES = 16;
const EIO = 5;

interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, to: Uint8Array, toLength: number): number;
  send(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint;
  recv(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint;
  if_indextoname(index: number, name: Uint8Array): bigint;
  close(fd: number): number;
}

let calls: Calls | null | undefined;

/** A socket to the kernel, to be closed; null where there is none (no node:ffi, AF_NETLINK hidden by the unit). */
export function openNetlink(): Netlink | null {
  if (calls === undefined) calls = bind();
  if (calls === null) return null;
  const { socket, connect, send, recv, if_indextoname, close } = calls;
  const fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return null;
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  // sockaddr_nl with port 0: the kernel.
  const kernel = Buffer.alloc(12);
  kernel.writeUInt16LE(AF_NETLINK);
  // So nobody else's message gets in, forged or many: a container with the host's network may send to any port of it.
  if (connect(fd, kernel, kernel.length) < 0) {
    close(fd);
    return null;
  }
  let sequence = 0;

  function ask(type: number, flags: number, body: Uint8Array): RawMessage[] | number {
    const request = Buffer.alloc(HEADER_BYTES + body.length);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(type, 4);
    request.writeUInt16LE(flags | NLM_F_REQUEST, 6);
    request.writeUInt32LE(++sequence, 8);
    request.set(body, HEADER_BYTES);
    if (send(fd, request, BigInt(request.length), MSG_DONTWAIT) < 0n) return EIO;
    const found: RawMessage[] = [];
    for (let read = 0; read < MAX_READS; read++) {
      const length = Number(recv(fd, buffer, BigInt(buffer.length), MSG_DONTWAIT));
      if (length <= 0) return EIO;
      // A copy: what is kept must not be the next read's.
      const { messages, end } = splitMessages(Uint8Array.from(buffer.subarray(0, length)), sequence);
      found.push(...messages);
      if (end !== null) return end === 0 ? found : end;
    }
    return EIO;
  }

  function nameOf(index: number): string | null {
    const name = Buffer.alloc(NAME_BYTES);
    if (if_indextoname(index, name) === 0n) return null;
    return name.toString("utf8").replace(/\0.*$/s, "") || null;
  }

  return { ask, nameOf, close: () => void close(fd) };
}

function bind(): Calls | null {
  try {
    return process.getBuiltinModule("node:ffi").dlopen(null, {
      socket: { arguments: ["int32", "int32", "int32"], return: "int32" },
      connect: { arguments: ["int32", "buffer", "uint32"], return: "int32" },
      send: { arguments: ["int32", "buffer", "uint64", "int32"], return: "int64" },
      recv: { arguments: ["int32", "buffer", "uint64", "int32"], return: "int64" },
      if_indextoname: { arguments: ["uint32", "buffer"], return: "pointer" },
      close: { arguments: ["int32"], return: "int32" },
    }).functions as unknown as Calls;
  } catch {
    return null;
  }
}
