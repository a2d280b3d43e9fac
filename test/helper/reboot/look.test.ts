/** `reboot.look` and `reboot.announce`: what is known of a reboot before and after, and what people at terminals read. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAudit } from "../../../src/helper/carry-out/audit-read.ts";
import { openLimits } from "../../../src/helper/policy/limits.ts";
import { openFiles } from "../../../src/system/files.ts";
import { eventually } from "../../support/eventually.ts";
import { requestFrame } from "../../support/helper/helper.ts";
import { EXT4, rebootRig } from "../../support/helper/reboot.ts";
import { plainCommand, signer } from "../../support/helper/signing.ts";
import { layTree, temporaryFolder } from "../../support/machine/tree.ts";

const UID = process.geteuid?.() ?? 0;
const DEFAULTS = '[allow]\nlocal = ["reboot"]\n';
const UP = 'case "$1" in is-system-running) echo running;; esac';

describe("reboot.look", () => {
  it("a host that stays up and would reboot", async () => {
    const { look, programs, house } = await rebootRig({ policy: DEFAULTS });
    programs.put("systemctl", UP);
    programs.put("busctl", "echo b false");
    expect(await look({ id: "cmd_1" })).toEqual({
      known: null,
      in_flight: false,
      shutdown: { scheduled: false, under_way: false },
      doubt: null,
      refusal: null,
      osds: { is: "no" },
      again_in_minutes: null,
    });
    expect(programs.calls().sort()).toEqual([
      "get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager PreparingForShutdown",
      "is-system-running",
    ]);
    expect(existsSync(join(house.stateFolder, "done.json"))).toBe(false);
  });

  it.each([
    ["stopping", "echo stopping; exit 1", "echo b false", true, null],
    ["prepared by logind", "echo degraded; exit 1", "echo b true", true, null],
    ["no logind", "echo running", "echo 'Failed to connect to bus' >&2; exit 1", false, null],
    ["starting", "echo starting; exit 1", "exit 1", false, null],
    [
      "a systemctl that hangs",
      "exec sleep 600",
      "echo b false",
      true,
      "systemctl did not answer whether the system is stopping",
    ],
    [
      "a logind that hangs",
      "echo running",
      "exec sleep 600",
      true,
      "logind did not answer whether a shutdown is being prepared",
    ],
    ["no word", "exit 1", "exit 1", true, "systemctl could not say whether the system is stopping"],
  ])("%s", async (_name, systemctl, busctl, under_way, doubt) => {
    const { look, programs } = await rebootRig({ limitMs: 300 });
    programs.put("systemctl", systemctl, { hangs: () => systemctl.includes("sleep") });
    programs.put("busctl", busctl, { hangs: () => busctl.includes("sleep") });
    expect(await look()).toMatchObject({ shutdown: { scheduled: false, under_way }, doubt });
  });

  it("says of OSDs what only root can see", async () => {
    const installed = await rebootRig({ files: { "/var/lib/ceph/osd/.keep": "" } });
    expect(await installed.look()).toMatchObject({ osds: { is: "no" } });
    const used = await rebootRig({ files: { "/var/lib/ceph/osd/ceph-7/whoami": "7\n" } });
    expect(await used.look()).toMatchObject({ osds: { is: "yes", ids: [7] } });
  });

  it("scheduled; no programs, no systemd: nothing to doubt", async () => {
    const files = { "/run/systemd/shutdown/scheduled": "USEC=1\nMODE=reboot\n" };
    const scheduled = await rebootRig({ files });
    expect(await scheduled.look()).toMatchObject({
      shutdown: { scheduled: true, under_way: false },
      doubt: null,
    });
    const none = await rebootRig({ systemd: false });
    expect(await none.look()).toMatchObject({
      shutdown: { scheduled: false, under_way: false },
      doubt: null,
      refusal: { code: "no_systemd" },
    });
  });

  it("what the policy, the state and the record would refuse, in the words the reboot itself would use", async () => {
    const { look, reboot, house, programs } = await rebootRig();
    programs.put("systemctl", UP);
    async function same(method: "graceful" | "hard" = "graceful") {
      const { refusal, again_in_minutes } = await look({ method });
      const { code, message, nextStep } = await reboot(method, { id: crypto.randomUUID() });
      expect(refusal).toEqual({ code, text: message, next_step: nextStep });
      return { refusal, again_in_minutes };
    }
    house.policy("[allow]\n");
    expect((await same()).refusal?.code).toBe("helper_refused");
    house.policy("nonsense");
    expect((await same()).refusal?.code).toBe("policy_unusable");
    house.policy(DEFAULTS);
    expect((await reboot("graceful")).code).toBe("ok");
    expect(await same()).toMatchObject({
      refusal: { text: "the last reboot was less than 30 minutes of uptime ago" },
      again_in_minutes: 30,
    });
    house.policy(`${DEFAULTS}[limits.reboot]\nminutes_apart = 0\n`);
    for (const id of ["b", "c"]) expect((await reboot("graceful", { id })).code).toBe("ok");
    expect(await same("hard")).toMatchObject({
      refusal: { text: "3 times reboot in 24 hours of uptime is the limit" },
      again_in_minutes: 1_440,
    });
    writeFileSync(join(house.stateFolder, "done.json"), "{");
    expect((await same()).refusal?.code).toBe("record_unusable");
    expect(programs.calls().filter((line) => line === "reboot")).toHaveLength(3);
  });

  it("another source than the one that may", async () => {
    const { look } = await rebootRig({
      policy: '[commands]\nremote = "rehearse"\n[allow]\nnodefoundry = ["reboot"]\n',
    });
    expect((await look({ source: "nodefoundry" })).refusal).toMatchObject({
      text: "commands from the network are only rehearsed on this host",
    });
    expect((await look({ source: "nobody" })).refusal?.code).toBe("helper_refused");
  });

  it("an id whose record can't be read is not called unknown", async () => {
    const { call, house } = await rebootRig();
    writeFileSync(join(house.stateFolder, "done.json"), "{");
    const args = { id: "cmd_1", source: "local", method: "graceful" };
    expect((await call("reboot.look", args)).code).toBe("record_unusable");
  });

  it("an id that failed, with what was tried", async () => {
    const { look, reboot, programs } = await rebootRig();
    programs.put("systemctl", 'case "$1" in is-system-running) echo running;; *) echo no >&2; exit 1;; esac');
    await reboot("graceful");
    expect((await look({ id: "cmd_1" })).known).toEqual({
      state: "failed",
      steps: ["systemctl reboot: tried", "systemctl reboot: no"],
      error: { code: "reboot_failed", message: "systemctl reboot was refused: no" },
    });
    expect((await look({ id: "cmd_2" })).known).toBeNull();
  });

  it("an id that waits for its turn is in flight, and was not begun", async () => {
    const { look, house, programs } = await rebootRig({ settleMs: 600_000 });
    programs.put("systemd-run", "exit 0");
    programs.put("systemctl", UP);
    const clients = [connect(house.socket), connect(house.socket)];
    for (const [index, client] of clients.entries()) {
      const over = { operation: "reboot", id: `cmd_${index}`, source: "local", args: { method: "hard" } };
      client.write(requestFrame({ ...over, deadline_ms: 600_000 }));
      await eventually(async () => (await look({ id: `cmd_${index}` })).in_flight);
    }
    expect((await look({ id: "cmd_0" })).known?.state).toBe("begun");
    expect(await look({ id: "cmd_1" })).toMatchObject({ known: null, in_flight: true });
    for (const client of clients) client.destroy();
    await eventually(async () => !(await look({ id: "cmd_1" })).in_flight);
    expect(house.record().map(({ id }) => id)).toEqual(["cmd_0"]);
  });
});

describe("a record that does not outlive the reboot", () => {
  it.each([
    ["tmpfs", 0x01021994],
    ["ramfs", 0x858458f6],
    ["ramfs", 0x858458f6 | 0], // f_type as a signed number
    ["overlayfs", 0x794c7630],
  ])("%s: refused, unless the policy says so", async (kind, type) => {
    const { reboot, look, house, programs } = await rebootRig({
      policy: DEFAULTS,
      fileSystemType: () => type,
    });
    programs.put("systemctl", UP);
    const refused = await reboot("graceful");
    expect(refused).toMatchObject({
      code: "state_volatile",
      message: expect.stringContaining(` is on ${kind}, so `),
    });
    expect(refused.nextStep).toContain(`volatile_state = true below [commands] in ${house.policyPath}`);
    expect((await look()).refusal?.code).toBe("state_volatile");
    expect([programs.calls().includes("reboot"), existsSync(join(house.stateFolder, "done.json"))]).toEqual([
      false,
      false,
    ]);
    house.policy(`[commands]\nvolatile_state = true\n${DEFAULTS}`);
    expect((await look()).refusal).toBeNull();
    expect((await reboot("graceful")).code).toBe("ok");
  });

  it("is taken for one where nobody can tell", async () => {
    const fileSystemType = () => {
      throw Object.assign(new Error("no"), { code: "EIO" });
    };
    const { reboot } = await rebootRig({ fileSystemType });
    expect(await reboot("graceful")).toMatchObject({
      code: "state_volatile",
      message: expect.stringContaining("(EIO)"),
    });
    expect((await (await rebootRig({ fileSystemType: () => EXT4 })).look()).refusal).toBeNull();
  });
});

describe("reboot.announce", () => {
  const args = { id: "cmd_1", in_s: 60, source: "local" };

  it("says it in its own words, from outside the sandbox", async () => {
    const { call, calls, programs, look } = await rebootRig({ policy: DEFAULTS });
    programs.put("systemd-run", "exit 0");
    expect(await call("reboot.announce", args)).toMatchObject({ code: "ok", result: { told: true } });
    const start =
      "--quiet --collect --unit=foundry-agent-wall --service-type=oneshot -p DefaultDependencies=no -p TimeoutStartSec=8s -p TimeoutStopSec=1s -- wall";
    const stop = "(command cmd_1 from local). To stop it: foundry-agent commands cancel cmd_1";
    expect(calls()).toEqual([`${start} This host reboots in 60 s ${stop}`]);
    // The reboot itself is none the worse for it.
    programs.put("systemctl", UP);
    expect(await look({ id: "cmd_1" })).toMatchObject({ known: null, refusal: null });
  });

  it("says it once for an id, over a restart of the helper, and no more often than it may reboot", async () => {
    const policy = `${DEFAULTS}[limits.reboot]\nminutes_apart = 0\na_day = 3\n`;
    const rig = await rebootRig({ policy });
    rig.programs.put("systemd-run", "exit 0");
    expect((await rig.call("reboot.announce", { ...args, in_s: 0 })).code).toBe("ok");
    expect((await rig.call("reboot.announce", args)).code).toBe("helper_refused");
    const codes: string[] = [];
    for (let i = 2; i < 300; i++)
      codes.push((await rig.call("reboot.announce", { ...args, id: `cmd_${i}` })).code);
    expect([codes.filter((code) => code === "ok").length, new Set(codes.slice(2))]).toEqual([
      2,
      new Set(["helper_refused"]),
    ]);
    expect(rig.calls()).toHaveLength(3);
    expect(rig.house.record().map(({ id, word }) => [id, word])).toEqual(
      [1, 2, 3].map((i) => [`announce:cmd_${i}`, "reboot_announce"]),
    );
  });

  it("is only for an id that this helper would reboot for now", async () => {
    const rig = await rebootRig({ policy: `${DEFAULTS}[limits.reboot]\nminutes_apart = 0\na_day = 1\n` });
    rig.programs.put("systemd-run", "exit 0");
    rig.programs.put("systemctl", "exit 0");
    expect((await rig.call("reboot", { method: "graceful" }, { id: "cmd_1" })).code).toBe("ok");
    const before = rig.calls().length;
    // Begun already; and of another one that the limits would not let through.
    for (const id of ["cmd_1", "cmd_2"])
      expect((await rig.call("reboot.announce", { ...args, id })).code).toBe("helper_refused");
    expect(rig.calls()).toHaveLength(before);
    const nowhere = await rebootRig({ policy: DEFAULTS, systemd: false });
    nowhere.programs.put("wall", "exit 0");
    expect((await nowhere.call("reboot.announce", args)).code).toBe("no_systemd");
    expect(nowhere.calls()).toEqual([]);
  });

  it("is an act in the audit trail, on disk before anybody is told, and what was refused of it a refusal", async () => {
    const rig = await rebootRig({ policy: DEFAULTS });
    const folder = join(rig.house.stateFolder, "audit");
    const file = (name: string) =>
      readFileSync(join(folder, name), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    rig.programs.put("systemd-run", `cp ${join(folder, "reboot_announce.log")} ${folder}/seen`);
    expect((await rig.call("reboot.announce", args)).code).toBe("ok");
    expect(file("seen")).toMatchObject([{ audit: "reboot.announce", outcome: "begun" }]);
    expect(file("reboot_announce.log")).toMatchObject([{ outcome: "begun" }, { outcome: "ok" }]);
    expect((await rig.call("reboot.announce", args)).code).toBe("helper_refused");
    expect(file("refused.log")).toMatchObject([{ audit: "reboot.announce", outcome: "helper_refused" }]);
    expect(readAudit(rig.house.stateFolder).changed.map(({ outcome }) => outcome)).toEqual(["begun", "ok"]);
  });

  it("is signed where the reboot must be", async () => {
    const { publicKey, of } = signer();
    const rig = await rebootRig({ policy: `[commands]\npublic_key = "${publicKey}"\n${DEFAULTS}` });
    rig.programs.put("systemd-run", "exit 0");
    const now = Date.now();
    const times = {
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + 600_000).toISOString(),
    };
    const signed = (over: object) =>
      of(plainCommand({ id: "cmd_1", type: "reboot", params: {}, ...times, ...over }));
    expect((await rig.call("reboot.announce", args)).code).toBe("unsigned");
    for (const over of [{ id: "cmd_2" }, { type: "drain" }, { params: { method: "hard" } }])
      expect((await rig.call("reboot.announce", args, { signed: signed(over) })).code).not.toBe("ok");
    expect(rig.calls()).toEqual([]);
    expect((await rig.call("reboot.announce", args, { signed: signed({}) })).code).toBe("ok");
  });

  it("fails without harm", async () => {
    const { call, programs } = await rebootRig();
    expect(await call("reboot.announce", args)).toMatchObject({ code: "ok", result: { told: false } });
    programs.put("systemd-run", "echo no >&2; exit 1");
    const other = { ...args, id: "cmd_2" };
    expect(await call("reboot.announce", other)).toMatchObject({ code: "ok", result: { told: false } });
  });

  it("is for those who may reboot, and takes no words", async () => {
    const { call, programs } = await rebootRig({ policy: '[allow]\nlocal = ["locate"]\n' });
    programs.put("systemd-run", "exit 0");
    expect((await call("reboot.announce", args)).code).toBe("helper_refused");
    for (const over of [
      { id: "a b" },
      { id: "$(x)" },
      { in_s: -1 },
      { in_s: 3_601 },
      { text: "x" },
      { source: "A" },
    ])
      expect((await call("reboot.announce", { ...args, ...over })).code).toBe("helper_refused");
    expect(programs.calls()).toEqual([]);
  });
});

it("steps in the record: cut, bounded, and absent in older ones", () => {
  const files = openFiles(
    layTree({ files: { "/proc/uptime": "60 0", "/proc/sys/kernel/random/boot_id": "b1" } }),
  );
  const path = join(temporaryFolder(), "done.json");
  const older = {
    ...{ id: "old", word: "reboot", operation: "reboot", age_ms: 0, begun_at: "1970-01-01T00:00:00.000Z" },
    outcome: { state: "begun" },
  };
  writeFileSync(path, JSON.stringify({ v: 1, boot_id: "b1", uptime_ms: 0, entries: [older] }), {
    mode: 0o600,
  });
  const record = openLimits({ path, files, owner: UID });
  expect([record.steps("old"), record.steps("other")]).toEqual([[], []]);
  for (let i = 0; i < 50; i++) record.step("old", `${i} ${"x".repeat(400)}`);
  record.step("other", "nobody");
  expect(record.steps("old")).toHaveLength(40);
  expect(record.steps("old").at(-1)).toBe(`49 ${"x".repeat(297)}`);
  expect(record.outcome("old")).toEqual({ state: "begun" });
});
