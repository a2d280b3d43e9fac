import fc from "fast-check";
import { expect, test } from "vitest";
import {
  compareReleases,
  type Packaging,
  packagingOf,
  parseKernelRelease,
} from "../../../../src/collectors/system/kernel/release.ts";
import { forAll } from "../../../support/for-all.ts";

test.each([
  ["6.1.0-28-amd64", "6.1.0-28", "amd64"],
  ["6.1.0-0.deb11.17-amd64", "6.1.0-0.deb11.17", "amd64"],
  ["6.1.0-28-cloud-amd64", "6.1.0-28", "cloud-amd64"],
  ["6.1.0-28-rt-amd64", "6.1.0-28", "rt-amd64"],
  ["6.1.0-28-686-pae", "6.1.0-28", "686-pae"],
  ["6.12.38+deb13-amd64", "6.12.38+deb13", "amd64"],
  ["6.10-rc5-amd64", "6.10~rc5", "amd64"],
  ["6.8.0-52-generic", "6.8.0-52", "generic"],
  ["6.8.0-52-generic-64k", "6.8.0-52", "generic-64k"],
  ["6.8.12-4-pve", "6.8.12-4", "pve"],
  ["6.6.51+rpt-rpi-v8", "6.6.51+rpt", "rpi-v8"],
  ["6.6.51+rpt-rpi-2712", "6.6.51+rpt", "rpi-2712"],
  ["6.1.21-v8+", "6.1.21", "v8+"],
  ["6.6.30-0-lts", "6.6.30-0", "lts"],
  ["5.14.0-362.8.1.el9_3.x86_64", "5.14.0-362.8.1.el9_3", "x86_64 el"],
  ["5.14.0-362.8.1.el9_3.x86_64+rt", "5.14.0-362.8.1.el9_3", "x86_64+rt el"],
  ["5.14.0-362.8.1.el9_3.aarch64+64k", "5.14.0-362.8.1.el9_3", "aarch64+64k el"],
  ["3.10.0-1160.el7.x86_64.debug", "3.10.0-1160.el7", "x86_64.debug el"],
  ["4.18.0-553.rt7.342.el8_10.x86_64", "4.18.0-553.rt7.342.el8_10", "x86_64 el rt"],
  ["5.15.0-206.153.7.el8uek.x86_64", "5.15.0-206.153.7.el8uek", "x86_64 el uek"],
  ["6.8.9-1.el9.elrepo.x86_64", "6.8.9-1.el9.elrepo", "x86_64 el elrepo mainline"],
  [
    "6.10.0-0.rc1.20240531git4a4be1ad3a6e.17.fc41.x86_64",
    "6.10.0-0.rc1.20240531git4a4be1ad3a6e.17.fc41",
    "x86_64 fc",
  ],
  ["6.4.0-150600.21-default", "6.4.0-150600.21", "default"],
  ["6.9.1-arch1-1", "6.9.1.arch1-1", "arch"],
  ["6.9.1-zen1-1-zen", "6.9.1.zen1-1", "zen"],
  ["6.9.1", "6.9.1", ""],
])("%s is version %s of line %s", (release, version, line) => {
  expect(parseKernelRelease(release)).toMatchObject({ version, line });
});

test("Mageia and Azure Linux, where the system says that it is rpm's", () => {
  expect(parseKernelRelease("6.6.28-desktop-1.mga9", "rpm")).toEqual({
    packaging: "rpm",
    version: "6.6.28-desktop-1.mga9",
    line: "desktop mga",
  });
  expect(parseKernelRelease("6.6.29.1-4.azl3", "rpm")).toEqual({
    packaging: "rpm",
    version: "6.6.29.1-4.azl3",
    line: "azl",
  });
});

test.each(["", "linux", "-amd64", "6", "0-rescue-abcdef", "x".repeat(1000), `6.1${"0".repeat(1000)}`])(
  "%j is no release",
  (text) => {
    expect(parseKernelRelease(text)).toBeNull();
  },
);

test.each<[string, string, Packaging | null]>([
  ["6.1.0-9-amd64", "6.1.0-10-amd64", null],
  ["6.10-rc5-amd64", "6.10.1-amd64", null],
  ["4.18.0-553.el8_10.x86_64", "4.18.0-553.5.1.el8_10.x86_64", null],
  ["5.14.0-70.el9.x86_64", "5.14.0-70.13.1.el9_0.x86_64", null],
  ["6.9-arch1-1", "6.9.1-arch1-1", "arch"],
  ["6.9.1-arch1-1", "6.9.1-arch1-2", "arch"],
  ["6.9.1-arch1-2", "6.9.1-arch2-1", "arch"],
  ["6.9.0-rc5-1-mainline", "6.9.0-1-mainline", "arch"],
  ["6.6.30-gentoo", "6.6.30-gentoo-r1", null],
])("%s is older than %s", (older, newer, told) => {
  const [a, b] = [older, newer].map((release) => parseKernelRelease(release, told));
  if (a == null || b == null) throw new Error("no release");
  expect(compareReleases(a, b)).toBeLessThan(0);
  expect(compareReleases(b, a)).toBeGreaterThan(0);
});

test.each([
  ["debian", null, "debian"],
  ["linuxmint", "ubuntu debian", "debian"],
  ["rocky", "rhel centos fedora", "rpm"],
  ["opensuse-tumbleweed", "opensuse suse", "rpm"],
  ["manjaro", "arch", "arch"],
  ["alpine", null, "debian"],
  ["nixos", null, null],
])("%s (like %s) orders as %s", (id, id_like, packaging) => {
  expect(packagingOf({ id, id_like })).toBe(packaging);
});

test("any text is a release or none, and never newer than itself", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^6\.[0-9a-z.+_-]{0,40}$/));
  forAll(
    fc.property(text, (release) => {
      const parsed = parseKernelRelease(release, "rpm");
      if (parsed !== null) expect(compareReleases(parsed, parsed)).toBe(0);
    }),
    { seed: 5, cases: 2000 },
  );
});
