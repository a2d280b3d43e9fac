import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareVersions,
  newerKernel,
  parseKernelRelease,
} from "../../../src/collectors/system/debian-version.ts";
import { forAll } from "../../support/for-all.ts";

// Each line is what `dpkg --compare-versions A lt B` says yes to.
test.each([
  ["6.1.0-9", "6.1.0-10"],
  ["6.1.0-40", "6.12.38+deb13"],
  ["6.12.38", "6.12.38+deb13"],
  ["1.0~rc1", "1.0"],
  ["1.0~~", "1.0~"],
  ["1.0", "1.0a"],
  ["1.0a", "1.0+"],
  ["9.9", "1:0.1"],
  ["1.2.3", "1.2.3-1"],
  ["6.6.51+rpt", "6.6.74+rpt"],
  ["0.9", "0.10"],
])("%s is older than %s", (older, newer) => {
  expect(compareVersions(older, newer)).toBeLessThan(0);
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
});

test.each([
  ["1.0", "1.00"],
  ["0:1.0", "1.0"],
  ["1.0-0", "1.0"],
])("%s is %s", (a, b) => {
  expect(compareVersions(a, b)).toBe(0);
});

test("the order is one for any texts", () => {
  const version = fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{1,3}(?:[.+~a-c-][0-9]{1,4}){0,4}$/));
  forAll(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
    }),
    { seed: 7, cases: 2000 },
  );
});

test.each([
  ["6.1.0-28-amd64", "6.1.0-28", "amd64"],
  ["6.1.0-0.deb11.17-amd64", "6.1.0-0.deb11.17", "amd64"],
  ["6.1.0-28-cloud-amd64", "6.1.0-28", "cloud-amd64"],
  ["6.12.38+deb13-amd64", "6.12.38+deb13", "amd64"],
  ["6.8.0-52-generic", "6.8.0-52", "generic"],
  ["6.8.12-4-pve", "6.8.12-4", "pve"],
  ["6.6.51+rpt-rpi-v8", "6.6.51+rpt", "rpi-v8"],
  ["6.6.51+rpt-rpi-2712", "6.6.51+rpt", "rpi-2712"],
  ["6.1.21-v8+", "6.1.21", "v8+"],
  ["5.14.0-362.8.1.el9_3.x86_64", "5.14.0-362.8.1.el9_3", "x86_64"],
  ["6.4.0-150600.21-default", "6.4.0-150600.21", "default"],
  ["6.9.1", "6.9.1", ""],
])("%s is version %s of flavour %s", (release, version, flavour) => {
  expect(parseKernelRelease(release)).toEqual({ version, flavour });
});

test.each(["", "linux", "-amd64", "6", "x".repeat(1000), `6.1${"0".repeat(1000)}`])(
  "%j is no release",
  (text) => {
    expect(parseKernelRelease(text)).toBeNull();
  },
);

describe("newer kernel", () => {
  test("the newest of the same flavour", () => {
    const installed = [
      "6.1.0-27-amd64",
      "6.1.0-28-amd64",
      "6.1.0-31-amd64",
      "6.1.0-30-amd64",
      "6.1.0-99-rt-amd64",
    ];
    expect(newerKernel("6.1.0-28-amd64", installed)).toBe("6.1.0-31-amd64");
  });

  test("another flavour is no reason to reboot", () => {
    expect(newerKernel("6.6.51+rpt-rpi-v8", ["6.6.51+rpt-rpi-v8", "6.6.74+rpt-rpi-2712"])).toBeNull();
  });

  test("a newer running than installed one is none either", () => {
    expect(newerKernel("6.1.0-28-amd64", ["6.1.0-27-amd64"])).toBeNull();
  });

  test("names that are no releases are passed over", () => {
    expect(newerKernel("6.1.0-28-amd64", ["rescue-amd64", "", "6.1.0-29-amd64"])).toBe("6.1.0-29-amd64");
    expect(newerKernel("garbage", ["6.1.0-29-amd64"])).toBeNull();
  });
});
