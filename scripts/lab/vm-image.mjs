/**
 * A Debian 12 for the emulated machine of `npm run test:vm`: root file system, kernel and initial RAM disk, with
 * smartctl and ipmitool in it and a key that opens ssh as root. Nothing of the agent: that is copied in.
 * Made once by debootstrap (two to three minutes) and kept in build/; every boot throws away what it wrote.
 *
 *   node scripts/lab/vm-image.mjs     makes it and prints the folder
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../paths.mjs";

const FOLDER = join(ROOT, "build/vm-image");
const SUITE = "bookworm";
const MIRROR = "http://deb.debian.org/debian";
const SIZE = 2_500 * 1024 * 1024;
const PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "udev", "kmod", "linux-image-amd64", "initramfs-tools"],
  ...["openssh-server", "iproute2", "smartmontools", "ipmitool"],
  // What the executable is linked with.
  ...["libatomic1", "libgcc-s1", "libstdc++6"],
];

/** Why no emulated machine can be had here, with what to do; null when one can. */
export function vmLacking() {
  if (process.platform !== "linux" || process.arch !== "x64")
    return "the emulated machine is for x86-64 only";
  const wanted = { "qemu-system-x86_64": "qemu-system-x86", ssh: "openssh-client", curl: "curl" };
  if (!existsSync(FOLDER)) {
    if (process.getuid?.() !== 0)
      return "only root can make the machine's disk: node scripts/lab/vm-image.mjs";
    Object.assign(wanted, {
      debootstrap: "debootstrap",
      mke2fs: "e2fsprogs",
      "ssh-keygen": "openssh-client",
    });
  }
  const missing = Object.entries(wanted)
    .filter(([program]) => spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status !== 0)
    .map(([, name]) => name);
  return missing.length === 0 ? null : `apt-get install ${[...new Set(missing)].join(" ")}`;
}

/** The folder with root.raw, vmlinuz, initrd.img and id_lab; made when it is not there. */
export function vmImage() {
  if (existsSync(FOLDER)) return FOLDER;
  const fresh = `${FOLDER}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    const root = join(fresh, "root");
    said(["debootstrap", "--variant=minbase", `--include=${PACKAGES.join()}`, SUITE, root, MIRROR]);
    said(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vm-lab", "-f", join(fresh, "id_lab")]);
    makeLab(root, join(fresh, "id_lab.pub"));
    for (const [pattern, name] of [
      [/^vmlinuz-/, "vmlinuz"],
      [/^initrd\.img-/, "initrd.img"],
    ]) {
      const found = readdirSync(join(root, "boot")).find((file) => pattern.test(file));
      if (found === undefined) throw new Error(`the kernel's package brought no ${name}`);
      copyFileSync(join(root, "boot", found), join(fresh, name));
    }
    rmSync(join(root, "var/cache/apt"), { recursive: true, force: true });
    rmSync(join(root, "var/lib/apt/lists"), { recursive: true, force: true });
    writeFileSync(join(fresh, "root.raw"), "");
    truncateSync(join(fresh, "root.raw"), SIZE);
    said(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-d", root, join(fresh, "root.raw")]);
    rmSync(root, { recursive: true, force: true });
    renameSync(fresh, FOLDER);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
  return FOLDER;
}

function makeLab(root, key) {
  const put = (path, text) => writeFileSync(join(root, path), text);
  put("etc/hostname", "lab-storage\n");
  put("etc/hosts", "127.0.0.1 localhost lab-storage\n");
  put("etc/fstab", "/dev/vda / ext4 rw,relatime 0 1\n");
  put("etc/systemd/network/10-lab.network", "[Match]\nName=e*\n[Network]\nDHCP=yes\n");
  // The kernel finds the emulated BMC by itself; /dev/ipmi0 comes with this module only.
  put("etc/modules-load.d/ipmi.conf", "ipmi_si\nipmi_devintf\n");
  mkdirSync(join(root, "root/.ssh"), { recursive: true, mode: 0o700 });
  copyFileSync(key, join(root, "root/.ssh/authorized_keys"));
  const inside = (...argv) => said(["chroot", root, ...argv]);
  inside("systemctl", "-q", "enable", "systemd-networkd", "ssh");
  // smartd would ask the drives too, and the timers have no network to reach.
  inside("systemctl", "-q", "mask", "smartmontools.service", "apt-daily.timer", "apt-daily-upgrade.timer");
}

/** @throws Error with the last lines of what it said */
function said(argv) {
  const [program, ...args] = argv;
  try {
    execFileSync(program, args, { stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const lines = `${error.stdout ?? ""}${error.stderr ?? ""}`.trim().split("\n").slice(-8);
    throw new Error(`${argv.slice(0, 2).join(" ")} failed:\n${lines.join("\n")}`, { cause: error });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(vmImage());
