/**
 * The package installed on a real systemd (Debian 12 has 252, Debian 13 has 257): what starts, who may use which
 * socket, what the kernel says of the process' rights, and what happens when something goes wrong.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SUITES } from "../../../scripts/lab/nspawn-root.mjs";
import { HELPER_SOCKET, socketHelper } from "../../../src/helper/link/client.ts";
import { type Booted, boot, bootLacking, labDeb, until } from "../nspawn.ts";

const LACKING = bootLacking();
const UNITS = ["foundry-agent.service", "foundry-agent-helper.service", "foundry-agent-helper.socket"];
/** Exposure as `systemd-analyze security` counts it, in tenths; docs/THREATS.md says what is left. */
const SCORES = [
  ["foundry-agent.service", 15],
  ["foundry-agent-helper.service", 25],
] as const;
const RUN = "/run/foundry-agent";

/** Connect to a unix socket, as whoever runs it: perl-base is on every Debian. */
const CONNECT =
  'use IO::Socket::UNIX; print IO::Socket::UNIX->new(Peer => $ARGV[0]) ? "connected" : "refused: $!"';

describe.each(SUITES.map((suite) => ({ suite })))("the service on $suite", ({ suite }) => {
  let system: Booted;

  beforeAll(async () => {
    if (LACKING !== null) return;
    system = await boot(suite);
    await system.ok("useradd", "--system", "keeper");
    await system.ok("useradd", "--system", "stranger");
    await system.ok("dpkg", "-i", await system.bring(labDeb()));
    await system.ok("usermod", "-a", "-G", "foundry-admin", "keeper");
  });
  afterAll(async () => await system?.stop());

  function real(name: string, test: () => Promise<void>): void {
    it(name, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      await test();
    });
  }

  const as = (user: string, ...argv: string[]) => system.run("runuser", "-u", user, "--", ...argv);
  const connect = async (user: string, socket: string) =>
    (await as(user, "perl", "-e", CONNECT, socket.startsWith("/") ? socket : `${RUN}/${socket}`)).said;
  const mainPid = () => system.unit("foundry-agent", "MainPID");
  const status = async (pid: string) => await system.ok("cat", `/proc/${pid}/status`);
  const helper = () => socketHelper({ path: system.root + HELPER_SOCKET, answerMs: 60_000 });
  const noop = () => helper().call("noop", {}, AbortSignal.timeout(90_000));

  function dropIn(unit: string, lines: readonly string[] | null): void {
    const folder = `${system.root}/run/systemd/system/${unit}.d`;
    rmSync(folder, { recursive: true, force: true });
    if (lines === null) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/lab.conf`, `${lines.join("\n")}\n`);
  }

  real("has units that systemd finds nothing wrong with, as confined as promised", async () => {
    const verified = await system.run(
      "systemd-analyze",
      "verify",
      "--man=no",
      "--recursive-errors=yes",
      ...UNITS,
    );
    expect(verified).toEqual({ status: 0, stdout: "", said: "" });
    for (const [unit, most] of SCORES) {
      const at = `/usr/lib/systemd/system/${unit}`;
      const said = await system.ok("systemd-analyze", "security", "--offline=true", "--threshold=100", at);
      const [, score = "none"] = /Overall exposure level for \S+: (\d+\.\d)/.exec(said) ?? [];
      expect(Number(score) * 10, `${unit}: ${score}`).toBeLessThanOrEqual(most);
    }
  });

  real("is enabled, started and ready after the installation", async () => {
    for (const unit of ["foundry-agent.service", "foundry-agent-helper.socket"]) {
      expect((await system.run("systemctl", "is-enabled", unit)).stdout.trim()).toBe("enabled");
      expect(await system.unit(unit, "ActiveState")).toBe("active");
    }
    // Type=notify: active means that it said READY itself.
    expect(await system.unit("foundry-agent", "Type")).toBe("notify");
    expect(await system.unit("foundry-agent", "WatchdogUSec")).toBe("3min");
    expect(await system.unit("foundry-agent", "StatusText")).not.toBe("");
    expect((await system.run("foundry-agent", "status")).stdout).toContain("foundry-agent 0.");
    expect(await system.run("systemctl", "--failed", "--quiet")).toMatchObject({ status: 0, stdout: "" });
  });

  real("has its sockets and folders with the right owners and modes", async () => {
    const found = await system.ok(
      "stat",
      "-c",
      "%n %U:%G %a",
      ...["", "/status.sock", "/control.sock"].map((name) => RUN + name),
      HELPER_SOCKET,
      ...[
        "/var/lib/foundry-agent",
        "/var/lib/foundry-agent-helper",
        "/etc/foundry-agent",
        "/etc/foundry-agent/policy.toml",
      ],
    );
    expect(found.trim().split("\n")).toEqual([
      "/run/foundry-agent foundry-agent:foundry-agent 755",
      "/run/foundry-agent/status.sock foundry-agent:foundry-agent 666",
      "/run/foundry-agent/control.sock foundry-agent:foundry-admin 660",
      "/run/foundry-agent-helper.sock foundry-agent:foundry-agent 600",
      "/var/lib/foundry-agent foundry-agent:foundry-agent 700",
      "/var/lib/foundry-agent-helper root:root 700",
      "/etc/foundry-agent root:root 755",
      "/etc/foundry-agent/policy.toml root:root 644",
    ]);
  });

  real("runs without any right, and the helper with three", async () => {
    const uid = (await system.ok("id", "-u", "foundry-agent")).trim();
    const main = await status(await mainPid());
    expect(main).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, "m"));
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"])
      expect(main).toMatch(new RegExp(`^Cap${set}:\\t0{16}$`, "m"));
    expect(main).toMatch(/^NoNewPrivs:\t1$/m);
    expect(main).toMatch(/^Seccomp:\t2$/m);
    await noop();
    const child = await status(await system.unit("foundry-agent-helper", "MainPID"));
    // DAC_OVERRIDE (1), SYS_RAWIO (17), SYS_ADMIN (21)
    for (const set of ["Eff", "Bnd"]) expect(child).toMatch(new RegExp(`^Cap${set}:\\t0{10}220002$`, "m"));
    expect(child).toMatch(/^NoNewPrivs:\t1$/m);
    expect(child).toMatch(/^Seccomp:\t2$/m);
  });

  real("lets the right people to the right sockets", async () => {
    expect(await connect("foundry-agent", HELPER_SOCKET)).toBe("connected");
    for (const user of ["keeper", "stranger"]) {
      expect(await connect(user, HELPER_SOCKET)).toBe("refused: Permission denied");
      expect(await connect(user, "status.sock")).toBe("connected");
    }
    expect(await connect("keeper", "control.sock")).toBe("connected");
    expect(await connect("stranger", "control.sock")).toBe("refused: Permission denied");
    expect(await as("keeper", "foundry-agent", "reload")).toMatchObject({ status: 0 });
    expect((await as("stranger", "foundry-agent", "reload")).status).not.toBe(0);
    expect(await as("stranger", "foundry-agent", "status")).toMatchObject({ status: 0 });
  });

  real("ends the helper when nobody asks any more, and starts it at the next question", async () => {
    await noop();
    const first = await system.unit("foundry-agent-helper", "MainPID");
    await until("the helper ended by itself", async () =>
      (await system.unit("foundry-agent-helper", "ActiveState")) === "inactive" ? true : null,
    );
    expect(await system.unit("foundry-agent-helper", "Result")).toBe("success");
    await noop();
    expect(await system.unit("foundry-agent-helper", "MainPID")).not.toBe(first);
  });

  real("answers again when a helper that failed at every start is mended", async () => {
    dropIn("foundry-agent-helper.service", [
      "[Service]",
      "ExecStart=",
      "ExecStart=/bin/false",
      "RestartSec=200ms",
    ]);
    await system.ok("systemctl", "daemon-reload");
    await system.ok("systemctl", "stop", "foundry-agent-helper.service");
    const asked = noop();
    // More often than the five times in ten seconds that systemd allows by default.
    await until("it failed often", async () =>
      Number(await system.unit("foundry-agent-helper.service", "NRestarts")) >= 6 ? true : null,
    );
    expect(await system.unit("foundry-agent-helper.socket", "ActiveState")).toBe("active");
    dropIn("foundry-agent-helper.service", null);
    await system.ok("systemctl", "daemon-reload");
    expect(await asked).toEqual({});
  });

  real("reads its configuration again on reload, in the same process", async () => {
    const before = await mainPid();
    const times = async () =>
      (await system.journal("foundry-agent")).split("configuration read again").length - 1;
    const earlier = await times();
    await system.ok("systemctl", "reload", "foundry-agent");
    await until("it was read again", async () => ((await times()) > earlier ? true : null));
    // And a changed file is seen by itself, from inside the confinement.
    writeFileSync(
      `${system.root}/etc/foundry-agent/conf.d/lab.toml`,
      "[collectors.local]\nenabled = false\n",
    );
    await until("the section is gone", async () =>
      "local" in JSON.parse(await system.ok("foundry-agent", "report", "--json")).sections ? null : true,
    );
    expect(await mainPid()).toBe(before);
    expect(await system.unit("foundry-agent", "ActiveState")).toBe("active");
  });

  real("fails to reload a broken configuration, says why, and goes on with the one before", async () => {
    const before = await mainPid();
    const broken = `${system.root}/etc/foundry-agent/conf.d/broken.toml`;
    writeFileSync(broken, "[agent]\nhardwear = true\n");
    const { status } = await system.run("systemctl", "reload", "foundry-agent");
    expect(status).not.toBe(0);
    expect(await system.journal("foundry-agent")).toMatch(/broken\.toml:2.*hardwear/);
    expect(await mainPid()).toBe(before);
    expect(await system.unit("foundry-agent", "ActiveState")).toBe("active");
    rmSync(broken);
    await system.ok("systemctl", "reload", "foundry-agent");
    expect(await system.unit("foundry-agent", "SubState")).toBe("running");
  });

  real("is called foundry-agent where processes are listed, the helper too", async () => {
    const names = async () => (await system.ok("sh", "-c", "cat /proc/[0-9]*/comm")).split("\n");
    expect(await names()).not.toContain("node-MainThread");
    expect((await system.ok("cat", `/proc/${await mainPid()}/comm`)).trim()).toBe("foundry-agent");
  });

  real("is killed and started anew when it stands still", async () => {
    // The shipped three minutes are too long to wait for, and then its ticks must come more often too.
    writeFileSync(`${system.root}/etc/foundry-agent/conf.d/lab.toml`, "[collectors.cpu]\ninterval_s = 1\n");
    dropIn("foundry-agent.service", ["[Service]", "WatchdogSec=4s", "RestartSec=100ms"]);
    await system.ok("systemctl", "daemon-reload");
    await system.ok("systemctl", "restart", "foundry-agent");
    const before = await mainPid();
    const fed = await system.unit("foundry-agent", "WatchdogTimestampMonotonic");
    await until("the watchdog is fed", async () =>
      (await system.unit("foundry-agent", "WatchdogTimestampMonotonic")) !== fed ? true : null,
    );
    expect(await mainPid()).toBe(before);
    await system.ok("sh", "-c", `kill -STOP ${before}`);
    await until("another one is ready", async () => {
      const now = await mainPid();
      return now !== before && now !== "0" && (await system.unit("foundry-agent", "ActiveState")) === "active"
        ? true
        : null;
    });
    expect(await system.journal("foundry-agent")).toContain("Watchdog timeout");
    dropIn("foundry-agent.service", null);
    await system.ok("systemctl", "daemon-reload");
  });

  real("comes back when it crashed, and stays away when it was told to end", async () => {
    dropIn("foundry-agent.service", ["[Service]", "RestartSec=100ms"]);
    await system.ok("systemctl", "daemon-reload");
    const before = await mainPid();
    await system.ok("sh", "-c", `kill -KILL ${before}`);
    const next = await until("another one is ready", async () => {
      const now = await mainPid();
      const state = await system.unit("foundry-agent", "ActiveState");
      return now !== before && now !== "0" && state === "active" ? now : null;
    });
    // As at the end of a shutdown: with a restart the host would have to kill it once more.
    await system.ok("sh", "-c", `kill -TERM ${next}`);
    await until("it ended", async () =>
      (await system.unit("foundry-agent", "SubState")) === "dead" ? true : null,
    );
    expect(await system.unit("foundry-agent", "Result")).toBe("success");
    dropIn("foundry-agent.service", null);
    await system.ok("systemctl", "daemon-reload");
    await system.ok("systemctl", "start", "foundry-agent");
  });

  real("may write its own folders only", async () => {
    const mounts = (pid: string) =>
      new Map(
        readFileSync(`${system.root}/proc/${pid}/mountinfo`, "utf8")
          .trim()
          .split("\n")
          .map((line) => line.split(" "))
          .map((words) => [words[4] ?? "", (words[5] ?? "").split(",")[0] ?? ""]),
      );
    // All of /sys is read-only in nspawn anyway; on a host the helper's unit makes its parts so one by one.
    const own = mounts(await mainPid());
    expect([own.get("/"), own.get("/run")]).toEqual(["ro", "ro"]);
    expect([own.get(RUN), own.get("/var/lib/foundry-agent")]).toEqual(["rw", "rw"]);
    await noop();
    const childPid = await system.unit("foundry-agent-helper", "MainPID");
    const child = mounts(childPid);
    expect(["/", "/run", "/sys/kernel", "/sys/module"].map((at) => child.get(at))).toEqual([
      "ro",
      "ro",
      "ro",
      "ro",
    ]);
    expect([child.get(RUN), child.get("/var/lib/foundry-agent-helper")]).toEqual([undefined, "rw"]);
    // Where ledctl writes its log: not the host's.
    expect(child.get("/var/log")).toBe("rw");
    expect(readdirSync(`${system.root}/proc/${childPid}/root/var/log`)).toEqual([]);
  });
});
