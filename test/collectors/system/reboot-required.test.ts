import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parsePackages,
  type RebootLook,
  readRebootRequired,
} from "../../../src/collectors/system/reboot-required.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

const BOOT = Date.parse("2025-02-10T06:00:00Z");
const NOW = Date.parse("2025-02-14T08:00:00Z");
const DAY = 86_400_000;

function look(release: string, over: Partial<RebootLook> = {}): RebootLook {
  return { running: { release, version: null }, system: null, bootTime: BOOT, now: NOW, ...over };
}

function files(tree: Partial<Tree>): ReturnType<typeof openFiles> {
  return openFiles(layTree({ files: {}, now: NOW, ...tree }), tree.errors ?? {});
}

/** Empty images of these releases. */
function images(...releases: string[]): ReturnType<typeof openFiles> {
  return files({ files: Object.fromEntries(releases.map((release) => [`/boot/vmlinuz-${release}`, ""])) });
}

test("Debian's marker, with the packages that asked for it and since when", () => {
  const tree = files({
    files: {
      "/run/reboot-required": "*** System restart required ***\n",
      "/run/reboot-required.pkgs": "linux-base\nlibc6\nlinux-base\n../etc/passwd\n",
    },
    times: { "/run/reboot-required": BOOT + DAY },
  });
  expect(readRebootRequired(tree, look("6.1.0-28-amd64"))).toEqual({
    required: true,
    since: "2025-02-11T06:00:00.000Z",
    reasons: ["marker"],
    packages: ["libc6", "linux-base"],
    newest_kernel: null,
  });
});

describe("an update of the kernel that runs", () => {
  test.each<[string, string[], string | null]>([
    [
      "6.1.0-28-amd64",
      ["6.1.0-27-amd64", "6.1.0-28-amd64", "6.1.0-31-amd64", "6.1.0-30-amd64"],
      "6.1.0-31-amd64",
    ],
    ["6.1.0-28-amd64", ["6.1.0-28-amd64", "0-rescue-abc", "6.1.0-29-amd64.old"], null],
    ["4.18.0-553.5.1.el8_10.x86_64", ["4.18.0-553.5.1.el8_10.x86_64", "4.18.0-553.el8_10.x86_64"], null],
    [
      "4.18.0-553.el8_10.x86_64",
      ["4.18.0-553.5.1.el8_10.x86_64", "4.18.0-553.el8_10.x86_64"],
      "4.18.0-553.5.1.el8_10.x86_64",
    ],
    [
      "5.4.277-1.el8.elrepo.x86_64",
      ["5.4.277-1.el8.elrepo.x86_64", "5.4.278-1.el8.elrepo.x86_64"],
      "5.4.278-1.el8.elrepo.x86_64",
    ],
  ])("of %s among %j is %s", (running, installed, newest) => {
    const found = readRebootRequired(images(...installed), look(running));
    expect(found).toMatchObject({ required: newest !== null, newest_kernel: newest });
  });

  test.each([
    ["6.1.0-28-amd64", "6.1.0-31-rt-amd64"],
    ["6.1.0-28-amd64", "6.1.0-31-cloud-amd64"],
    ["6.1.0-28-amd64", "6.1.0-31-arm64"],
    ["6.6.51+rpt-rpi-v8", "6.6.74+rpt-rpi-2712"],
    ["4.18.0-553.el8_10.x86_64", "5.15.0-206.153.7.el8uek.x86_64"],
    ["4.18.0-553.el8_10.x86_64", "6.9.1-1.el8.elrepo.x86_64"],
    ["5.4.277-1.el8.elrepo.x86_64", "6.9.1-1.el8.elrepo.x86_64"],
    ["5.14.0-427.el9.x86_64", "5.14.0-428.el9.x86_64+debug"],
    ["5.14.0-427.el9.x86_64", "5.14.0-428.el9.x86_64+rt"],
    ["6.4.0-150600.21-default", "6.4.0-150600.23-kdump"],
  ])("of %s is not %s: another line", (running, other) => {
    expect(readRebootRequired(images(running, other), look(running)).required).toBe(false);
    // Not one of its own line is there to look at.
    expect(readRebootRequired(images(other), look(running)).required).toBeNull();
  });

  test("Ubuntu's hardware enablement kernel beside the release's own, and the other way round", () => {
    const system = { id: "ubuntu", id_like: "debian", version_id: "22.04" };
    const both = images("5.15.0-105-generic", "6.5.0-35-generic", "6.8.0-40-generic");
    const own = { release: "5.15.0-105-generic", version: "#115-Ubuntu SMP Mon Apr 15 2024" };
    expect(readRebootRequired(both, look("", { running: own, system })).required).toBe(false);
    const enabled = { release: "6.5.0-35-generic", version: "#35~22.04.1-Ubuntu SMP" };
    expect(readRebootRequired(both, look("", { running: enabled, system })).newest_kernel).toBe(
      "6.8.0-40-generic",
    );
    // After an upgrade of the release its old kernel waits for the new one.
    const upgraded = { ...system, version_id: "24.04" };
    expect(readRebootRequired(both, look("", { running: own, system: upgraded })).required).toBe(true);
  });

  test("Arch names no versions in /boot; another package's kernel is none", () => {
    const system = { id: "arch", id_like: null, version_id: null };
    const modules = (kernels: Record<string, string>): ReturnType<typeof openFiles> =>
      files({
        files: Object.fromEntries([
          ["/boot/vmlinuz-linux", ""],
          ...Object.entries(kernels).flatMap(([release, name]) => [
            [`/lib/modules/${release}/vmlinuz`, ""],
            [`/lib/modules/${release}/pkgbase`, `${name}\n`],
          ]),
        ]),
      });
    const updated = modules({ "6.9.2-arch1-1": "linux", "6.6.32-1-lts": "linux-lts" });
    expect(readRebootRequired(updated, look("6.9.1-arch1-1", { system })).newest_kernel).toBe(
      "6.9.2-arch1-1",
    );
    const manjaro = modules({ "6.6.32-1-MANJARO": "linux66", "6.9.2-1-MANJARO": "linux69" });
    expect(readRebootRequired(manjaro, look("6.6.32-1-MANJARO", { system })).required).toBe(false);
  });

  test("module folders stand in for kernel images, removed ones left behind do not count", () => {
    const tree = files({
      files: { "/lib/modules/6.9.2-arch1-1/modules.dep": "" },
      folders: ["/lib/modules/6.9.1-arch1-1/kernel"],
    });
    expect(readRebootRequired(tree, look("6.9.1-arch1-1"))).toMatchObject({
      required: false,
      newest_kernel: null,
    });
  });

  test("without marker and kernels nobody can tell", () => {
    expect(readRebootRequired(files({}), look("6.1.0-28-amd64")).required).toBeNull();
    expect(readRebootRequired(images("6.1.0-99-amd64"), look("", { running: null })).required).toBeNull();
    expect(readRebootRequired(images("6.1.0-99-amd64"), look("custom")).required).toBeNull();
  });
});

describe("the same release, installed anew", () => {
  const release = "6.1.0-18-amd64";
  const path = `/boot/vmlinuz-${release}`;
  const build = (version: string): string =>
    `MZ\0\0${release} (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian ${version}\0\0`;
  const running = { release, version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)" };

  test("is another build by what its image says", () => {
    const other = files({ files: { [path]: build("6.1.99-1 (2026-11-28)") }, times: { [path]: BOOT - DAY } });
    expect(readRebootRequired(other, look("", { running }))).toMatchObject({
      required: true,
      reasons: ["kernel_rebuilt"],
      newest_kernel: null,
    });
    const same = files({ files: { [path]: build("6.1.76-1 (2024-02-01)") }, times: { [path]: BOOT + DAY } });
    expect(readRebootRequired(same, look("", { running })).required).toBe(false);
  });

  test("by the time it was built where it is compressed", () => {
    const newer = files({ files: { [path]: "\x1f\x8b" }, times: { [path]: BOOT + DAY } });
    expect(readRebootRequired(newer, look("", { running })).reasons).toEqual(["kernel_rebuilt"]);
    const older = files({ files: { [path]: "\x1f\x8b" }, times: { [path]: BOOT - DAY } });
    expect(readRebootRequired(older, look("", { running })).required).toBe(false);
  });
});

test("an image that came after the boot and does not say which it is: nobody can tell", () => {
  const release = "6.1.0-18-arm64";
  const path = `/boot/vmlinuz-${release}`;
  const boot = Date.now() - DAY;
  const tree = files({ files: { [path]: "\x1f\x8b" }, times: { [path]: boot - 30 * DAY } });
  const at = { bootTime: boot, now: Date.now() + DAY };
  expect(readRebootRequired(tree, look(release, at)).required).toBeNull();
  // Booted since it is there.
  expect(readRebootRequired(tree, look(release, { ...at, bootTime: Date.now() + 60_000 })).required).toBe(
    false,
  );
});

describe("since when", () => {
  const waits = "/boot/vmlinuz-6.1.0-28-amd64";
  const list = "/var/lib/dpkg/info/linux-image-6.1.0-28-amd64.list";
  const at = (times: Record<string, number>): string | null => {
    const tree = Object.fromEntries(
      ["/boot/vmlinuz-6.1.0-18-amd64", ...Object.keys(times)].map((path) => [path, ""]),
    );
    return readRebootRequired(files({ files: tree, times }), look("6.1.0-18-amd64")).since;
  };

  test("is when the package was unpacked, not when it was built", () => {
    expect(at({ [waits]: BOOT - 300 * DAY, [list]: BOOT + DAY })).toBe("2025-02-11T06:00:00.000Z");
    // Laid out now, which this machine's clock has not reached: nothing tells.
    expect(at({ [waits]: BOOT - 300 * DAY })).toBeNull();
    const modules = "/lib/modules/6.1.0-28-amd64/modules.dep";
    expect(at({ [waits]: BOOT - 300 * DAY, [modules]: BOOT + 2 * DAY })).toBe("2025-02-12T06:00:00.000Z");
  });

  test("is never before the boot", () => {
    expect(at({ [waits]: BOOT, [list]: BOOT - 30 * DAY })).toBe(new Date(BOOT).toISOString());
  });

  test("is when the image came to be there, where no package manager tells", () => {
    const now = Date.now() + DAY;
    const tree = layTree({ files: { "/boot/vmlinuz-6.1.0-18-amd64": "", [waits]: "" }, now: BOOT });
    const { since } = readRebootRequired(openFiles(tree), look("6.1.0-18-amd64", { now, bootTime: BOOT }));
    expect(Date.parse(since ?? "")).toBe(Math.floor(openFiles(tree).info(waits)?.ctimeMs ?? 0));
  });
});

describe("a kernel pinned on Proxmox", () => {
  const PIN = "/etc/kernel/proxmox-boot-pin";
  const NEXT = "/etc/kernel/next-boot-pin";
  const [old, newer] = ["6.8.12-4-pve", "6.8.12-10-pve"];
  const newest = (running: string, pins: Record<string, string>): string | false | null => {
    const boot = Object.fromEntries([old, newer].map((release) => [`/boot/vmlinuz-${release}`, ""]));
    const { required, newest_kernel } = readRebootRequired(
      files({ files: { ...boot, ...pins } }),
      look(running),
    );
    return required === true ? newest_kernel : (required as false | null);
  };

  test.each([
    [old, {}, newer],
    [old, { [PIN]: `${old}\n` }, false],
    [newer, { [PIN]: `${old}\n` }, old],
    [old, { [PIN]: old, [NEXT]: newer }, newer],
    [old, { [PIN]: "5.15.0-1-pve" }, newer],
    [old, { [PIN]: "" }, newer],
  ])("%s with %j: %s waits", (running, pins, waits) => {
    expect(newest(running, pins)).toBe(waits);
  });
});

test("any text gives at most 64 well-formed package names", () => {
  forAll(
    fc.property(fc.string({ unit: "binary", maxLength: 1000 }), (text) => {
      const names = parsePackages(text);
      expect(names.length).toBeLessThanOrEqual(64);
      for (const name of names) expect(name).toMatch(/^[A-Za-z0-9+.:_-]+$/);
    }),
    { seed: 5 },
  );
  expect(parsePackages(Array.from({ length: 900 }, (_, i) => `p${i}`).join("\n"))).toHaveLength(64);
});
