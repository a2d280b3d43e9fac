/** The kernel of this machine, asked. */
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { openKernelNetwork } from "../../../src/system/libc/kernel-network.ts";

const isAsked = openKernelNetwork();
isAsked?.close();

it.skipIf(isAsked === null)("tells its addresses and keeps no file open, also where it has no answer", () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  const before = open();
  for (let round = 0; round < 50; round++) {
    const kernel = openKernelNetwork();
    expect(kernel?.addresses()).toContainEqual(
      expect.objectContaining({ interface: "lo", address: "127.0.0.1" }),
    );
    expect(kernel?.link(2_000_000_000)).toBeNull();
    expect(kernel?.link(1)).not.toBeNull();
    kernel?.close();
  }
  expect(open()).toBe(before);
});
