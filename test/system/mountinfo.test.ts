import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parseMountinfo, unescapeOctal } from "../../src/system/mountinfo.ts";
import { forAll } from "../support/for-all.ts";

it("every line is one mount, in the kernel's order, with however many optional fields", () => {
  const text = [
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,errors=remount-ro",
    "23 22 0:40 /sub /a\\040b ro shared:1 master:2 - btrfs /dev/mapper/x\\134y rw",
    "24 22 0:50 / /empty rw - tmpfs  rw",
    "",
  ].join("\n");
  expect(parseMountinfo(text)).toEqual([
    {
      ...{ id: 22, parent: 1, dev: "8:1", root: "/", mountpoint: "/", options: ["rw", "relatime"] },
      ...{ fstype: "ext4", source: "/dev/sda1", superOptions: ["rw", "errors=remount-ro"] },
    },
    {
      ...{ id: 23, parent: 22, dev: "0:40", root: "/sub", mountpoint: "/a b", options: ["ro"] },
      ...{ fstype: "btrfs", source: "/dev/mapper/x\\y", superOptions: ["rw"] },
    },
    expect.objectContaining({ mountpoint: "/empty", fstype: "tmpfs", source: "" }),
  ]);
});

it.each([
  "half a line",
  "22 1 8:1 / / rw ext4 /dev/sda1 rw",
  "22 1 8:1 / / rw - ext4 /dev/sda1",
  "22 1 8:1 / - ext4 /dev/sda1 rw",
  "22 1 sda1 / / rw - ext4 /dev/sda1 rw",
  "22 1 8:1 / / rw -  /dev/sda1 rw",
])("%j is left out", (line) => {
  expect(parseMountinfo(line)).toEqual([]);
});

it("whatever stands in a line, what is told of it is whole", () => {
  forAll(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const { dev, fstype } of parseMountinfo(`1 2 8:1 / ${text} - ext4 ${text} rw`)) {
        expect(dev).toMatch(/^\d+:\d+$/);
        expect(fstype).not.toBe("");
      }
    }),
    { seed: 7, cases: 500 },
  );
});

it("undoes the kernel's escapes and nothing else", () => {
  expect(unescapeOctal("/a\\040b\\134c\\9")).toBe("/a b\\c\\9");
});
