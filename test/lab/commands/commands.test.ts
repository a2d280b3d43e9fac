/**
 * Commands from the sandbox's API to a real systemd that goes down and comes back: what makes a reboot wait, what refuses
 * it, and that it is proven afterwards, with the package installed and both parts in their sandboxes.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SUITES } from "../../../scripts/lab/nspawn-root.mjs";
import { bootLacking, until } from "../nspawn.ts";
import { type LabNode, openNode, POLICY, type Shown, STATE, stateFolder } from "./node.ts";

const LACKING = bootLacking();
const OPEN =
  '[allow]\nlocal = ["reboot", "collect"]\nnodefoundry = ["reboot", "collect"]\n[limits.reboot]\nminutes_apart = 0\na_day = 9\n';
const ON = `[commands]\nremote = "on"\n${OPEN}`;
const ON_TMPFS = `[commands]\nremote = "on"\nvolatile_state = true\n${OPEN}`;
/** struct flock of Linux on x86-64, fcntl(2): what dpkg and apt hold while they work. */
const HOLD_LOCK =
  'use Fcntl; open(my $f, ">>", $ARGV[0]) or die $!; my $l = pack("ssx4qqix4", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die $!; sleep 600';

describe.each(SUITES.map((suite) => ({ suite })))("commands on $suite", ({ suite }) => {
  let node: LabNode;
  let folder = "";
  let noLogind: string | null = null;

  beforeAll(async () => {
    if (LACKING !== null) return;
    folder = stateFolder();
    node = await openNode(suite, folder);
    const install = "apt-get update -q && apt-get install -q -y --no-install-recommends dbus";
    if ((await node.system.run("sh", "-c", install)).status !== 0) noLogind = "no mirror to get dbus from";
    else await node.system.ok("systemctl", "start", "dbus", "systemd-logind");
  });
  afterAll(async () => {
    await node?.close();
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  function real(name: string, test: () => Promise<void>, lacking: () => string | null = () => null): void {
    it(name, async (context) => {
      const reason = LACKING ?? lacking();
      if (reason !== null) return context.skip(reason);
      await test();
    });
  }

  real("refuses a reboot from the network without a policy, and rehearses it as shipped", async () => {
    const before = await node.bootId();
    const shipped = await node.reboot();
    expect(await node.over(shipped.operation)).toMatchObject({
      status: "cancelled",
      message: expect.stringContaining("only rehearses"),
    });
    expect(await node.shown(shipped.id)).toMatchObject({
      state: "rehearsed",
      error: null,
      rehearsal: { next_step: `write remote = "on" below [commands] in ${POLICY}` },
    });
    node.policy(null);
    const without = await node.reboot();
    expect(await node.over(without.operation)).toMatchObject({ status: "failed" });
    expect(await node.shown(without.id)).toMatchObject({
      state: "refused",
      error: { code: "policy_unusable", next_step: expect.stringContaining(POLICY) },
    });
    expect([await node.bootId(), await node.rebooted()]).toEqual([before, []]);
  });

  real("lets a reboot wait while the helper can't be asked", async () => {
    node.policy(ON);
    const units = ["foundry-agent-helper.socket", "foundry-agent-helper.service"];
    await node.system.ok("systemctl", "stop", ...units);
    const { id, operation } = await node.reboot();
    expect(await node.waits(id, "helper_silent")).toMatchObject({
      next_step: expect.stringContaining("systemctl"),
    });
    await node.system.ok("foundry-agent", "commands", "cancel", id);
    expect(await node.over(operation)).toMatchObject({ status: "cancelled" });
    await node.system.ok("systemctl", "start", "foundry-agent-helper.socket");
  });

  real(
    "lets a reboot wait for a block inhibitor, then does it once and proves it",
    async () => {
      const { system } = node;
      const before = await node.bootId();
      const inhibit = ["systemd-inhibit", "--what=shutdown", "--mode=block", "--who=backup of tank"];
      await system.ok("systemd-run", "--unit=inhibitor", ...inhibit, "--why=dumps a table", "sleep", "600");
      await until("it is held", async () =>
        (await system.ok("systemd-inhibit", "--list")).includes("dumps a table") ? true : null,
      );
      const { id, operation } = await node.reboot();
      expect(await node.waits(id, "inhibited")).toEqual({
        code: "inhibited",
        text: "backup of tank wants this host to stay on: dumps a table.",
        next_step: "systemd-inhibit --list --mode=block",
      });
      expect(await node.why(id)).toContain("backup of tank wants this host to stay on: dumps a table.");
      expect(await system.ok("foundry-agent", "commands", id)).toContain("dumps a table");
      expect(await node.statusText()).toContain("reboot waits: backup of tank wants");
      expect(await system.ok("systemctl", "status", "--no-pager", "foundry-agent")).toContain("reboot waits");
      await system.ok("systemctl", "stop", "inhibitor");
      await system.again();
      const after = await node.bootId();
      expect(after).not.toBe(before);
      expect(await node.over(operation)).toMatchObject({
        status: "succeeded",
        cause: { cause: "command", from_boot_id: before, boot_id: after },
      });
      const { state, history } = (await node.shown(id)) as Shown;
      expect([state, [...new Set(history.map((entry) => entry.state))]]).toEqual([
        "succeeded",
        ["accepted", "waiting", "running", "rebooting", "verifying", "succeeded"],
      ]);
      expect(await node.rebooted()).toEqual([id]);
    },
    () => noLogind,
  );

  real(
    "looks at the node after the boot, in the sandbox of its unit: what is gone is told, until it is back",
    async () => {
      node.policy(ON);
      const { system } = node;
      // Each is there now and depends on something that no boot brings back.
      await system.ok("mkdir", "-p", "/run/lab/a", "/run/lab/b", "/srv/lab", "/etc/foundry-agent/checks.d");
      const put = (path: string, text: string, mode = 0o644): void => {
        writeFileSync(system.root + path, text, { mode });
        chmodSync(system.root + path, mode);
      };
      put(
        "/etc/systemd/system/needs-lab.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/test -e /run/lab\n[Install]\nWantedBy=multi-user.target\n",
      );
      // Not a bind mount: systemd makes the folder that is missing.
      put("/etc/fstab", "overlay /srv/lab overlay lowerdir=/run/lab/a:/run/lab/b,nofail 0 0\n");
      put(
        "/etc/foundry-agent/checks.d/lab",
        "#!/bin/sh\ntest -e /run/lab && exit\necho no lab for uid $(id -u)\nexit 1\n",
        0o755,
      );
      put("/etc/foundry-agent/checks.d/never-worked", "#!/bin/sh\nexit 1\n", 0o755);
      put("/etc/foundry-agent/checks.d/anybodys", "#!/bin/sh\nexit 0\n", 0o777);
      await system.ok("systemctl", "daemon-reload");
      await system.ok("systemctl", "enable", "needs-lab.service");
      await system.ok("systemctl", "start", "needs-lab.service", "srv-lab.mount");
      const { id, operation } = await node.reboot();
      await system.again();
      const uid = (await system.ok("id", "-u", "foundry-agent")).trim();
      const gone = [
        "unit needs-lab.service has failed",
        "unit srv-lab.mount has failed",
        "mount /srv/lab is gone",
        `check lab fails: no lab for uid ${uid}`,
      ];
      const over = await node.over(operation);
      expect(over.status).toBe("succeeded");
      expect(over.result?.regressed?.map(({ text }) => text).sort()).toEqual([...gone].sort());
      const story = await system.ok("foundry-agent", "commands", id);
      for (const text of gone) expect(story.toLowerCase()).toContain(text.toLowerCase());
      const why = (await system.ok("foundry-agent", "why", "worse_after_reboot")).replace(/\s+/g, " ");
      for (const text of gone) expect(why).toContain(text);
      expect((await system.run("foundry-agent", "why", "check_not_run")).said).toContain(
        "can be changed by others",
      );
      await system.ok("mkdir", "-p", "/run/lab/a", "/run/lab/b");
      await system.ok("systemctl", "start", "needs-lab.service", "srv-lab.mount");
      await until(
        "the condition is over",
        async () =>
          (await system.run("foundry-agent", "why", "worse_after_reboot")).status === 0 ? null : true,
        200_000,
      );
      await system.ok("systemctl", "disable", "needs-lab.service");
      put("/etc/fstab", "");
      await system.ok("rm", "-r", "/etc/foundry-agent/checks.d");
      expect((await node.rebooted()).filter((one) => one === id)).toHaveLength(1);
    },
  );

  real("lets a reboot wait for the package manager, and keeps a hold over the boot", async () => {
    const { system } = node;
    const [before, earlier] = [await node.bootId(), await node.rebooted()];
    await system.ok("foundry-agent", "hold", "--reason", "replacing a fan");
    const held = await node.command("collect", { sections: ["cpu"] });
    await system.ok("systemd-run", "--unit=packager", "perl", "-e", HOLD_LOCK, "/var/lib/dpkg/lock-frontend");
    const inode = (await system.ok("stat", "-c", "%i", "/var/lib/dpkg/lock-frontend")).trim();
    await until("it is locked", async () =>
      (await system.ok("cat", "/proc/locks")).includes(`:${inode} `) ? true : null,
    );
    const asked = await system.ok("foundry-agent", "reboot", "--no-drain", "--yes", "--json");
    const { id } = JSON.parse(asked) as Shown;
    expect(await node.waits(id, "packages_locked")).toMatchObject({
      text: expect.stringContaining("/var/lib/dpkg/lock-frontend is locked"),
    });
    expect(await node.why(id)).toContain("Packages are being installed or removed");
    expect(await node.waits(held.id, "held")).toMatchObject({
      text: expect.stringContaining("replacing a fan"),
      next_step: "foundry-agent release",
    });
    await system.ok("systemctl", "stop", "packager");
    await system.again();
    await until("the local reboot is over", async () =>
      (await node.shown(id))?.state === "succeeded" ? true : null,
    );
    expect(await node.bootId()).not.toBe(before);
    expect(await node.rebooted()).toEqual([...earlier, id]);
    expect(await node.waits(held.id, "held")).toMatchObject({
      text: expect.stringContaining("replacing a fan"),
    });
    await system.ok("foundry-agent", "release");
    expect(await node.over(held.operation)).toMatchObject({ status: "succeeded" });
  });
});

describe("commands with their state on a disk that is full, then read-only", () => {
  let node: LabNode;
  let disk = "";

  beforeAll(async () => {
    if (LACKING !== null) return;
    disk = stateFolder();
    // Of this host, so that it outlives the boots of the system in the container as a disk does.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0755", "tmpfs", disk]);
    node = await openNode("bookworm", disk);
    node.policy(ON_TMPFS);
  });
  afterAll(async () => {
    await node?.close();
    if (disk === "") return;
    execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  });

  function real(name: string, test: () => Promise<void>): void {
    it(name, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      await test();
    });
  }

  const free = () =>
    execFileSync("df", ["--output=avail", "-B1", disk], { encoding: "utf8" }).split("\n")[1]?.trim();

  real("reboots from a full disk once, and proves it", async () => {
    const before = await node.bootId();
    await node.system.run("dd", "if=/dev/zero", `of=${STATE}/filler`, "bs=4096");
    expect(free()).toBe("0");
    const { id, operation } = await node.reboot();
    await node.system.again();
    const after = await node.bootId();
    expect(after).not.toBe(before);
    expect(await node.over(operation)).toMatchObject({
      status: "succeeded",
      cause: { cause: "command", from_boot_id: before, boot_id: after },
    });
    expect(await node.shown(id)).toMatchObject({ state: "succeeded" });
    expect(await node.rebooted()).toEqual([id]);
    await node.system.ok("rm", `${STATE}/filler`);
  });

  real("refuses a reboot on a read-only disk, says what is left, and that reboots", async () => {
    const { system } = node;
    const [before, earlier] = [await node.bootId(), await node.rebooted()];
    // What has files open for writing can't be made read-only.
    await system.ok("systemctl", "stop", "foundry-agent", "foundry-agent-helper");
    execFileSync("mount", ["-o", "remount,ro", disk]);
    await system.ok("systemctl", "start", "foundry-agent");
    const { id, operation } = await node.reboot();
    expect(await node.over(operation)).toMatchObject({
      status: "failed",
      message: expect.stringContaining("can't be written"),
    });
    expect(await node.told(id)).toMatchObject([
      {
        state: "refused",
        error: { code: "journal_not_writable", next_step: expect.stringContaining(`findmnt -T ${STATE}`) },
      },
    ]);
    expect(await system.ok("foundry-agent", "why")).toContain("state_not_writable");
    const local = await system.run("foundry-agent", "reboot", "--no-drain", "--yes");
    expect(local.said).toContain("The journal of commands can't be written");
    expect(local.status).not.toBe(0);
    expect([await node.bootId(), await node.rebooted()]).toEqual([before, earlier]);
    await system.ok("foundry-agent", "reboot", "--unproven", "--yes");
    await system.again();
    expect(await node.bootId()).not.toBe(before);
    expect(await node.rebooted()).toEqual(earlier);
  });
});
