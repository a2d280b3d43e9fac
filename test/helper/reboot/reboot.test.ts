/** `reboot`: what is run, in which order, what is on disk before it, and what its answers mean; with fake programs. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { requestFrame, sendRaw } from "../../support/helper/helper.ts";
import { rebootRig, witnessing } from "../../support/helper/reboot.ts";

const CHILD = fileURLToPath(new URL("../../support/helper/reboot-child.ts", import.meta.url));
const RUNNING = 'case "$1" in is-system-running) echo running;; *)';
const NO = 'echo "no way" >&2; exit 1';
const UNIT = "-p DefaultDependencies=no -p TimeoutStartSec=%s -p TimeoutStopSec=1s";
const unit = (name: string, limit: string, rest: string): string =>
  `--quiet --collect --unit=foundry-agent-${name} --service-type=oneshot ${UNIT.replace("%s", limit)} ${rest}`;

describe("graceful", () => {
  it("asks systemd once, says so, and does nothing when asked again", async () => {
    const { reboot, calls, entry, audits, programs, house } = await rebootRig();
    witnessing(programs, "systemctl", house.stateFolder, "exit 0");
    expect(await reboot("graceful")).toMatchObject({
      code: "ok",
      result: { method: "graceful", how: "systemctl reboot" },
    });
    expect(await reboot("graceful")).toMatchObject({ code: "ok", result: { method: "graceful" } });
    expect(calls()).toEqual(["reboot"]);
    expect(entry()).toMatchObject({
      outcome: { state: "done" },
      steps: ["systemctl reboot: tried", "systemctl reboot: it said yes"],
    });
    // What is tried was on disk before it was.
    const then = JSON.parse(readFileSync(join(programs.folder, "record-at-calls"), "utf8"));
    expect(then.entries).toMatchObject([
      { id: "cmd_1", outcome: { state: "begun" }, steps: ["systemctl reboot: tried"] },
    ]);
    expect(audits().map(({ outcome, message }) => [outcome, message])).toEqual([
      ["step", "systemctl reboot: tried"],
      ["step", "systemctl reboot: it said yes"],
      ["ok", undefined],
      ["ok", "done before, answered from the record"],
    ]);
    // A tree at /run/nextroot, or a loaded kernel, must not make another kind of reboot of it.
    expect(programs.environments()).toEqual([
      {
        SYSTEMCTL_SKIP_AUTO_KEXEC: "1",
        SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT: "1",
        SYSTEMD_IGNORE_CHROOT: "1",
      },
    ]);
  });

  it("refused: with the line that says why, printable and without secrets", async () => {
    const { reboot, entry, programs } = await rebootRig();
    const said = "Failed to set wall message, ignoring: no bus\\nCall failed: \\033[31mnf_sk_live_abc\\nmore";
    programs.put("systemctl", `${RUNNING} printf '${said}' >&2; exit 1;; esac`);
    expect(await reboot("graceful")).toMatchObject({
      code: "reboot_failed",
      message: "systemctl reboot was refused: Call failed: ?[31mnf_sk_live_[hidden]",
      nextStep: "systemctl list-jobs; systemd-inhibit --list",
    });
    expect(entry().outcome).toMatchObject({ state: "failed", error: { code: "reboot_failed" } });
  });

  it.each([
    [
      "the host goes down already",
      'case "$1" in is-system-running) echo stopping; exit 1;; *) exit 1;; esac',
    ],
    ["nobody can tell whether it goes down", `case "$1" in is-system-running) exit 1;; *) ${NO};; esac`],
    [
      "the bus was too slow",
      `${RUNNING} echo "Failed to reboot system: Connection timed out" >&2; exit 1;; esac`,
    ],
    ["PID 1 went away", `${RUNNING} echo "Warning! D-Bus connection terminated." >&2; exit 1;; esac`],
    ["it gives no answer and is ended", `${RUNNING} exec sleep 600;; esac`],
    ["it is killed by somebody", "kill -9 $$"],
  ])("unknown, not failed: %s", async (_name, script) => {
    const { reboot, entry, programs } = await rebootRig({ limitMs: 400 });
    programs.put("systemctl", script, { hangs: (line) => line === "reboot" && script.includes("sleep") });
    expect((await reboot("graceful")).code).toBe("reboot_unanswered");
    expect(entry().outcome).toMatchObject({ state: "failed", error: { code: "reboot_unanswered" } });
    const asked = programs.calls().length;
    expect((await reboot("graceful")).code).toBe("reboot_unanswered");
    expect(programs.calls()).toHaveLength(asked);
  });

  it("taken for a chroot: an exit code of 0 is no reboot", async () => {
    const { reboot, programs } = await rebootRig();
    programs.put("systemctl", `${RUNNING} echo "Running in chroot, ignoring command 'reboot'" >&2;; esac`);
    expect((await reboot("graceful")).code).toBe("reboot_failed");
  });

  it("without systemd, or without its program", async () => {
    const none = await rebootRig({ systemd: false });
    none.programs.put("systemctl", "exit 0");
    expect(await none.reboot("graceful")).toMatchObject({
      code: "no_systemd",
      nextStep: expect.stringContaining("ask the host"),
    });
    expect([none.programs.calls(), existsSync(join(none.house.stateFolder, "done.json"))]).toEqual([
      [],
      false,
    ]);
    const bare = await rebootRig();
    expect((await bare.reboot("graceful")).code).toBe("no_systemd");
    const other = await rebootRig();
    other.programs.put(
      "systemctl",
      'echo "System has not been booted with systemd as init system" >&2; exit 1',
    );
    expect((await other.reboot("graceful")).code).toBe("no_systemd");
  });

  it("after its deadline nothing is started, and nothing is left running", async () => {
    const { reboot, programs, house, entry } = await rebootRig();
    const pid = join(programs.folder, "pid");
    programs.put("systemctl", `case "$1" in reboot) echo $$ > '${pid}'; exec sleep 600;; esac`);
    expect((await reboot("graceful", { deadline_ms: 0 })).code).toBe("helper_timeout");
    expect([programs.calls(), existsSync(join(house.stateFolder, "done.json"))]).toEqual([[], false]);
    expect((await reboot("graceful", { deadline_ms: 2_000 })).code).toBe("reboot_unanswered");
    expect(existsSync(`/proc/${readFileSync(pid, "utf8").trim()}`)).toBe(false);
    expect(entry().outcome).toMatchObject({ error: { code: "reboot_unanswered" } });
  });

  it("killed between begun and its end: never done again", async () => {
    const { house, root, programs } = await rebootRig();
    // Of a helper in another process only the program itself can tell that it was called.
    const called = join(programs.folder, "called");
    programs.put("systemctl", `echo "$*" >> '${called}'; kill -9 $PPID`);
    const socket = join(house.folder, "child.sock");
    async function start(): Promise<{ ended: Promise<unknown> }> {
      rmSync(socket, { force: true });
      const child = spawn(process.execPath, [CHILD, socket, house.policyPath, house.stateFolder, root], {
        stdio: ["ignore", "pipe", "ignore"],
        env: { PATH: `${programs.folder}:${process.env.PATH}` },
      });
      const ended = new Promise((resolve) => child.once("close", (_code, signal) => resolve(signal)));
      onTestFinished(async () => {
        child.kill("SIGKILL");
        await ended;
      });
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      return { ended };
    }
    const frame = requestFrame({
      ...{ operation: "reboot", id: "cmd_1", source: "local" },
      ...{ args: { method: "graceful" }, deadline_ms: 20_000 },
    });
    const first = await start();
    expect((await sendRaw(socket, frame)).answer).toBeNull();
    expect(await first.ended).toBe("SIGKILL");
    await start();
    const look = requestFrame({
      operation: "reboot.look",
      args: { id: "cmd_1", source: "local", method: "graceful" },
    });
    for (let i = 0; i < 2; i++)
      expect((await sendRaw(socket, frame)).answer).toMatchObject({ error: { code: "outcome_unknown" } });
    programs.put("systemctl", `echo "$*" >> '${called}'; echo running`);
    expect((await sendRaw(socket, look)).answer?.result).toMatchObject({
      known: { state: "begun", steps: ["systemctl reboot: tried"] },
      in_flight: false,
    });
    const lines = readFileSync(called, "utf8").split("\n");
    expect(lines.filter((line) => line === "reboot")).toEqual(["reboot"]);
  });
});

describe("hard", () => {
  const LADDER = [
    unit("sync", "10s", "-- sync"),
    "chassis power cycle",
    "chassis power reset",
    unit("reboot", "15s", "-- systemctl reboot --force --force"),
    unit("reboot", "10s", "-p StandardOutput=file:/proc/sysrq-trigger -- /usr/bin/printf b"),
  ];
  const RUNGS = [
    "sync",
    "ipmitool chassis power cycle",
    "ipmitool chassis power reset",
    "systemctl reboot --force --force",
    "sysrq b",
  ];

  it("every rung says no: all in their order, each on disk before it is tried", async () => {
    const { reboot, calls, entry, programs, house } = await rebootRig({ bmc: true });
    witnessing(programs, "systemd-run", house.stateFolder, NO);
    witnessing(
      programs,
      "ipmitool",
      house.stateFolder,
      'echo "Set Chassis Power Control to Cycle failed: Command not supported in present state" >&2; exit 1',
    );
    expect(await reboot("hard")).toMatchObject({
      code: "reboot_failed",
      message: "no way to reboot hard worked (last: sysrq b: no way)",
    });
    expect(calls()).toEqual(LADDER);
    const refused = "the BMC does not do that in its present state";
    expect(entry()).toMatchObject({
      outcome: { error: { code: "reboot_failed" } },
      steps: RUNGS.flatMap((name) => [
        `${name}: tried`,
        `${name}: ${name.startsWith("ipmitool") ? refused : "no way"}`,
      ]),
    });
    const at = readFileSync(join(programs.folder, "record-at-calls"), "utf8").trimEnd().split("\n");
    expect(at.map((line) => JSON.parse(line).entries[0].steps.at(-1))).toEqual(
      RUNGS.map((name) => `${name}: tried`),
    );
  });

  it("a rung that says yes gets its time, then the next is tried; the end is unknown", async () => {
    const { reboot, calls, entry, programs } = await rebootRig({ bmc: true });
    programs.put("ipmitool", "exit 0");
    programs.put("systemd-run", "exit 0");
    expect((await reboot("hard")).code).toBe("reboot_unanswered");
    expect(calls()).toEqual(LADDER);
    const still = entry().steps?.filter((step) => step.includes("still there"));
    expect(still).toEqual(RUNGS.slice(1).map((name) => `${name}: the host is still there after 0 s`));
  });

  it("a rung that hangs is ended, and the next is tried", async () => {
    const { reboot, calls, entry, programs } = await rebootRig({ bmc: true, limitMs: 300 });
    for (const name of ["ipmitool", "systemd-run"])
      programs.put(name, "exec sleep 600", { hangs: () => true });
    expect((await reboot("hard")).code).toBe("reboot_unanswered");
    expect(calls()).toEqual(LADDER);
    expect(entry().steps).toContain("ipmitool chassis power cycle: the BMC gave no answer in time");
    expect(entry().steps?.filter((step) => step.endsWith("s and was ended"))).toHaveLength(3);
  });

  it("no BMC: ipmitool is not asked; no ipmitool: its rungs say so", async () => {
    const none = await rebootRig();
    none.programs.put("systemd-run", NO);
    none.programs.put("ipmitool", "exit 0");
    expect((await none.reboot("hard")).code).toBe("reboot_failed");
    expect(none.calls()).toEqual(LADDER.filter((line) => !line.startsWith("chassis")));
    expect(none.entry().steps?.[0]).toContain("ipmitool: not tried (There is no /dev/ipmi0");
    const bare = await rebootRig({ bmc: true });
    expect((await bare.reboot("hard")).code).toBe("reboot_failed");
    expect(bare.entry().steps).toContain(
      "ipmitool chassis power cycle: The program ipmitool is not installed",
    );
    expect(bare.entry().steps).toContain("sysrq b: systemd-run is not installed");
  });

  it("without systemd only the BMC is left; without both nothing is begun", async () => {
    const bmc = await rebootRig({ systemd: false, bmc: true });
    bmc.programs.put("sync", "exit 0");
    bmc.programs.put("ipmitool", NO);
    expect((await bmc.reboot("hard")).code).toBe("reboot_failed");
    expect(bmc.calls()).toEqual(["", "chassis power cycle", "chassis power reset"]);
    const none = await rebootRig({ systemd: false });
    expect((await none.reboot("hard")).code).toBe("no_systemd");
    expect(existsSync(join(none.house.stateFolder, "done.json"))).toBe(false);
  });

  it("a client that hangs up stops it between two rungs", async () => {
    const { house, audits, calls, entry, programs, look } = await rebootRig({ bmc: true, settleMs: 600_000 });
    programs.put("ipmitool", "exit 0");
    programs.put("systemd-run", "exit 0");
    programs.put("systemctl", "echo running");
    const client = connect(house.socket);
    const args = { method: "hard" };
    client.write(
      requestFrame({ operation: "reboot", id: "cmd_1", source: "local", args, deadline_ms: 600_000 }),
    );
    await eventually(() => audits().at(-1)?.message === "ipmitool chassis power cycle: the BMC said yes");
    expect(await look({ id: "cmd_1" })).toMatchObject({ known: { state: "begun" }, in_flight: true });
    client.destroy();
    await eventually(() => entry().outcome.state !== "begun");
    expect(entry().outcome).toMatchObject({
      error: { code: "reboot_unanswered", message: expect.stringContaining("because the client hung up") },
    });
    expect(calls().filter((line) => line !== "is-system-running")).toEqual(LADDER.slice(0, 2));
    expect(await look({ id: "cmd_1" })).toMatchObject({ known: { state: "failed" }, in_flight: false });
  });

  it("a deadline that passes stops it, and no unit may outlive it", async () => {
    const { reboot, calls, programs } = await rebootRig({ bmc: true, settleMs: 600_000 });
    programs.put("ipmitool", NO);
    programs.put("systemd-run", 'case "$*" in *sync) exit 1;; esac; exit 0');
    expect((await reboot("hard", { deadline_ms: 2_500 })).code).toBe("reboot_unanswered");
    expect(calls()).toEqual([
      expect.stringMatching(/unit=foundry-agent-sync .*TimeoutStartSec=[12]s .*-- sync$/),
      ...LADDER.slice(1, 3),
      expect.stringMatching(/TimeoutStartSec=[12]s .*systemctl reboot --force --force$/),
    ]);
  });
});

it("takes only what it knows as arguments", async () => {
  const { call, programs } = await rebootRig();
  programs.put("systemctl", "exit 0");
  for (const args of [{}, { method: "soft" }, { method: "hard", force: true }, { method: ["hard"] }])
    expect((await call("reboot", args)).code).toBe("helper_refused");
  expect(programs.calls()).toEqual([]);
});
