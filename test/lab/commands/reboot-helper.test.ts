/**
 * Reboots through the installed helper, in its real sandbox, of a real systemd: does the program that is asked reach
 * PID 1, does the system go down, is it done once. A mark in /run shows that it
 * was booted anew.
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SUITES } from "../../../scripts/lab/nspawn-root.mjs";
import type { SystemdLook } from "../../../src/helper/host/systemd-look.ts";
import { HELPER_SOCKET, socketHelper } from "../../../src/helper/link/client.ts";
import type { RebootLook } from "../../../src/helper/reboot/look.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { type Booted, boot, bootLacking, labDeb, until } from "../nspawn.ts";

const LACKING = bootLacking();
const OPEN = '[allow]\nlocal = ["reboot"]\n[limits.reboot]\nminutes_apart = 0\na_day = 9\n';

describe.each(SUITES.map((suite) => ({ suite })))("the helper on $suite", ({ suite }) => {
  let system: Booted;

  beforeAll(async () => {
    if (LACKING !== null) return;
    system = await boot(suite);
    await system.ok("dpkg", "-i", await system.bring(labDeb()));
  });
  afterAll(async () => await system?.stop());

  function real(name: string, test: () => Promise<void>): void {
    it(name, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      await test();
    });
  }

  const call = (operation: string, args: object, id?: string) =>
    socketHelper({ path: system.root + HELPER_SOCKET, answerMs: 60_000 }).call(
      operation,
      args,
      AbortSignal.timeout(120_000),
      { source: "local", deadlineMs: 60_000, ...(id === undefined ? {} : { id }) },
    );
  const look = (id: string | null = null) => call("reboot.look", { id, source: "local", method: "graceful" });
  const policy = (text: string) => writeFileSync(`${system.root}/etc/foundry-agent/policy.toml`, text);
  const mark = () => system.ok("touch", "/run/not-booted-since");
  const isMarked = async () => (await system.run("test", "-e", "/run/not-booted-since")).status === 0;

  real("looks: nothing under way; the record is on an overlay, so a reboot would be refused", async () => {
    policy(OPEN);
    // As Ceph's packages leave it on a host without an OSD: closed to all but root and ceph.
    await system.ok("install", "-d", "-m", "0750", "-o", "nobody", "/var/lib/ceph", "/var/lib/ceph/osd");
    expect(await look()).toMatchObject({
      known: null,
      osds: { is: "no" },
      shutdown: { scheduled: false, under_way: false },
      doubt: null,
      refusal: { code: "state_volatile" },
    });
    await mark();
    await expect(call("reboot", { method: "graceful" }, "cmd_0")).rejects.toMatchObject({
      code: "state_volatile",
      message: expect.stringContaining("/var/lib/foundry-agent-helper is on overlayfs"),
    });
    policy(`[commands]\nvolatile_state = true\n${OPEN}`);
    expect(await look()).toMatchObject({ refusal: null, again_in_minutes: null });
  });

  real("announces, through PID 1 and out of its sandbox", async () => {
    expect(await call("reboot.announce", { id: "cmd_1", in_s: 60, source: "local" })).toEqual({ told: true });
    expect(await system.ok("journalctl", "-q", "-b", "-o", "cat", "-t", "systemd")).toContain(
      "foundry-agent-wall-",
    );
  });

  real("reboots gracefully, once", async () => {
    expect(await isMarked()).toBe(true);
    expect(await call("reboot", { method: "graceful" }, "cmd_1")).toEqual({
      method: "graceful",
      how: "systemctl reboot",
    });
    await system.again();
    expect(await isMarked()).toBe(false);
    expect(await look("cmd_1")).toMatchObject({
      known: { state: "done", steps: ["systemctl reboot: tried", "systemctl reboot: it said yes"] },
      in_flight: false,
      shutdown: { scheduled: false, under_way: false },
    });
    await mark();
    expect(await call("reboot", { method: "graceful" }, "cmd_1")).toMatchObject({ method: "graceful" });
    expect(await look()).toMatchObject({ shutdown: { under_way: false } });
    expect(await isMarked()).toBe(true);
  });

  it("with logind: sees a shutdown that is scheduled, and one that an inhibitor still delays", async (context) => {
    if (LACKING !== null) return context.skip(LACKING);
    const install = "apt-get update -q && apt-get install -q -y --no-install-recommends dbus";
    if ((await system.run("sh", "-c", install)).status !== 0)
      return context.skip("no mirror to get dbus from");
    await system.ok("systemctl", "start", "dbus", "systemd-logind");
    await system.ok("shutdown", "-r", "+30");
    expect(await look()).toMatchObject({ shutdown: { scheduled: true, under_way: false }, doubt: null });
    await system.ok("shutdown", "-c");
    expect(await look()).toMatchObject({ shutdown: { scheduled: false, under_way: false }, doubt: null });
    const delay = [
      "systemd-inhibit",
      "--what=shutdown",
      "--mode=delay",
      "--who=lab",
      "--why=lab",
      "sleep",
      "600",
    ];
    await system.ok("systemd-run", "--unit=delayer", ...delay);
    await until("it is delayed", async () =>
      (await system.ok("systemd-inhibit", "--list")).includes("delay") ? true : null,
    );
    await call("reboot", { method: "graceful" }, "cmd_3");
    expect(await look("cmd_3")).toMatchObject({
      known: { state: "done" },
      shutdown: { scheduled: false, under_way: true },
      doubt: null,
    });
    await system.again();
    expect(await isMarked()).toBe(false);
    await mark();
  });

  it("with a tree at /run/nextroot: a reboot all the same, where systemctl alone makes a soft one", async (context) => {
    if (LACKING !== null) return context.skip(LACKING);
    if (suite === "bookworm") return context.skip("systemd 252 knows no soft-reboot");
    if ((await system.run("systemctl", "is-active", "systemd-logind")).status !== 0)
      return context.skip("without logind nothing looks at /run/nextroot");
    const nextRoot = async (): Promise<void> => {
      await system.ok("mkdir", "-p", "/run/nextroot");
      await system.ok("mount", "--bind", "/", "/run/nextroot");
    };
    const userspace = async (): Promise<number> =>
      ((await call("systemd.look", {})) as SystemdLook).userspace_started_ms ?? 0;
    await mark();
    const before = await userspace();
    expect(before).toBeGreaterThan(0);
    await nextRoot();
    // What this is about: /run stays, PID 1 and its kernel too, and only that moment is another one.
    await system.ok("systemctl", "reboot");
    await until("its userspace is another one", async () => {
      const { stdout } = await system.run("systemctl", "show", "--property=SoftRebootsCount", "--value");
      return stdout.trim() === "1" ? true : null;
    });
    await until("systemd is up", async () => {
      const { stdout } = await system.run("systemctl", "is-system-running");
      return /^(?:running|degraded)/.test(stdout) ? true : null;
    });
    expect(await isMarked()).toBe(true);
    expect(await userspace()).toBeGreaterThan(before);
    // The agent, which was started anew with all else, asks a minute later and tells it as what it was.
    await until(
      "it is told",
      async () => {
        const { status, stdout } = await system.run("foundry-agent", "events", "--json");
        return status === 0 && /"kind":\s*"soft"/.test(stdout) ? true : null;
      },
      200_000,
    );
    await nextRoot();
    expect(await call("reboot", { method: "graceful" }, "cmd_4")).toMatchObject({ method: "graceful" });
    await system.again();
    expect(await isMarked()).toBe(false);
    await mark();
  });

  real("sees a shutdown that is scheduled without logind", async () => {
    // As logind writes it.
    await system.ok("mkdir", "-p", "/run/systemd/shutdown");
    await system.ok("touch", "/run/systemd/shutdown/scheduled");
    expect(await look()).toMatchObject({ shutdown: { scheduled: true, under_way: false } });
    await system.ok("rm", "/run/systemd/shutdown/scheduled");
  });

  real("reboots hard, once, and leaves how far it came", async () => {
    const gone = await call("reboot", { method: "hard" }, "cmd_2").catch(errorCode);
    expect(gone).toBe("helper_failed");
    await system.again();
    expect(await isMarked()).toBe(false);
    // Here the helper outlives PID 1 for a moment and may see it go; a host is gone at once.
    const { known, in_flight } = (await look("cmd_2")) as RebootLook;
    expect([known?.state, in_flight]).toEqual(["begun", false]);
    expect(known?.steps.slice(0, 4)).toEqual([
      expect.stringContaining("ipmitool: not tried"),
      "sync: tried",
      "sync: it said yes",
      "systemctl reboot --force --force: tried",
    ]);
    await mark();
    await expect(call("reboot", { method: "hard" }, "cmd_2")).rejects.toMatchObject({
      code: "outcome_unknown",
    });
    expect(await isMarked()).toBe(true);
  });
});
