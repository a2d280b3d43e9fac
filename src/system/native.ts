/**
 * The C library, through `node:ffi`: what Node itself has no call for. Giving memory back (malloc_trim,
 * madvise), datagrams to a unix socket (sd_notify), and who is at the other end of one (SO_PEERCRED).
 *
 * node:ffi is experimental, so everything here is an extra: `openNative` gives null where it is missing
 * and every function says whether it worked. All constants are Linux's and equal on x86-64 and arm64.
 * Shapes from the man pages: unix(7), socket(7), madvise(2), malloc_trim(3).
 */
import { endianness } from "node:os";

/** The process at the other end of a unix stream socket, as the kernel saw it at connect time. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Native {
  /** Bytes in a page: 4096 on x86-64, 4096 or 16384 on a Raspberry Pi, up to 65536 elsewhere. */
  readonly pageSize: number;
  /** Give free heap of the C allocator back to the kernel. False: this C library has no malloc_trim (musl). */
  trimHeap(): boolean;
  /**
   * Forget the pages of a mapping; the next touch reads them again. Only ever for clean, file-backed, private
   * mappings: on any other it destroys data. `start` and `length` are multiples of the page size.
   */
  dropPages(start: bigint, length: bigint): boolean;
  /** One datagram to a unix socket; a leading `@` is the abstract name space. Null when sent, else why not. */
  sendDatagram(path: string, payload: string): string | null;
  /** Credentials of the peer of a connected unix socket, or null. */
  peerCredentials(fd: number): PeerCredentials | null;
  /** End this process now, waiting for no thread and writing nothing (_exit(2)). */
  exitAtOnce(code: number): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const MADV_DONTNEED = 4;
/** Bytes of sun_path; a path needs its closing NUL in them, an abstract name does not. */
const SUN_PATH = 108;

/** `sockaddr_un` for a path or an abstract `@name`, or null when it does not fit. */
export function unixAddress(path: string): Buffer | null {
  const abstract = path.startsWith("@");
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`, "utf8");
  if (path === "" || path === "@" || name.length > SUN_PATH) return null;
  const family = Buffer.alloc(2);
  if (endianness() === "LE") family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, name]);
}

/** The C library of this process, or null where node:ffi or one of the needed functions is missing. */
export function openNative(): Native | null {
  try {
    return bind();
  } catch {
    return null; // no node:ffi, switched off, or not a C library with these names: all are "without extras"
  }
}

function bind(): Native | null {
  // Not an import: a Node without the module must still start.
  const ffi = process.getBuiltinModule("node:ffi");
  if (ffi === undefined) return null;
  const { lib, functions: libc } = ffi.dlopen(null, {
    getpagesize: { arguments: [], return: "int32" },
    madvise: { arguments: ["uint64", "uint64", "int32"], return: "int32" },
    socket: { arguments: ["int32", "int32", "int32"], return: "int32" },
    sendto: { arguments: ["int32", "buffer", "uint64", "int32", "buffer", "uint32"], return: "int64" },
    getsockopt: { arguments: ["int32", "int32", "int32", "buffer", "buffer"], return: "int32" },
    close: { arguments: ["int32"], return: "int32" },
    _exit: { arguments: ["int32"], return: "void" },
    __errno_location: { arguments: [], return: "pointer" },
  });
  const trim = optional(() => lib.getFunction("malloc_trim", { arguments: ["uint64"], return: "int32" }));
  // The address of errno is fixed for a thread, and this module is used on one.
  const errnoAt = libc.__errno_location();
  const failed = (what: string): string => `${what} failed with errno ${ffi.getInt32(errnoAt)}`;

  return {
    pageSize: libc.getpagesize(),
    trimHeap() {
      if (trim === null) return false;
      trim(0n);
      return true;
    },
    dropPages: (start, length) => libc.madvise(start, length, MADV_DONTNEED) === 0,
    sendDatagram(path, payload) {
      const address = unixAddress(path);
      if (address === null) return `${path} is not a name of a unix socket`;
      const socket = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC | SOCK_NONBLOCK, 0);
      if (socket < 0) return failed("socket");
      try {
        const bytes = Buffer.from(payload, "utf8");
        const sent = libc.sendto(socket, bytes, BigInt(bytes.length), MSG_NOSIGNAL, address, address.length);
        return sent < 0n ? failed("sendto") : null;
      } finally {
        libc.close(socket);
      }
    },
    peerCredentials(fd) {
      const found = new Int32Array(3);
      const length = new Uint32Array([found.byteLength]);
      const bytes = Buffer.from(found.buffer);
      if (libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, bytes, Buffer.from(length.buffer)) !== 0) return null;
      const [pid = -1, uid = -1, gid = -1] = found;
      return { pid, uid, gid };
    },
    exitAtOnce: (code) => void libc._exit(code),
  };
}

function optional<T>(get: () => T): T | null {
  try {
    return get();
  } catch {
    return null;
  }
}
