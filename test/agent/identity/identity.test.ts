import { describe, expect, it } from "vitest";
import { machineIdOf } from "../../../src/system/machine-id.ts";
import {
  type Board,
  codes,
  keeper,
  OTHER,
  RAW_ID,
  registered,
  SERVER,
} from "../../support/machine/boards.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { testStore } from "../../support/store/store.ts";

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

  it("that was reset is another, and no token is left", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const identity = keeper(store, SERVER);
    identity.reset();
    expect(identity.current().instance).not.toBe(first.instance);
    expect(identity.current().machineId).not.toBe(first.machineId);
    expect(store.setAside().filter(({ kind }) => kind === "value")).toEqual([]);
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
