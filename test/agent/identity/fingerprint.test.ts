import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareFingerprints,
  mergeFingerprints,
  readBoardFacts,
} from "../../../src/agent/identity/fingerprint.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { boardTree, SERVER } from "../../support/machine/boards.ts";
import { layTree } from "../../support/machine/tree.ts";

describe("the fingerprint", () => {
  it("leaves out what is the same on many boards or of one boot only", () => {
    const board = boardTree({
      uuid: "03000200-0400-0500-0006-000700080009",
      serial: "To Be Filled By O.E.M.",
      pi: "0000000000000000",
      macs: ["52:54:00:12:34:56", "00:00:00:00:00:00", "not a mac"],
      root: "t10.ATA     QEMU HARDDISK                           QM00001",
    });
    board.files["/sys/class/net/wlan0/address"] = "da:a1:19:00:00:01\n"; // random, as for scanning
    board.files["/sys/class/net/wlan0/addr_assign_type"] = "3\n";
    board.files["/sys/class/net/wlan0/device/uevent"] = "";
    board.files["/sys/class/net/br0/address"] = "b8:ca:3a:00:00:05\n"; // no device: a bridge
    board.files["/sys/class/net/br0/addr_assign_type"] = "0\n";
    expect(readBoardFacts(openFiles(layTree(board)))).toEqual({
      fingerprint: [],
      unreadable: [],
      serial: null,
      macs: ["52:54:00:12:34:56"],
    });
  });

  it("takes a bond member's own address, not the bond's", () => {
    const board = boardTree({ macs: ["b8:ca:3a:00:00:01"] });
    board.files["/sys/class/net/eth0/address"] = "b8:ca:3a:00:00:ff\n";
    board.files["/sys/class/net/eth0/addr_assign_type"] = "3\n";
    board.files["/sys/class/net/eth0/bonding_slave/perm_hwaddr"] = "b8:ca:3a:00:00:01\n";
    expect(readBoardFacts(openFiles(layTree(board))).macs).toEqual(["b8:ca:3a:00:00:01"]);
  });

  it("survives garbage in every file it reads", () => {
    forAll(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.nat(), (garbage, at) => {
        const board = boardTree({ ...SERVER, pi: "10000000a1b2c3d4" });
        const names = Object.keys(board.files);
        board.files[names[at % names.length] as string] = garbage;
        const found = readBoardFacts(openFiles(layTree(board)));
        for (const part of found.fingerprint) expect(part).toMatch(/^(dmi|pi|mac|root):[0-9a-f]{32}$/);
      }),
      { seed: 3, cases: 30 },
    );
  });

  const parts = fc.uniqueArray(
    fc.constantFrom("dmi:1", "dmi:2", "mac:1", "mac:2", "mac:3", "root:1", "pi:1"),
  );

  it("is never cloned while one part is left, always when all is readable and none is", () => {
    forAll(
      fc.property(
        parts,
        parts,
        fc.subarray(["dmi", "mac", "root", "pi"] as const),
        (stored, now, unreadable) => {
          const verdict = compareFingerprints(stored, { fingerprint: now, unreadable });
          const left = stored.some((part) => now.includes(part));
          if (left || stored.length === 0 || now.length === 0) expect(verdict).toBe("same");
          else if (unreadable.length === 0) expect(verdict).toBe("cloned");
          else expect(["cloned", "unknown"]).toContain(verdict);
          const merged = mergeFingerprints(stored, now);
          expect(compareFingerprints(merged, { fingerprint: stored, unreadable })).toBe("same");
          expect(mergeFingerprints(merged, now)).toEqual(merged);
        },
      ),
      { seed: 5 },
    );
  });
});
