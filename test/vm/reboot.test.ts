/**
 * A reboot on a real Debian with a real systemd, from the package: asked for once it happens once and is proven by
 * its boot id, whatever is done to the agent, the helper or the machine on the way. Everywhere else the end of the host
 * is played.
 *
 * One machine for all tests, each on the boot that the one before left. At the end the machine's own list of its boots
 * must be what the tests saw.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installLacking } from "./install.ts";
import { type Asked, openRebootLab, plain, type RebootLab } from "./reboot-lab.ts";
import { freezeHelper, KILLER, killAgent } from "./trap.ts";

const LACKING = installLacking();
const SYNC = "/v1/nodes/*/sync";

describe("the package on a machine that is rebooted", () => {
  let lab: RebootLab;
  /** Boot ids in their order; the last is the one it is on. */
  const boots: string[] = [];
  /** Boots in which a test killed the agent, so that it was started twice. */
  const killedIn: string[] = [];
  let asked: Asked;

  beforeAll(async () => {
    if (LACKING !== null) return;
    lab = await openRebootLab();
    boots.push(await lab.vm.bootId());
  });
  afterAll(async () => await lab?.close());

  function real(name: string, test: () => Promise<void>): void {
    it(name, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      // What one test switched on is not the next one's.
      lab.sandbox.faults.clear();
      await test();
    });
  }

  const boot = (): string => boots.at(-1) ?? "";
  async function comesBack(early?: () => void): Promise<{ from: string; to: string }> {
    const from = boot();
    const to = await lab.vm.comesBack(from, early);
    boots.push(to);
    return { from, to };
  }
  async function staysUp(): Promise<void> {
    expect(await lab.vm.bootId()).toBe(boot());
    expect((await lab.vm.run("systemctl is-system-running")).stdout).not.toMatch(/stopping/);
    expect((await lab.vm.run("test -e /run/systemd/shutdown/scheduled")).status).not.toBe(0);
  }
  /** What the helper was asked for and did about reboots on a boot. */
  const rebootCalls = async (on: string) =>
    (await lab.helperCalls(on)).filter(({ audit }) => audit === "reboot");
  const tries = async (on: string) =>
    (await rebootCalls(on)).filter(({ message }) => message === "systemctl reboot: tried");
  const log = async (on: string) =>
    (await lab.vm.ok(`journalctl -q -b ${plain(on)} -o cat -u foundry-agent`)).split("\n");

  real("reboots once when curl asks the control plane, and the operation succeeds afterwards", async () => {
    await lab.nothingGetsThrough();
    asked = await lab.ask("graceful");
    // For the next test: what a backup of this moment has.
    await lab.curl("POST", "/sandbox/faults", { kind: "snapshot" });
    lab.sandbox.faults.clear();
    const { from, to } = await comesBack();
    const { operation, command } = await lab.finished(asked);
    expect(await lab.curl("GET", `/v1/operations/${asked.operation}`)).toMatchObject({
      status: "succeeded",
      result: { from_boot_id: from, boot_id: to, cause: "command" },
    });
    expect(operation.result).toMatchObject({ how: expect.arrayContaining(["systemctl reboot: tried"]) });
    const up = Number((await lab.vm.ok("awk '/^btime/ {print $2}' /proc/stat")).trim()) * 1_000;
    expect(operation.finishedAt).toBeGreaterThan(up);
    // Whether it still hears that the helper's call was taken is up to who is ended first.
    expect([...new Set(command.history.map(({ state }) => state))]).toEqual([
      "accepted",
      "running",
      "rebooting",
      "verifying",
      "succeeded",
    ]);
    expect(lab.ends(asked)).toEqual(["succeeded"]);
  });

  real(
    "does nothing when a server that was restored from a backup sends the same command again",
    async () => {
      lab.sandbox.faults.restore();
      await lab.delivered(asked);
      const { operation } = await lab.finished(asked);
      expect(operation).toMatchObject({ status: "succeeded", result: { boot_id: boot(), cause: "command" } });
      expect(new Set(lab.ends(asked))).toEqual(new Set(["succeeded"]));
      expect(await rebootCalls(boot())).toEqual([]);
      await staysUp();
    },
  );

  real("reboots once when the agent is killed after it accepted", async () => {
    await lab.trap(" state=accepted", killAgent);
    asked = await lab.ask("graceful");
    const { from, to } = await comesBack();
    killedIn.push(from);
    const { operation } = await lab.finished(asked);
    expect(operation).toMatchObject({
      status: "succeeded",
      result: { from_boot_id: from, boot_id: to, cause: "command" },
    });
    expect(lab.ends(asked)).toEqual(["succeeded"]);
    const lines = await log(from);
    const killed = lines.findIndex((line) => line.includes("status=9/KILL"));
    const accepted = lines.findIndex((line) => line.includes(asked.command));
    expect(accepted).not.toBe(-1);
    expect(killed).toBeGreaterThan(accepted);
    expect(lines.slice(accepted, killed).filter((line) => line.includes(" state=rebooting"))).toEqual([]);
    expect(await tries(from)).toHaveLength(1);
  });

  real("does not reboot, and says so, when the agent is killed between intent and call", async () => {
    await lab.trap(" state=rebooting", killAgent);
    asked = await lab.ask("graceful");
    await lab.delivered(asked);
    // Telling the server comes between the two and may take five seconds.
    lab.sandbox.faults.set({ kind: "slow", path: SYNC, delay_ms: 8_000 });
    await lab.trapped();
    lab.sandbox.faults.clear();
    killedIn.push(boot());
    const { operation, command } = await lab.finished(asked);
    expect(operation.status).toBe("failed");
    expect([...new Set(command.history.map(({ state }) => state))]).toEqual([
      "accepted",
      "running",
      "rebooting",
      "failed",
    ]);
    const failure = lab
      .told("command.state")
      .find(({ data }) => data.command_id === asked.command && data.state === "failed");
    expect(failure?.data.error).toMatchObject({ code: "reboot_did_not_happen" });
    expect(lab.ends(asked)).toEqual(["failed"]);
    expect(await rebootCalls(boot())).toEqual([]);
    await staysUp();
  });

  real(
    "reboots once when the agent is killed while the host goes down and nothing reaches the server",
    async () => {
      await lab.vm.put("/run/systemd/system/killer.service", KILLER);
      await lab.vm.ok("systemctl daemon-reload && systemctl start killer");
      asked = await lab.ask("graceful");
      await lab.delivered(asked);
      // So the command goes unacknowledged until the host is back, and is sent again then.
      lab.sandbox.faults.set({ kind: "drop_before", path: SYNC });
      const { from, to } = await comesBack(() => lab.sandbox.faults.clear());
      const { operation } = await lab.finished(asked);
      expect(operation).toMatchObject({
        status: "succeeded",
        result: { from_boot_id: from, boot_id: to, cause: "command" },
      });
      expect(lab.ends(asked)).toEqual(["succeeded"]);
      // It died in the shutdown, and what systemd does 5 s after such a death it did not do in one.
      expect((await lab.vm.ok("cat /root/killed")).split("\n").slice(0, 2)).toEqual(["stopping", "killed"]);
      expect((await log(from)).some((line) => line.includes("status=9/KILL"))).toBe(true);
      expect(await tries(from)).toHaveLength(1);
    },
  );

  real(
    "takes a hard reset between intent and call for the reboot, and says that nobody can vouch for it",
    async () => {
      await lab.trap(" state=rebooting", freezeHelper);
      asked = await lab.ask("graceful");
      await lab.delivered(asked);
      lab.sandbox.faults.set({ kind: "slow", path: SYNC, delay_ms: 8_000 });
      await lab.trapped();
      await lab.vm.qmp("system_reset");
      lab.sandbox.faults.clear();
      const { from, to } = await comesBack();
      const { operation } = await lab.finished(asked);
      expect(operation).toMatchObject({
        status: "succeeded",
        result: { from_boot_id: from, boot_id: to, cause: "unverified" },
      });
      expect(lab.ends(asked)).toEqual(["succeeded"]);
      expect(await lab.vm.ok("cat /var/lib/foundry-agent-helper/*.json")).not.toContain(asked.command);
    },
  );

  real("reboots hard by its BMC, from the first rung that works", async () => {
    asked = await lab.ask("hard");
    const { from, to } = await comesBack();
    const { operation } = await lab.finished(asked);
    // QEMU's BMC refuses the first.
    expect(operation).toMatchObject({
      status: "succeeded",
      result: {
        from_boot_id: from,
        boot_id: to,
        cause: "command",
        how: [
          "sync: tried",
          "sync: it said yes",
          "ipmitool chassis power cycle: tried",
          "ipmitool chassis power cycle: the BMC does not do that in its present state",
          "ipmitool chassis power reset: tried",
        ],
      },
    });
    expect(lab.ends(asked)).toEqual(["succeeded"]);
  });

  real("tells of a reboot that nobody asked it for, and whether the agent was stopped before", async () => {
    await lab.vm.run("systemctl reboot");
    const typed = await comesBack();
    expect(await unasked(typed.to)).toMatchObject({
      asked: false,
      from_boot_id: typed.from,
      boot_id: typed.to,
      clean_stop: true,
    });
    await lab.vm.qmp("system_reset");
    const reset = await comesBack();
    expect(await unasked(reset.to)).toMatchObject({
      asked: false,
      from_boot_id: reset.from,
      boot_id: reset.to,
      clean_stop: false,
    });
  });

  function unasked(to: string): Promise<Record<string, unknown>> {
    return lab.until(
      "the event of a reboot",
      120,
      () => reboots().find((data) => data.boot_id === to) ?? null,
    );
  }
  const reboots = () => lab.told("reboot").map(({ data }) => data);

  real("was booted as often as it was asked for, with one start of the agent in each", async () => {
    const list = await lab.vm.ok("journalctl --list-boots --no-pager");
    expect(list.match(/\b[0-9a-f]{32}\b/g)).toEqual(boots.map(plain));
    expect(reboots()).toHaveLength(2);
    for (const one of boots) {
      const often = killedIn.filter((killed) => killed === one).length;
      expect(await lab.starts(one), one).toEqual({ starts: 1 + often, restarts: often });
    }
  });
});
