import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openIdentity } from "../../src/agent/identity.ts";
import {
  type BoardFacts,
  compareFingerprints,
  mergeFingerprints,
  readBoardFacts,
} from "../../src/agent/identity-fingerprint.ts";
import { rootDriveSerials } from "../../src/agent/identity-root-drive.ts";
import type { Store } from "../../src/agent/store-types.ts";
import { openFiles } from "../../src/system/files.ts";
import { machineIdOf } from "../../src/system/machine-id.ts";
import { START, storedCommand, testStore, warning } from "../support/store.ts";
import { layTree, type Tree, temporaryFolder, treeMachine } from "../support/tree.ts";

const RAW_ID = "0123456789abcdef0123456789abcdef";

interface Board {
  uuid?: string;
  serial?: string;
  pi?: string;
  macs?: string[];
  root?: string;
  machineId?: string | null;
  /** Not root: DMI's numbers can't be read. */
  user?: boolean;
}

/** Made by hand after sysfs-class-net, sysfs-block and proc_pid_mountinfo(5). */
function tree(board: Board): Tree {
  const files: Tree["files"] = {
    "/proc/sys/kernel/random/boot_id": "7c2f1e7e-0000-4000-8000-000000000001\n",
    "/proc/sys/kernel/hostname": "ceph-01\n",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "/sys/class/net/lo/address": "00:00:00:00:00:00\n",
    "/sys/class/net/lo/addr_assign_type": "0\n",
    "/proc/self/mountinfo": "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n",
  };
  const links: Record<string, string> = {};
  if (board.machineId !== null) files["/etc/machine-id"] = `${board.machineId ?? RAW_ID}\n`;
  if (board.uuid !== undefined) files["/sys/class/dmi/id/product_uuid"] = `${board.uuid}\n`;
  if (board.serial !== undefined) files["/sys/class/dmi/id/product_serial"] = `${board.serial}\n`;
  if (board.pi !== undefined) files["/proc/device-tree/serial-number"] = `${board.pi}\0`;
  for (const [n, mac] of (board.macs ?? []).entries()) {
    files[`/sys/class/net/eth${n}/address`] = `${mac}\n`;
    files[`/sys/class/net/eth${n}/addr_assign_type`] = "0\n";
    files[`/sys/class/net/eth${n}/device/uevent`] = "";
  }
  if (board.root !== undefined) {
    files["/sys/devices/ata1/block/sda/device/wwid"] = `${board.root}\n`;
    files["/sys/devices/ata1/block/sda/sda2/partition"] = "2\n";
    links["/sys/dev/block/8:2"] = "/sys/devices/ata1/block/sda/sda2";
  }
  const hidden = ["/sys/class/dmi/id/product_uuid", "/sys/class/dmi/id/product_serial"];
  const errors = board.user ? Object.fromEntries(hidden.map((path) => [path, "EACCES"])) : {};
  return { files, links, errors };
}

const SERVER: Board = {
  uuid: "4c4c4544-0042-3510-8051-b4c04f595831",
  serial: "BB5QYX1",
  macs: ["b8:ca:3a:00:00:01", "b8:ca:3a:00:00:02"],
  root: "naa.500a075100000001",
};
const OTHER: Board = {
  uuid: "4c4c4544-0042-3510-8051-b4c04f595899",
  serial: "CC5QYX9",
  macs: ["b8:ca:3a:00:00:91"],
  root: "naa.500a075100000099",
};

const keeper = (store: Store, board: Board) =>
  openIdentity(store, treeMachine(tree(board)), { version: "0.1.0" });
const codes = (of: ReturnType<typeof keeper>): string[] => of.conditions().map((condition) => condition.code);
const facts = (board: Board): BoardFacts => {
  const { errors, ...rest } = tree(board);
  return readBoardFacts(openFiles(layTree(rest), errors));
};

/** The state of a registered node in the middle of its work. */
function registered(folder: string, board: Board): ReturnType<ReturnType<typeof keeper>["current"]> {
  const store = testStore(folder);
  const identity = keeper(store, board).current();
  store.values("api.nodefoundry").set("token", "nf_nt_secret");
  store.insertCommand(storedCommand("open", { state: "accepted" }));
  store.appendEvents([warning("of the first")], START);
  store.close();
  return identity;
}

describe("identity", () => {
  it("says who the node is, and not the raw machine-id or serial numbers of the hardware", () => {
    const identity = keeper(testStore(temporaryFolder()), SERVER).current();
    expect(identity).toEqual({
      machineId: machineIdOf(RAW_ID, "foundry-agent/v1"),
      instance: expect.stringMatching(/^[0-9a-f]{32}$/),
      fingerprint: expect.arrayContaining([
        expect.stringMatching(/^dmi:[0-9a-f]{32}$/),
        expect.stringMatching(/^mac:[0-9a-f]{32}$/),
        expect.stringMatching(/^root:[0-9a-f]{32}$/),
      ]),
      hostname: "ceph-01",
      serial: "BB5QYX1",
      macs: ["b8:ca:3a:00:00:01", "b8:ca:3a:00:00:02"],
      arch: process.arch,
      os: "Debian GNU/Linux 12 (bookworm)",
      agentVersion: "0.1.0",
      bootId: "7c2f1e7e-0000-4000-8000-000000000001",
      stateLost: true,
    });
    expect(identity.fingerprint).toHaveLength(5);
    const told = JSON.stringify({ ...identity, serial: null, macs: [] });
    for (const secret of [RAW_ID, "BB5QYX1", "4c4c4544", "b8:ca:3a", "naa.5"])
      expect(told).not.toContain(secret);
  });

  it("stays the same over restarts, and two states of one machine are two instances", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const again = keeper(store, SERVER);
    expect(again.current()).toEqual({ ...first, stateLost: false });
    expect(codes(again)).toEqual([]);
    expect(store.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
    const other = keeper(testStore(temporaryFolder()), SERVER).current();
    expect(other.machineId).toBe(first.machineId);
    expect(other.instance).not.toBe(first.instance);
  });

  it("writes nothing at a start at which nothing has changed", () => {
    const folder = temporaryFolder();
    registered(folder, SERVER);
    const store = testStore(folder);
    const before = store.written().transactions;
    keeper(store, SERVER);
    expect(store.written().transactions).toBe(before);
  });

  it("of a card copied to other hardware is dropped: nothing executed, nothing sent, registered anew", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const clone = keeper(store, OTHER);
    expect(codes(clone)).toEqual(["identity_cloned"]);
    expect(clone.conditions()[0]?.text).toContain("1 unfinished command");
    expect(store.values("api.nodefoundry").get("token")).toBeNull();
    expect(store.commands(9)).toEqual([]);
    expect(store.pendingEvents("nodefoundry", 9)).toEqual([]);
    expect(store.setAside().map(({ kind, name }) => `${kind} ${name}`)).toContain("command open");
    const identity = clone.current();
    expect(identity.instance).not.toBe(first.instance);
    expect(identity.machineId).not.toBe(first.machineId);
    expect(identity.fingerprint.filter((part) => first.fingerprint.includes(part))).toEqual([]);
    store.close();
    // Once is enough: the next start on that hardware is the new node's.
    const next = testStore(folder);
    next.values("api.nodefoundry").set("token", "its own");
    const later = keeper(next, OTHER);
    expect(codes(later)).toEqual([]);
    expect(later.current()).toEqual({ ...identity, stateLost: false });
    expect(next.values("api.nodefoundry").get("token")).toBe("its own");
  });

  it("is found cloned by a Raspberry Pi's serial number, and with the clock in 1970", () => {
    const folder = temporaryFolder();
    const pi = { pi: "10000000a1b2c3d4", macs: ["dc:a6:32:00:00:01"], root: "0x1234" };
    registered(folder, pi);
    const machine = treeMachine(
      tree({ ...pi, pi: "10000000ffffffff", macs: ["dc:a6:32:00:00:99"], root: "0x9999" }),
      {
        now: () => 3_000,
        monotonic: () => 3_000,
      },
    );
    expect(codes(openIdentity(testStore(folder), machine, { version: "0" }))).toEqual(["identity_cloned"]);
  });

  it("survives parts exchanged one after the other, and what was there once is remembered", () => {
    const folder = temporaryFolder();
    const { instance } = registered(folder, SERVER);
    const steps: Board[] = [
      { ...SERVER, uuid: OTHER.uuid as string, serial: OTHER.serial as string }, // mainboard
      { ...OTHER, root: SERVER.root as string }, // its network too
      OTHER, // at last the drive
      { macs: SERVER.macs as string[] }, // and the old card alone, from the drawer
    ];
    for (const board of steps) {
      const store = testStore(folder);
      const identity = keeper(store, board);
      expect([identity.current().instance, codes(identity)]).toEqual([instance, []]);
      expect(store.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
      store.close();
    }
  });

  it("takes what can't be read for unknown, not for changed", () => {
    const folder = temporaryFolder();
    const { instance } = registered(folder, { ...SERVER, macs: SERVER.macs?.slice(0, 1) as string[] });
    const reads = (board: Board): [string, string[]] => {
      const store = testStore(folder);
      const identity = keeper(store, board);
      store.close();
      return [identity.current().instance, codes(identity)];
    };
    // As a user, the network card exchanged and the root on the net: DMI may well be the same.
    expect(reads({ ...OTHER, root: undefined as never, user: true })).toEqual([
      instance,
      ["identity_unverified"],
    ]);
    // It is not learnt: the same again, and root sees that the board is the same.
    expect(reads({ ...OTHER, root: undefined as never, user: true })).toEqual([
      instance,
      ["identity_unverified"],
    ]);
    expect(reads({ ...SERVER, macs: OTHER.macs as string[], root: undefined as never })).toEqual([
      instance,
      [],
    ]);
    // Nothing to compare at all, as in a container: no proof of anything.
    expect(reads({ user: true })).toEqual([instance, []]);
    // As a user, card and drive both others: that is a copy.
    const store = testStore(folder);
    expect(
      codes(keeper(store, { ...SERVER, macs: ["02:00:00:00:00:77"], root: "naa.77", user: true })),
    ).toEqual(["identity_cloned"]);
  });

  it("with nothing stable on either side (containers, some VMs) is never a clone", () => {
    const folder = temporaryFolder();
    const { instance } = registered(folder, {});
    const store = testStore(folder);
    expect(keeper(store, {}).current().instance).toBe(instance);
    store.close();
    const grown = testStore(folder);
    const identity = keeper(grown, SERVER);
    expect(identity.current().instance).toBe(instance);
    expect(identity.current().fingerprint).toHaveLength(5);
  });

  it("without /etc/machine-id goes by a random id that is kept, and says so", () => {
    const folder = temporaryFolder();
    const first = registered(folder, { ...SERVER, machineId: null });
    expect(first.machineId).toMatch(/^[0-9a-f]{64}$/);
    const store = testStore(folder);
    const again = keeper(store, { ...SERVER, machineId: "uninitialized" });
    expect(again.current().machineId).toBe(first.machineId);
    expect(codes(again)).toEqual(["machine_id_missing"]);
    store.close();
    const late = keeper(testStore(folder), SERVER);
    expect([late.current().machineId, codes(late)]).toEqual([first.machineId, []]);
  });

  it("keeps its machine id when the file can't be read any more, and follows one that was made anew", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const without = keeper(store, { ...SERVER, machineId: null });
    expect([without.current().machineId, codes(without)]).toEqual([first.machineId, []]);
    store.close();
    const other = "f".repeat(32);
    expect(keeper(testStore(folder), { ...SERVER, machineId: other }).current().machineId).toBe(
      machineIdOf(other, "foundry-agent/v1"),
    );
  });

  it("is renewed when a control API says it is a copy, and adopted back, never with its commands", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const identity = keeper(store, SERVER);
    identity.renew("nodefoundry answered node_cloned");
    expect(codes(identity)).toEqual(["identity_cloned"]);
    expect(identity.conditions()[0]?.text).toContain("nodefoundry answered node_cloned");
    expect(identity.current().machineId).not.toBe(first.machineId);
    expect(store.values("api.nodefoundry").get("token")).toBeNull();
    store.values("api.nodefoundry").set("token", "of the clone");

    identity.adopt();
    expect(codes(identity)).toEqual([]);
    expect(identity.current()).toEqual({ ...first, stateLost: false });
    expect(store.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
    expect(store.commands(9)).toEqual([]);
    expect(store.insertCommand(storedCommand("open"))).toBe(false);
    store.close();
    expect(keeper(testStore(folder), SERVER).current().instance).toBe(first.instance);
  });

  it("is adopted on new hardware over a restart", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    keeper(store, OTHER);
    store.close();
    const next = testStore(folder);
    const identity = keeper(next, OTHER);
    identity.adopt();
    expect(identity.current().instance).toBe(first.instance);
    // And what it was made on: by that the control API knows it again.
    expect(identity.current().fingerprint).toEqual(
      mergeFingerprints(first.fingerprint, facts(OTHER).fingerprint),
    );
    expect(next.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
    next.close();
    expect(codes(keeper(testStore(folder), OTHER))).toEqual([]);
  });

  it("that was reset is another, and no token is left", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const identity = keeper(store, SERVER);
    identity.reset();
    expect(identity.current().instance).not.toBe(first.instance);
    expect(identity.current().machineId).not.toBe(first.machineId);
    expect(store.restore()).toBe(false);
    expect(store.commands(9)).toEqual([]);
  });

  it("that is damaged is made anew", () => {
    const folder = temporaryFolder();
    registered(folder, SERVER);
    for (const damaged of ['{"instance": "half', "null", "[]", '{"instance": 7}']) {
      const store = testStore(folder);
      store.values("identity").set("self", damaged);
      expect(keeper(store, SERVER).current().instance).toMatch(/^[0-9a-f]{32}$/);
      store.close();
    }
  });
});

describe("the fingerprint", () => {
  it("leaves out what is the same on many boards or of one boot only", () => {
    const board = tree({
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
    const board = tree({ macs: ["b8:ca:3a:00:00:01"] });
    board.files["/sys/class/net/eth0/address"] = "b8:ca:3a:00:00:ff\n";
    board.files["/sys/class/net/eth0/addr_assign_type"] = "3\n";
    board.files["/sys/class/net/eth0/bonding_slave/perm_hwaddr"] = "b8:ca:3a:00:00:01\n";
    expect(readBoardFacts(openFiles(layTree(board))).macs).toEqual(["b8:ca:3a:00:00:01"]);
  });

  it("survives garbage in every file it reads", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.nat(), (garbage, at) => {
        const board = tree({ ...SERVER, pi: "10000000a1b2c3d4" });
        const names = Object.keys(board.files);
        board.files[names[at % names.length] as string] = garbage;
        const found = readBoardFacts(openFiles(layTree(board)));
        for (const part of found.fingerprint) expect(part).toMatch(/^(dmi|pi|mac|root):[0-9a-f]{32}$/);
      }),
      { seed: 3, numRuns: 30 },
    );
  });

  const parts = fc.uniqueArray(
    fc.constantFrom("dmi:1", "dmi:2", "mac:1", "mac:2", "mac:3", "root:1", "pi:1"),
  );

  it("is never cloned while one part is left, always when all is readable and none is", () => {
    fc.assert(
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

describe("the drive under /", () => {
  const disk = (name: string, file: string, content: string): Tree["files"] => ({
    [`/sys/devices/x/block/${name}/${file}`]: content,
  });
  const serials = (
    mountinfo: string,
    files: Tree["files"],
    links: Record<string, string> = {},
    errors = {},
  ) =>
    rootDriveSerials(
      openFiles(layTree({ files: { "/proc/self/mountinfo": mountinfo, ...files }, links }), errors),
    );

  it("is found below LVM on dm-crypt on two md members", () => {
    expect(
      serials(
        "1 0 254:1 / / rw - ext4 /dev/mapper/vg-root rw\n",
        {
          "/sys/devices/virtual/block/dm-1/slaves/dm-0/dev": "",
          "/sys/devices/virtual/block/dm-0/slaves/md0/dev": "",
          "/sys/devices/virtual/block/md0/slaves/nvme0n1p2/dev": "",
          "/sys/devices/virtual/block/md0/slaves/nvme1n1p2/dev": "",
          "/sys/devices/x/block/nvme0n1/nvme0n1p2/partition": "2",
          "/sys/devices/x/block/nvme1n1/nvme1n1p2/partition": "2",
          ...disk("nvme0n1", "device/serial", "S64HNE0R000001      \n"),
          ...disk("nvme1n1", "device/serial", "S64HNE0R000002      \n"),
        },
        {
          "/sys/dev/block/254:1": "/sys/devices/virtual/block/dm-1",
          "/sys/class/block/dm-0": "/sys/devices/virtual/block/dm-0",
          "/sys/class/block/md0": "/sys/devices/virtual/block/md0",
          "/sys/class/block/nvme0n1p2": "/sys/devices/x/block/nvme0n1/nvme0n1p2",
          "/sys/class/block/nvme1n1p2": "/sys/devices/x/block/nvme1n1/nvme1n1p2",
        },
      ),
    ).toEqual(["S64HNE0R000001", "S64HNE0R000002"]);
  });

  it("is an SD card by its CID, a virtio disk by its serial, a SCSI disk by page 0x80, btrfs by its source", () => {
    const at = (name: string): Record<string, string> => ({
      "/sys/dev/block/8:0": `/sys/devices/x/block/${name}`,
      [`/sys/class/block/${name}`]: `/sys/devices/x/block/${name}`,
    });
    const plain = "1 0 8:0 / / rw - ext4 /dev/root rw\n";
    expect(
      serials(
        plain,
        { ...disk("mmcblk0", "device/cid", "9f5449534430\n"), ...disk("mmcblk0", "device/serial", "0x1\n") },
        at("mmcblk0"),
      ),
    ).toEqual(["9f5449534430"]);
    expect(serials(plain, disk("vda", "serial", "vol-0abc"), at("vda"))).toEqual(["vol-0abc"]);
    expect(serials(plain, disk("sda", "device/vpd_pg80", "\0\x80\0\x08WD-12345"), at("sda"))).toEqual([
      "WD-12345",
    ]);
    expect(
      serials(
        "1 0 0:30 /@ / rw shared:1 - btrfs /dev/sdb rw\n",
        disk("sdb", "device/wwid", "naa.5\n"),
        at("sdb"),
      ),
    ).toEqual(["naa.5"]);
  });

  it("is none for an overlay or a root on the net, and unknown where it can't be looked up", () => {
    expect(serials("1 0 0:50 / / rw - overlay overlay rw\n", {})).toEqual([]);
    expect(serials("1 0 0:51 / / rw - nfs4 server:/root rw\n", {})).toEqual([]);
    expect(serials("", {})).toEqual([]);
    expect(
      serials("1 0 8:2 / / rw - ext4 /dev/sda2 rw\n", {}, {}, { "/sys/dev/block": "EACCES" }),
    ).toBeNull();
    expect(rootDriveSerials(openFiles(layTree({ files: {} })))).toBeNull();
  });

  it("may have a chain of holders without an end", () => {
    expect(
      serials(
        "1 0 254:1 / / rw - ext4 /dev/mapper/a rw\n",
        { "/sys/devices/virtual/block/dm-1/slaves/dm-1/dev": "" },
        {
          "/sys/dev/block/254:1": "/sys/devices/virtual/block/dm-1",
          "/sys/class/block/dm-1": "/sys/devices/virtual/block/dm-1",
        },
      ),
    ).toEqual([]);
  });
});
