/** Which mounts a boot makes, and which are gone after every one. */
import { expect, test } from "vitest";
import {
  fstabMounts,
  mountItems,
  pathOfUnit,
  wantedMounts,
} from "../../../../src/agent/commands/after-boot/mounts.ts";
import { openFiles } from "../../../../src/system/files.ts";
import { layTree } from "../../../support/machine/tree.ts";

const FSTAB = `# <file system> <mount point> <type> <options>
UUID=1 / ext4 errors=remount-ro 0 1
UUID=2 /srv/data xfs defaults 0 2
UUID=3 /srv/my\\040disk ext4 defaults
/dev/sdz1 /mnt/usb vfat noauto,user 0 0
nas:/home /home nfs x-systemd.automount,_netdev 0 0
nas:/backup /backup/ nfs4 _netdev 0 0
UUID=4 none swap sw 0 0
UUID=5 swap swap sw 0 0
broken
`;
const line = (at: string, fstype: string, superOptions = "rw", root = "/"): string =>
  `36 35 8:1 ${root} ${at} rw,relatime shared:1 - ${fstype} /dev/x ${superOptions}\n`;

test("fstab: what is mounted by itself", () => {
  expect(fstabMounts(FSTAB)).toEqual(["/", "/srv/data", "/srv/my disk", "/backup"]);
});

test.each([
  ["-", "/"],
  ["srv-data", "/srv/data"],
  ["srv-my\\x2ddisk", "/srv/my-disk"],
  ["srv-\\xc3\\xa4", "/srv/\u00e4"],
])("unit %s", (name, path) => {
  expect(pathOfUnit(name)).toBe(path);
});

const host = () =>
  openFiles(
    layTree({
      files: {
        "/etc/fstab": FSTAB,
        "/etc/systemd/system/multi-user.target.wants/srv-ceph.mount": "",
        "/etc/systemd/system/srv-static.mount": "",
        "/run/systemd/generator/local-fs.target.requires/boot-efi.mount": "",
        "/run/systemd/generator/remote-fs.target.requires/home.automount": "",
        "/proc/self/mountinfo":
          line("/", "ext4") +
          line("/proc", "proc") +
          line("/srv/data", "xfs") +
          line("/srv/my\\040disk", "ext4", "ro,errors=remount-ro") +
          line("/mnt/usb", "vfat") +
          line("/home", "nfs") +
          line("/srv/ceph", "ceph") +
          line("/srv/static", "ext4") +
          line("/boot/efi", "autofs") +
          line("/boot/efi", "vfat") +
          line("/tank", "zfs") +
          line("/var/lib/docker/overlay2/1/merged", "overlay") +
          line("/run/user/1000", "tmpfs") +
          line("/tmp", "ext4", "rw", "/tmp/systemd-private"),
      },
    }),
  );

test("mounted now, of those that a boot mounts; not by hand, by touch or by a container", () => {
  const files = host();
  expect([...wantedMounts(files)].sort()).toEqual(
    ["/", "/backup", "/boot/efi", "/srv/ceph", "/srv/data", "/srv/my disk"].sort(),
  );
  expect(mountItems(files)?.map(({ name, is }) => `${name} ${is}`)).toEqual([
    "/ writable",
    "/srv/data writable",
    "/srv/my disk read-only",
    "/srv/ceph writable",
    "/boot/efi writable",
    "/tank writable",
  ]);
});

test("nobody can say: no list, not an empty one", () => {
  expect(mountItems(openFiles(layTree({ files: {} })))).toBeNull();
});
