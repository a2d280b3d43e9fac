/** The parsers of the collector `drives`, on known input and on any input. */
import * as fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { parseDriveMemory } from "../../../src/collectors/drives/memory/kept.ts";
import { forgetDrive } from "../../../src/collectors/drives/missing.ts";
import { lifeUsed, wwnOf } from "../../../src/collectors/drives/scan/facts.ts";
import { parseUdevData, unescapeUdev } from "../../../src/collectors/drives/scan/udev.ts";
import { sizeText } from "../../../src/collectors/drives/table.ts";
import { byName, cleanSerial, cleanText, partitionParent } from "../../../src/collectors/drives/text.ts";
import { parseFstab, readOnlyWanted } from "../../../src/collectors/drives/use/fstab.ts";
import { parseDiskstats, parseStat } from "../../../src/collectors/drives/use/io.ts";
import { localMounts, parseSwaps } from "../../../src/collectors/drives/use/mounts.ts";
import { jsonMemory } from "../../support/drives/drives.ts";
import { forAll } from "../../support/for-all.ts";

const SEEDED = { seed: 20261120, cases: 1000 };
// Lines of the right look with wrong insides, mixed with anything at all.
const word = fc.oneof(
  fc.string({ maxLength: 12, unit: "binary" }),
  fc.constantFrom(
    "-",
    "/",
    "ext4",
    "8:1",
    "rw,ro",
    "\\040",
    "\\9",
    "E:",
    "=",
    "0",
    "99999999999999999999",
    "-1",
    "NaN",
  ),
);
const lines = fc
  .array(
    fc.array(word, { maxLength: 16 }).map((words) => words.join(" ")),
    { maxLength: 8 },
  )
  .map((list) => list.join("\n"));

describe("any input", () => {
  it("mountinfo, fstab and swaps give well-formed entries or none", () => {
    forAll(
      fc.property(lines, (text) => {
        const mounts = localMounts(text);
        expect(new Set(mounts.map((mount) => mount.dev)).size).toBe(mounts.length);
        for (const { mountpoint } of parseFstab(text)) expect(mountpoint).toMatch(/^\/(?:$|.*[^/]$)/s);
        const names = { paths: new Set(["8:1"]), tags: new Set<string>() };
        expect([true, false, null]).toContain(readOnlyWanted(parseFstab(text), ["/"], names));
        for (const swap of parseSwaps(text)) {
          expect(swap.device.startsWith("/")).toBe(true);
          expect(Number.isFinite(swap.size_bytes) && Number.isFinite(swap.used_bytes)).toBe(true);
        }
      }),
      SEEDED,
    );
  });

  it("counters are finite and not negative, or not there", () => {
    forAll(
      fc.property(lines, (text) => {
        const parsed = parseStat(text);
        const all = [
          ...parseDiskstats(text, new Set(["sda", "ext4", "0"])).values(),
          ...(parsed ? [parsed] : []),
        ];
        for (const io of all) for (const value of Object.values(io)) expect(value).toBeGreaterThanOrEqual(0);
      }),
      SEEDED,
    );
  });

  it("the udev database gives only what lines of properties say", () => {
    forAll(
      fc.property(
        fc.oneof(
          lines,
          fc.dictionary(fc.string(), fc.string()).map((it) =>
            Object.entries(it)
              .map(([a, b]) => `E:${a}=${b}`)
              .join("\n"),
          ),
        ),
        (text) => {
          for (const [key, value] of parseUdevData(text)) expect(text).toContain(`E:${key}=${value}`);
          expect(typeof unescapeUdev(text)).toBe("string");
        },
      ),
      SEEDED,
    );
  });

  it("texts of firmware come out printable, short and on one line", () => {
    forAll(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const clean = cleanText(text);
        if (clean === null) return;
        expect(clean.length).toBeLessThanOrEqual(128);
        expect(clean).not.toMatch(/[\u0000-\u001f\u007f-\u009f\ufffd]/);
        expect(clean).toBe(clean.trimStart());
      }),
      SEEDED,
    );
  });

  it("a memory of any JSON is read without an error and forgets nothing by chance", () => {
    forAll(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => parseDriveMemory(value)).not.toThrow();
        expect(() => parseDriveMemory({ drives: [value], history: [value] })).not.toThrow();
        expect(forgetDrive(jsonMemory(value), "x")).toBe(false);
      }),
      SEEDED,
    );
  });
});

describe("known input", () => {
  it("mountinfo: optional fields, escapes, one entry a file system, whole before part", () => {
    const text = [
      "29 1 8:2 /var/lib/agent /var/lib/agent rw shared:1 - ext4 /dev/sda2 rw",
      "30 1 8:2 / /mnt/a\\040b ro,relatime shared:1 master:2 - ext4 /dev/sda2 rw,errors=remount-ro",
      "31 1 8:2 / /mnt/longer\\040path rw - ext4 /dev/sda2 rw",
      "32 1 0:50 / /net rw - nfs4 host:/x rw",
      "33 1 0:51 / /f rw - fuseblk /dev/sdb1 rw",
      "34 1 0:52 / /c rw - ceph 1.2.3.4:/ rw",
    ].join("\n");
    expect(localMounts(text)).toEqual([
      {
        dev: "8:2",
        root: "/",
        mountpoint: "/mnt/a b",
        fstype: "ext4",
        source: "/dev/sda2",
        mountpoints: ["/mnt/a b", "/mnt/longer path", "/var/lib/agent"],
        unreachable: null,
        mountReadOnly: true,
        superReadOnly: false,
        gaveUp: false,
      },
    ]);
  });

  it("stat of eleven, fifteen and seventeen fields", () => {
    const eleven =
      "   33587    11982  3510282    10536     5219    17900  2934784     3659        0     4056    14376";
    for (const text of [eleven, `${eleven} 0 0 0 0`, `${eleven} 0 0 0 0 66 77`])
      expect(parseStat(text)).toMatchObject({
        reads_completed: 33587,
        read_bytes: 3510282 * 512,
        io_ms: 4056,
      });
    expect(parseStat("1 2 3")).toBeNull();
    const line = "   8       0 sda 33587 11982 3510282 10536 5219 17900 2934784 3659 0 4056 14376";
    expect(parseDiskstats(`${line}\n${line.replace("sda", "sdb")}\n`, new Set(["sda"])).size).toBe(1);
  });

  it("names in the order people count", () => {
    const names = ["sdaa", "nvme10n1", "sdb", "vda", "nvme2n1", "sdz", "mmcblk0"].map((name) => ({ name }));
    expect(
      names
        .sort(byName)
        .map((it) => it.name)
        .join(" "),
    ).toBe("mmcblk0 nvme2n1 nvme10n1 sdb sdz sdaa vda");
  });

  it("partitions, WWNs, escapes, fillers, wear, sizes", () => {
    expect(["sda1", "sdaa12", "nvme0n1p2", "mmcblk0p1", "nvme0n1", "sda"].map(partitionParent)).toEqual([
      "sda",
      "sdaa",
      "nvme0n1",
      "mmcblk0",
      "nvme0n",
      null,
    ]);
    expect(
      ["naa.5000C500DEADBEEF", "0x5000c500deadbeef", "t10.ATA     X", "eui.0000000000000000", ""].map(wwnOf),
    ).toEqual(["0x5000c500deadbeef", "0x5000c500deadbeef", null, null, null]);
    expect(unescapeUdev("ST\\x20\\x2f")).toBe("ST /");
    expect(["0000", "None", " n/a ", " X1 "].map(cleanSerial)).toEqual([null, null, null, "X1"]);
    expect([lifeUsed("0x01 0x0b"), lifeUsed("0x00 0x00"), lifeUsed(null), lifeUsed("0xff 0x03")]).toEqual([
      110,
      null,
      null,
      30,
    ]);
    expect([16e12, 960197124096, 512, null].map(sizeText)).toEqual(["16 TB", "960 GB", "512 B", null]);
  });
});

it("keeps what it remembers in a shape that it reads back whole", () => {
  const entry = {
    id: "wwn-1",
    serial: "S",
    model: null,
    last_name: "sda",
    enclosure: null,
    slot: "1",
    size_bytes: 1,
    carried: "osd.1",
  };
  const from = { from_enclosure: null, from_slot: null };
  const kept = {
    drives: [{ ...entry, since: null, stays: true }],
    history: [{ seq: 1, at: "x", what: "added", ...entry, replaced_by: null, ...from }],
  };
  expect(parseDriveMemory(kept)).toEqual(kept);
  expect(v.is(v.null(), parseDriveMemory(null))).toBe(true);
});
