/**
 * What a build must not break in an executable, read from its ELF headers (elf(5)): the architecture, the
 * alignment of what is loaded (a Raspberry Pi 5 has pages of 16 KiB, other arm64 machines of 64 KiB), and
 * Node's fuse, the marker that says "there is a program inside".
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";

const MACHINE = { 62: "x64", 183: "arm64" };
const PT_LOAD = 1;
const PF_W = 2;
/** Places of fields in a program header. */
const P_MEMSZ = 40;
const P_ALIGN = 48;
/** Split, so that the bundle of this very text holds no second fuse. */
const FUSE = ["NODE_SEA_FUSE", "fce680ab2cc467b6e072b8b5df1996b2"].join("_");

/** Largest page size of a kernel for the architecture. */
const PAGE = { x64: 0x1000, arm64: 0x10000 };

/** @returns { arch, loads: [{ at, writable, offset, address, memory, align }] } of a 64-bit little-endian ELF file. */
export function readElf(path) {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(64);
    readSync(file, header, 0, 64, 0);
    if (header.toString("latin1", 0, 6) !== "\x7fELF\x02\x01")
      throw new Error(`${path} is no ELF executable`);
    const size = header.readUInt16LE(54);
    const start = Number(header.readBigUInt64LE(32));
    const table = Buffer.alloc(size * header.readUInt16LE(56));
    readSync(file, table, 0, table.length, start);
    const loads = [];
    for (let at = 0; at < table.length; at += size) {
      if (table.readUInt32LE(at) !== PT_LOAD) continue;
      const number = (field) => Number(table.readBigUInt64LE(at + field));
      loads.push({
        at: start + at,
        writable: (table.readUInt32LE(at + 4) & PF_W) !== 0,
        offset: number(8),
        address: number(16),
        memory: number(P_MEMSZ),
        align: number(P_ALIGN),
      });
    }
    return { arch: MACHINE[header.readUInt16LE(18)] ?? "unknown", loads };
  } finally {
    closeSync(file);
  }
}

/**
 * Before the injection: let the writable segment end where a largest page ends. `node --build-sea` puts its new
 * segment on the next 4 KiB; with pages of 16 KiB that is the page in which .bss ends, and the kernel would
 * map read-only file content over variables. Costs address space only.
 */
export function makeRoom(path, arch) {
  for (const { at, writable, address, memory } of readElf(path).loads) {
    if (writable)
      patch(path, at + P_MEMSZ, Math.ceil((address + memory) / PAGE[arch]) * PAGE[arch] - address);
  }
}

/** After the injection: the new segments say 4 KiB although they lie right for the largest page. */
export function alignLoads(path, arch) {
  for (const { at, offset, address, align } of readElf(path).loads) {
    if (align < PAGE[arch] && (address - offset) % PAGE[arch] === 0) patch(path, at + P_ALIGN, PAGE[arch]);
  }
}

function patch(path, position, value) {
  const file = openSync(path, "r+");
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  writeSync(file, bytes, 0, bytes.length, position);
  closeSync(file);
}

/** What is wrong with an executable, in sentences; empty when nothing is. */
export function complaints(path, arch) {
  const found = readElf(path);
  const wrong = [];
  if (found.arch !== arch) wrong.push(`it is for ${found.arch}, not ${arch}`);
  const page = PAGE[arch];
  let end = 0;
  for (const { offset, address, memory, align } of found.loads) {
    const where = `the segment at 0x${address.toString(16)}`;
    if (align < page)
      wrong.push(`${where} is aligned to 0x${align.toString(16)}, not 0x${page.toString(16)}`);
    if ((address - offset) % page !== 0) wrong.push(`${where} does not lie in the file as it does in memory`);
    if (Math.floor(address / page) * page < end) wrong.push(`${where} shares a page with the one before`);
    end = Math.ceil((address + memory) / page) * page;
  }
  const bytes = readFileSync(path);
  const at = bytes.indexOf(`${FUSE}:`);
  if (at < 0) wrong.push("Node's fuse is gone");
  else if (bytes[at + FUSE.length + 1] !== 0x31)
    wrong.push("Node's fuse is not set, so it would start as plain node");
  return wrong;
}
