/** A state on other hardware: set aside, a condition for as long as it can be adopted, adopted, and not after all. */
import { describe, expect, it } from "vitest";
import { clonedCondition } from "../../../src/agent/identity/cloned.ts";
import { mergeFingerprints } from "../../../src/agent/identity/fingerprint.ts";
import type { Store } from "../../../src/store/types.ts";
import { type Board, codes, facts, keeper, OTHER, registered, SERVER } from "../../support/machine/boards.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { handClock, START, storedCommand, testStore } from "../../support/store/store.ts";

const DAY = 24 * 3600 * 1000;

/** What is there of identities set aside. */
function namesAside(store: Store): string[] {
  return store
    .setAside()
    .filter(({ kind }) => kind === "value")
    .map(({ name }) => name);
}

describe("identity", () => {
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
    expect(later.current()).toEqual({ ...identity, stateLost: false });
    expect(next.values("api.nodefoundry").get("token")).toBe("its own");
  });

  it("is found cloned by a Raspberry Pi's serial number, and with the clock in 1970", () => {
    const folder = temporaryFolder();
    const pi = { pi: "10000000a1b2c3d4", macs: ["dc:a6:32:00:00:01"], root: "0x1234" };
    registered(folder, pi);
    const other = { ...pi, pi: "10000000ffffffff", macs: ["dc:a6:32:00:00:99"], root: "0x9999" };
    const in1970 = { now: () => 3_000, monotonic: () => 3_000 };
    expect(codes(keeper(testStore(folder), other, in1970))).toEqual(["identity_cloned"]);
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
    expect(store.insertCommand(storedCommand("open")).isNew).toBe(false);
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

  it("stays a condition over restarts: a warning until it registered as a new node, then worth knowing", () => {
    const folder = temporaryFolder();
    registered(folder, SERVER);
    const first = testStore(folder);
    const [warned] = keeper(first, OTHER).conditions();
    expect(warned).toMatchObject({
      severity: "warning",
      nextStep: expect.stringMatching(/^foundry-agent adopt /),
    });
    first.close();

    const second = testStore(folder);
    const restarted = keeper(second, OTHER);
    expect(restarted.conditions()).toEqual([warned]);
    second.values("api.nodefoundry").set("token", "its own");
    expect(restarted.conditions()).toMatchObject([
      { code: "identity_cloned", severity: "info", nextStep: expect.stringMatching(/^foundry-agent adopt /) },
    ]);
    second.close();
    expect(codes(keeper(testStore(folder), OTHER))).toEqual(["identity_cloned"]);
  });

  it("has a server's own sentence within its own, without a second full stop", () => {
    const cloned = { at: 0, why: "example.net says so: It is a copy.", unfinishedCommands: 0 };
    for (const registered of [true, false])
      expect(clonedCondition(cloned, registered).text).toContain("(example.net says so: It is a copy)");
  });

  it("can be adopted as long as it is a condition: 90 days, and the token with it is deleted then", () => {
    const folder = temporaryFolder();
    registered(folder, SERVER);
    const clock = handClock();
    const store = testStore(folder, { clock });
    const clone = keeper(store, OTHER, clock);
    store.values("api.nodefoundry").set("token", "its own");
    clock.forward(89 * DAY);
    expect(codes(clone)).toEqual(["identity_cloned"]);
    expect(namesAside(store)).toContain('["api.nodefoundry","token"]');
    clock.forward(2 * DAY);
    expect(codes(clone)).toEqual([]);
    expect(namesAside(store)).toEqual([]);
    const before = clone.current();
    expect(() => clone.adopt()).toThrow(expect.objectContaining({ code: "nothing_to_adopt" }));
    expect(clone.current()).toEqual(before);
    expect(store.values("api.nodefoundry").get("token")).toBe("its own");
    // It holds over the restart as well.
    store.close();
    expect(codes(keeper(testStore(folder, { clock }), OTHER, clock))).toEqual([]);
  });

  it("found in 1970 is not taken for half a century old once the clock is right", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const clock = handClock(5_000);
    const store = testStore(folder, { clock });
    const clone = keeper(store, OTHER, clock);
    clock.set(START);
    expect(codes(clone)).toEqual(["identity_cloned"]);
    store.close();
    const next = testStore(folder, { clock });
    const later = keeper(next, OTHER, clock);
    expect(codes(later)).toEqual(["identity_cloned"]);
    later.adopt();
    expect(later.current().instance).toBe(first.instance);
  });

  it("without anything to adopt is refused, and nothing changes", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const identity = keeper(store, SERVER);
    for (const wrong of [identity.adopt, identity.undoAdopt]) {
      expect(wrong).toThrow(
        expect.objectContaining({
          code: "nothing_to_adopt",
          nextStep: expect.stringMatching(/^foundry-agent /),
        }),
      );
    }
    expect(identity.current()).toEqual({ ...first, stateLost: false });
    expect(store.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
    expect(store.commands(9).map(({ id }) => id)).toEqual(["open"]);
  });

  it("adopted a second time is refused: the identity does not flap", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const identity = keeper(store, OTHER);
    identity.adopt();
    expect(identity.adopt).toThrow(expect.objectContaining({ code: "nothing_to_adopt" }));
    expect(identity.current().instance).toBe(first.instance);
  });

  it("adopted by mistake is undone: what registered meanwhile is set aside, with its commands, and comes back", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    const identity = keeper(store, OTHER);
    const clone = identity.current();
    store.values("api.nodefoundry").set("token", "of the clone");
    store.insertCommand(storedCommand("of the clone"));

    identity.adopt();
    expect(store.commands(9)).toEqual([]);
    expect(store.insertCommand(storedCommand("of the clone")).isNew).toBe(false);
    expect(store.setAside().map(({ reason, name }) => [reason, name])).toContainEqual([
      "identity_adopted",
      '["api.nodefoundry","token"]',
    ]);
    store.close();

    const next = testStore(folder);
    const again = keeper(next, OTHER);
    again.undoAdopt();
    expect(again.current()).toEqual({ ...clone, stateLost: false });
    expect(next.values("api.nodefoundry").get("token")).toBe("of the clone");
    expect(codes(again)).toEqual(["identity_cloned"]);
    expect(again.undoAdopt).toThrow(expect.objectContaining({ code: "nothing_to_adopt" }));
    // And not for ever undone.
    again.adopt();
    expect(again.current().instance).toBe(first.instance);
    expect(next.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
  });

  it("in two steps, registered in between, is adopted step by step", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const third: Board = { uuid: "4c4c4544-0042-3510-8051-b4c04f595855", root: "naa.500a075100000055" };
    const one = testStore(folder);
    const second = keeper(one, OTHER).current();
    one.values("api.nodefoundry").set("token", "of the second");
    one.close();
    const two = testStore(folder);
    const identity = keeper(two, third);
    identity.adopt();
    expect([identity.current().instance, codes(identity)]).toEqual([second.instance, ["identity_cloned"]]);
    identity.adopt();
    expect([identity.current().instance, codes(identity)]).toEqual([first.instance, []]);
    expect(two.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
  });

  it("in two steps, never registered in between, is adopted at once", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const third: Board = { uuid: "4c4c4544-0042-3510-8051-b4c04f595855", root: "naa.500a075100000055" };
    const one = testStore(folder);
    keeper(one, OTHER);
    one.close();
    const identity = keeper(testStore(folder), third);
    identity.adopt();
    expect([identity.current().instance, codes(identity)]).toEqual([first.instance, []]);
  });

  it("interrupted right after the old was set aside can still be adopted", () => {
    const folder = temporaryFolder();
    const first = registered(folder, SERVER);
    const store = testStore(folder);
    store.abandon("identity_cloned", START);
    store.close();
    const next = testStore(folder);
    const identity = keeper(next, OTHER);
    expect(codes(identity)).toEqual(["identity_cloned"]);
    expect(identity.current().machineId).not.toBe(first.machineId);
    identity.adopt();
    expect(identity.current().instance).toBe(first.instance);
    expect(next.values("api.nodefoundry").get("token")).toBe("nf_nt_secret");
  });

  it("with a damaged copy set aside stays what it is", () => {
    const folder = temporaryFolder();
    const store = testStore(folder);
    keeper(store, SERVER);
    store.values("identity").set("self", "half a");
    const { at } = store.abandon("identity_cloned", START);
    store.values("identity").set(
      "self",
      JSON.stringify({
        instance: "0".repeat(32),
        salt: "s",
        machineId: "m",
        fingerprint: facts(SERVER).fingerprint,
        cloned: { at, why: "for a test", unfinishedCommands: 0 },
      }),
    );
    const identity = keeper(store, SERVER);
    expect(identity.adopt).toThrow(expect.objectContaining({ code: "nothing_to_adopt" }));
    expect([identity.current().instance, codes(identity)]).toEqual(["0".repeat(32), []]);
  });
});
