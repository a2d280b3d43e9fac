import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { type FactsOptions, readFacts } from "../../../src/commands/facts/facts.ts";
import { deviceNumber, locked, parseLocks, readLocks } from "../../../src/commands/facts/locks.ts";
import { mountOf, readMounts, volatileStorage } from "../../../src/commands/facts/mounts.ts";
import { parseFields, readInhibitors, readSessions } from "../../../src/commands/facts/systemd.ts";
import { busyMark, isBusyFile, raucMarks } from "../../../src/commands/gates/update-marks.ts";
import { CONFIG_SECTIONS } from "../../../src/config/keys.ts";
import { POLICY_PATH } from "../../../src/helper/policy/policy.ts";
import { openFiles } from "../../../src/system/files.ts";
import { parseMountinfo } from "../../../src/system/mountinfo.ts";
import { forAll } from "../../support/for-all.ts";
import { layTree, type Tree, temporaryFolder } from "../../support/machine/tree.ts";

const NOW = 1_760_000_000_000;
const OPTIONS: FactsOptions = {
  stateDir: "/var/lib/foundry-agent",
  journalWritable: true,
  busyFiles: [],
  now: NOW,
};
const ROOT_MOUNT = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n";
const ALWAYS = { "/proc/uptime": "3600.12 7000.00\n", "/proc/self/mountinfo": ROOT_MOUNT, "/proc/locks": "" };

const read = (tree: Partial<Tree>, options: Partial<FactsOptions> = {}) =>
  readFacts(openFiles(layTree({ ...tree, files: { ...ALWAYS, ...tree.files } }), tree.errors ?? {}), {
    ...OPTIONS,
    ...options,
  });

describe("readFacts", () => {
  it("finds nothing on a host that has none of it", () => {
    expect(read({})).toEqual({
      uptimeMs: 3_600_120,
      inhibitors: [],
      sessions: [],
      packageLock: false,
      packageLockFile: null,
      updates: [],
      osds: { is: "no" },
      storage: { writable: true, volatile: null },
      clockTrusted: false,
      unreadable: {},
    });
  });

  it("says what it could not read", () => {
    const tree: Partial<Tree> = {
      files: { "/var/lib/dpkg/lock": "", "/run/systemd/inhibit/1": "WHAT=shutdown\nMODE=block\n" },
      errors: {
        "/proc/uptime": "EACCES",
        "/proc/locks": "EACCES",
        "/run/systemd/inhibit/1": "EACCES",
      },
    };
    expect(read(tree)).toMatchObject({
      uptimeMs: 0,
      packageLock: false,
      unreadable: {
        uptime: "/proc/uptime can't be read",
        package_lock: "/var/lib/dpkg/lock or /proc/locks can't be read",
        inhibitors: "/run/systemd/inhibit/1 can't be read (EACCES)",
      },
    });
    // Without package manager there is nothing to be in doubt about.
    expect(read({ errors: { "/proc/locks": "ENOENT" } }).unreadable).toEqual({});
  });

  it("sees zypper by its process, and a PID file that was left behind where processes show", () => {
    const zypper = (files: Record<string, string>) =>
      read({ files: { "/run/zypp.pid": "4242\n", ...files } });
    expect(zypper({ "/proc/4242/stat": "" })).toMatchObject({
      packageLock: true,
      packageLockFile: "/run/zypp.pid",
    });
    expect(zypper({ "/proc/1/stat": "" }).packageLock).toBe(false);
    expect(zypper({}).packageLock).toBe(true);
    expect(zypper({ "/run/zypp.pid": "" }).packageLock).toBe(false);
  });

  it("sees pacman's file unless it is from before the boot", () => {
    const pacman = (made: number) =>
      read({ files: { "/var/lib/pacman/db.lck": "" }, times: { "/var/lib/pacman/db.lck": made } })
        .packageLock;
    expect(pacman(NOW - 60_000)).toBe(true);
    expect(pacman(NOW - 7_200_000)).toBe(false);
  });

  it("sees updates by what they leave in files", () => {
    const updates = (tree: Partial<Tree>, options: Partial<FactsOptions> = {}) => read(tree, options).updates;
    const tree = "/var/lib/mender/modules/v3/payloads/0000/tree";
    expect(updates({ folders: [tree] })).toEqual([`Mender (${tree})`]);
    const rauc = { "/etc/rauc/system.conf": "[system]\nmountprefix=/run/update/ \n" };
    expect(updates({ files: rauc })).toEqual([]);
    const mounted = "30 22 7:0 / /run/update/bundle ro - squashfs /dev/loop0 ro\n";
    expect(
      updates({
        files: { ...rauc, "/proc/self/mountinfo": ROOT_MOUNT + mounted },
        folders: ["/run/update/bundle"],
      }),
    ).toEqual(["RAUC (/run/update/bundle)"]);
    // A folder of that name means nothing without RAUC.
    expect(updates({ files: { "/run/rauc/bundle/x": "" } }, { now: 0 })).toEqual([]);
    expect(updates({ files: { ...rauc, "/run/rauc/bundle/x": "" } }, { now: 0 })).toEqual([
      "RAUC (/run/rauc/bundle)",
    ]);
    const busy = { busyFiles: ["/run/backup.running", "locked:/run/lock/x"] };
    expect(updates({ files: { "/run/backup.running": "", "/run/lock/x": "" } }, busy)).toEqual([
      "/run/backup.running",
    ]);
  });

  it("trusts a clock that systemd-timesyncd has set", () => {
    expect(read({ files: { "/run/systemd/timesync/synchronized": "" } }).clockTrusted).toBe(true);
    expect(read({ folders: ["/run/systemd/timesync"] }).clockTrusted).toBe(false);
  });

  it.runIf(process.getuid?.() !== 0)("says when a folder is closed to it", () => {
    const root = layTree({
      files: { ...ALWAYS, "/run/systemd/inhibit/1": "", "/var/lib/mender/modules/x": "" },
    });
    for (const folder of ["run/systemd/inhibit", "var/lib/mender"]) {
      chmodSync(join(root, folder), 0);
      onTestFinished(() => chmodSync(join(root, folder), 0o700));
    }
    expect(readFacts(openFiles(root), OPTIONS).unreadable).toMatchObject({
      inhibitors: "/run/systemd/inhibit can't be read",
      updates: expect.stringContaining("/var/lib/mender/"),
    });
  });

  it("reads this host without an error", () => {
    const facts = readFacts(openFiles("/"), { ...OPTIONS, now: Date.now() });
    expect(facts.uptimeMs).toBeGreaterThan(0);
    expect(Object.keys(facts.unreadable ?? {}).filter((name) => name === "uptime")).toEqual([]);
  });
});

describe("locks", () => {
  it("are read from /proc/locks: exclusive ones that are held, of every kind but leases", () => {
    const text = [
      "1: POSIX  ADVISORY  WRITE 4242 fd:01:131 0 EOF",
      "2: -> POSIX  ADVISORY  WRITE 4243 fd:01:132 0 EOF",
      "2: FLOCK  ADVISORY  WRITE 4243 00:2f:133 0 EOF",
      "3: OFDLCK ADVISORY  WRITE -1 08:11:134 0 EOF",
      "4: POSIX  ADVISORY  READ 4242 fd:01:135 1073741826 1073742335",
      "5: LEASE  ACTIVE    WRITE 4242 fd:01:136 0 EOF",
      "6: POSIX  MANDATORY WRITE 4242 103:00004:9007199254740991 0 EOF",
      "nonsense",
      "",
    ].join("\n");
    expect(parseLocks(text)).toEqual([
      { dev: "253:1", inode: 131 },
      { dev: "0:47", inode: 133 },
      { dev: "8:17", inode: 134 },
      { dev: "259:4", inode: 9_007_199_254_740_991 },
    ]);
  });

  it("never trip over any text", () => {
    forAll(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        parseLocks(`1: POSIX  ADVISORY  WRITE ${text}`);
        parseFields(`WHO=${text}\n${text}`);
        raucMarks(`mountprefix=${text}`);
      }),
      { seed: 7, cases: 500 },
    );
  });

  it("knows a file that a program has locked with flock(2)", async () => {
    const file = join(temporaryFolder(), "lock");
    writeFileSync(file, "");
    const files = openFiles("/");
    const look = () => locked(files, file, readLocks(files), readMounts(files));
    expect(look()).toBe("no");
    const holder = spawn("flock", ["--no-fork", file, "sh", "-c", "echo held; exec sleep 60"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    expect(look()).toBe("yes");
    holder.kill("SIGKILL");
    await once(holder, "close");
    expect(look()).toBe("no");
  });

  it("knows a file that is locked with fcntl(2), as dpkg and rpm do", () => {
    const file = join(temporaryFolder(), "db");
    const database = new DatabaseSync(file);
    onTestFinished(() => database.close());
    const files = openFiles("/");
    const look = () => locked(files, file, readLocks(files), readMounts(files));
    database.exec("CREATE TABLE t (a); BEGIN EXCLUSIVE");
    expect(look()).toBe("yes");
    database.exec("COMMIT");
    expect(look()).toBe("no");
    expect(locked(files, file, null, [])).toBe("unknown");
    expect(locked(files, `${file}.none`, null, [])).toBe("no");
  });

  it("are found on btrfs too, where a file has another device number than its locks", () => {
    const root = layTree({ files: { "/var/lib/dpkg/lock": "" } });
    const inode = statSync(join(root, "var/lib/dpkg/lock")).ino;
    const files = openFiles(root);
    const locks = [{ dev: "0:31", inode }];
    const at = (dev: string) => parseMountinfo(`22 1 ${dev} / / rw - btrfs /dev/sda2 rw`);
    // Paths of a tree resolve to where it lies; the mount above is the same.
    expect(locked(files, "/var/lib/dpkg/lock", locks, at("0:31"))).toBe("yes");
    expect(locked(files, "/var/lib/dpkg/lock", locks, at("0:32"))).toBe("no");
  });

  it("name devices as the kernel does", () => {
    expect(deviceNumber(0x801)).toBe("8:1");
    expect(deviceNumber(0x10304)).toBe("259:4");
    expect(deviceNumber(0x10082c)).toBe("8:300");
    expect(deviceNumber(2 ** 32 * 0x1000 + 0x801)).toBe("4104:1");
    expect(deviceNumber(0xfd01)).toBe("253:1");
    expect(deviceNumber(47)).toBe("0:47");
  });
});

describe("mounts", () => {
  const TEXT = [
    ROOT_MOUNT.trim(),
    "23 22 0:20 / /var/lib rw shared:5 - tmpfs tmpfs rw",
    "24 22 8:2 / /var/lib/foundry\\040agent rw - ext4 /dev/sda2 rw",
    "25 22 8:3 / /srv rw - ext4 /dev/sda3 rw",
    "26 25 0:40 / /srv rw - overlay overlay rw,upperdir=/x",
    "broken line",
  ].join("\n");
  it("are those above a path, the last where several are in one place", () => {
    const mounts = parseMountinfo(TEXT);
    expect(mounts).toHaveLength(5);
    expect(mountOf("/var/lib/x", mounts)?.fstype).toBe("tmpfs");
    expect(mountOf("/var/library", mounts)?.mountpoint).toBe("/");
    expect(mountOf("/var/lib/foundry agent", mounts)?.dev).toBe("8:2");
    expect(mountOf("/srv/x", mounts)?.fstype).toBe("overlay");
    expect(mountOf("/srv/x", [])).toBeNull();
  });

  it("tell whether the state outlives a reboot", () => {
    const files = openFiles(layTree({ files: {} }));
    const mounts = parseMountinfo(TEXT);
    expect(volatileStorage(files, "/var/lib/foundry-agent", mounts)).toBe("tmpfs");
    expect(volatileStorage(files, "/srv/state", mounts)).toBe("overlay");
    expect(volatileStorage(files, "/var/lib/foundry agent/x", mounts)).toBeNull();
    expect(volatileStorage(files, "/x", [])).toBeNull();
  });
});

describe("what logind keeps", () => {
  const inhibit = (files: Record<string, string>) => readInhibitors(openFiles(layTree({ files })));
  const HEAD = "# This is private data. Do not parse.\n";

  it("are inhibitors that block a shutdown, with their words", () => {
    const found = inhibit({
      "/run/systemd/inhibit/1": `${HEAD}WHAT=shutdown:sleep\nMODE=block\nUID=0\nPID=7\nWHO=backup\\x20job\nWHY=Gr\\303\\274\\xc3\\x9fe\\n\\"a\\"\nFIFO=/run/systemd/inhibit/1.ref\n`,
      "/run/systemd/inhibit/2": `${HEAD}WHAT=shutdown\nMODE=delay\nWHO=x\nWHY=y\n`,
      "/run/systemd/inhibit/3": `${HEAD}WHAT=sleep:idle\nMODE=block\nWHO=x\nWHY=y\n`,
      "/run/systemd/inhibit/4": `${HEAD}WHAT=shutdown\nMODE=block-weak\nWHO=x\nWHY=y\n`,
      "/run/systemd/inhibit/5": `${HEAD}WHAT=shutdown\nWHO="Package Manager"\nWHY="a \\"b\\" \\$c"\n`,
      "/run/systemd/inhibit/.#6Zz": `${HEAD}WHAT=shutdown\nMODE=block\n`,
      "/run/systemd/inhibit/1.ref": "WHAT=shutdown\nMODE=block\n",
    });
    expect(found).toEqual({
      found: [
        { who: "backup job", why: 'Grüße "a"' },
        { who: "Package Manager", why: 'a "b" $c' },
      ],
      unreadable: null,
    });
  });

  it("does not hang on the FIFO beside each file, nor trip over a folder", () => {
    const root = layTree({
      files: { "/run/systemd/inhibit/1": "WHAT=shutdown\nWHO=a\n" },
      fifos: ["/run/systemd/inhibit/1.ref"],
    });
    expect(readInhibitors(openFiles(root)).found).toEqual([{ who: "a", why: "" }]);
    mkdirSync(join(root, "run/systemd/inhibit/folder"));
    expect(readInhibitors(openFiles(root)).unreadable).toContain("/run/systemd/inhibit/folder can't be read");
  });

  it("is none where there is no systemd", () => {
    expect(inhibit({})).toEqual({ found: [], unreadable: null });
  });

  it("are sessions of people, with terminal and host", () => {
    const session = (fields: string): string => `${HEAD}${fields}`;
    const files = {
      "/run/systemd/sessions/3": session(
        "UID=0\nUSER=root\nACTIVE=1\nSTATE=active\nREMOTE=1\nTYPE=tty\nCLASS=user\nTTY=pts/0\nREMOTE_HOST=10.0.0.5\n",
      ),
      "/run/systemd/sessions/4": session("UID=1\nUSER=ada\nSTATE=closing\nTYPE=tty\nCLASS=user\n"),
      "/run/systemd/sessions/c1": session("UID=1\nUSER=gdm\nSTATE=active\nTYPE=wayland\nCLASS=greeter\n"),
      "/run/systemd/sessions/5": session(
        "UID=1\nUSER=cron\nSTATE=active\nTYPE=unspecified\nCLASS=background\n",
      ),
      "/run/systemd/sessions/6": session("UID=1000\nSTATE=online\nTYPE=x11\nCLASS=user-early\n"),
      "/run/systemd/sessions/7": session("UID=1\nUSER=ada\nSTATE=active\nCLASS=manager\n"),
    };
    expect(readSessions(openFiles(layTree({ files }))).found).toEqual([
      "root on pts/0 from 10.0.0.5",
      "uid 1000 on x11",
    ]);
  });
});

it("files that a site names are absolute, with locked: before those that always exist", () => {
  for (const good of ["/run/x", "locked:/run/lock/x", "/a b/c"]) expect(isBusyFile(good)).toBe(true);
  for (const bad of ["x", "/", "", "locked:x", "/run/", "/a/../b", "Locked:/x"])
    expect(isBusyFile(bad)).toBe(false);
  expect(busyMark("locked:/run/lock/x")).toEqual({
    name: "/run/lock/x",
    path: "/run/lock/x",
    sign: "locked",
  });
  expect(busyMark("/run/x").sign).toBe("exists");
});

it("the configuration names the helper's own policy by default", () => {
  expect(CONFIG_SECTIONS.commands.keys.policy_file.fallback).toBe(POLICY_PATH);
});
