/** The header surgery that keeps the arm64 executable right on kernels with large pages, on a made-up ELF file. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { alignLoads, complaints, makeRoom, readElf } from "../../scripts/build/elf.mjs";
import { temporaryFolder } from "../support/machine/tree.ts";

const FUSE = ["NODE_SEA_FUSE", "fce680ab2cc467b6e072b8b5df1996b2:"].join("_");

interface Segment {
  flags: number;
  offset: number;
  address: number;
  memory: number;
  align: number;
}

const CODE: Segment = { flags: 5, offset: 0, address: 0x400000, memory: 0x1_c778, align: 0x10000 };
const DATA: Segment = { flags: 6, offset: 0x2_d1f0, address: 0x43_d1f0, memory: 0xf410, align: 0x10000 };

/** A header, the program headers and the fuse; nothing that runs. */
function elf(segments: Segment[], fuse = "1", machine = 183): string {
  const file = Buffer.alloc(64 + segments.length * 56);
  file.write("\x7fELF\x02\x01", "latin1");
  file.writeUInt16LE(machine, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(segments.length, 56);
  for (const [index, { flags, offset, address, memory, align }] of segments.entries()) {
    const at = 64 + index * 56;
    file.writeUInt32LE(1, at);
    file.writeUInt32LE(flags, at + 4);
    file.writeBigUInt64LE(BigInt(offset), at + 8);
    file.writeBigUInt64LE(BigInt(address), at + 16);
    file.writeBigUInt64LE(BigInt(memory), at + 40);
    file.writeBigUInt64LE(BigInt(align), at + 48);
  }
  const path = join(temporaryFolder(), "program");
  writeFileSync(path, Buffer.concat([file, Buffer.from(`${FUSE}${fuse}`)]));
  return path;
}

describe("an executable's headers", () => {
  it("has nothing to complain about when they are right", () => {
    expect(complaints(elf([CODE, DATA]), "arm64")).toEqual([]);
  });

  it("sees the segment that lands in the page where the variables end", () => {
    const injected = { flags: 4, offset: 0x3_d000, address: 0x44_d000, memory: 0x508, align: 0x1000 };
    expect(complaints(elf([CODE, DATA, injected]), "arm64")).toEqual([
      "the segment at 0x44d000 is aligned to 0x1000, not 0x10000",
      "the segment at 0x44d000 shares a page with the one before",
    ]);
    const x64 = { ...injected, address: 0x44d000 };
    expect(complaints(elf([CODE, DATA, x64], "1", 62), "x64")).toEqual([]);
  });

  it("makes room to the end of a largest page, in the writable segment only", () => {
    const path = elf([CODE, DATA]);
    makeRoom(path, "arm64");
    const [code, data] = readElf(path).loads;
    expect(code?.memory).toBe(CODE.memory);
    expect(((data?.address ?? 0) + (data?.memory ?? 0)) % 0x10000).toBe(0);
    expect((data?.memory ?? 0) - DATA.memory).toBeLessThan(0x10000);
  });

  it("raises an alignment only where the segment lies accordingly", () => {
    const right = { flags: 4, offset: 0x4_1000, address: 0x45_1000, memory: 0x100, align: 0x1000 };
    const wrong = { flags: 4, offset: 0x4_1000, address: 0x46_2000, memory: 0x100, align: 0x1000 };
    const path = elf([CODE, DATA, right, wrong]);
    alignLoads(path, "arm64");
    expect(readElf(path).loads.map((load) => load.align)).toEqual([0x10000, 0x10000, 0x10000, 0x1000]);
    expect(complaints(path, "arm64")).toContain(
      "the segment at 0x462000 does not lie in the file as it does in memory",
    );
  });

  it("sees a program that would start as plain node, or on another machine", () => {
    expect(complaints(elf([CODE], "0"), "arm64")).toEqual([
      "Node's fuse is not set, so it would start as plain node",
    ]);
    expect(complaints(elf([CODE]), "x64")).toEqual(["it is for arm64, not x64"]);
    const other = join(temporaryFolder(), "script");
    writeFileSync(other, "#!/bin/sh\n".padEnd(100));
    expect(() => readElf(other)).toThrow("is no ELF executable");
  });
});
