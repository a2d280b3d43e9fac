import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Io } from "../../../src/cli/output.ts";
import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { allCollectors } from "../../../src/collectors/index.ts";
import { daemon } from "../../support/agent/daemon.ts";
import { overheard, pretendEvents, pretendStatus } from "../../support/agent/pretend.ts";
import { NOW } from "../../support/now.ts";

test("why a section is absent is never cut, however narrow the terminal", async () => {
  const { run } = await daemon({ tree: "vm" });
  const { stdout } = await run(["report"], { io: { isTty: true, env: { COLUMNS: "40" } } });
  expect(stdout).not.toContain("\u2026");
  expect(stdout).toMatch(/^bmc +absent +.*\n {2}This machine has no BMC\.\n/m);
});

describe("status", () => {
  test("says that all is well in a few lines", async () => {
    const { run, view } = await daemon({ tree: "vm", registered: "test" });
    const { code, stdout } = await run(["status"]);
    const next = /(?<=12 s ago {3})(?:now|in \d+ s)/;
    const { sections } = view.report();
    const inState = (state: string) =>
      allCollectors().flatMap(({ name }) => (sections[name]?.state === state ? [name] : []));
    expect(inState("ok")).toContain("drives");
    expect([
      code,
      stdout
        .replace(/\S+ KiB +\d+ B$/m, "SENT RECEIVED")
        .replace(next, "NEXT")
        // That of the machine the test runs on, if it has one.
        .replace(/^(Armed: no \(remote) .*\)$/m, "$1 POLICY)"),
    ]).toEqual([
      0,
      `edge-lab is online
foundry-agent 0.0.0-test, running for 12 s, node ${view.status().nodeId} (test: hardware is never touched)
Armed: no (remote POLICY)

Control APIs
  NAME         STATE    LAST SYNC  NEXT  EVENTS WAITING  SENT THIS MONTH  RECEIVED
  nodefoundry  working  12 s ago   NEXT                0          SENT RECEIVED

Collectors
  working: ${inState("ok").join(", ")}
  nothing there: ${inState("absent").join(", ")}
`,
    ]);
  });

  test("shows what is wrong first, and exits with 1 for an error", async () => {
    const { run, view } = await daemon({ registered: "test" });
    const [api] = view.status().controlApis;
    if (!api) throw new Error("no API");
    pretendStatus(view, {
      status: "degraded",
      conditions: [
        {
          code: "clock_wrong",
          severity: "error",
          text: "The clock is 3 h behind.",
          nextStep: "timedatectl set-ntp true",
          since: NOW - 300_000,
        },
      ],
      controlApis: [
        {
          ...api,
          breaker: "open",
          failures: 3,
          lastError: { code: "x", text: "the server does not answer", at: NOW - 60_000 },
        },
      ],
      hold: { reason: "disk work", by: "root", since: NOW - 5_000, until: NOW + 3_600_000 },
      spool: { events: 10, bytes: 5000, dropped: 2 },
    });
    const { code, stdout } = await run(["status"]);
    expect(code).toBe(1);
    expect(stdout).toContain("ceph-osd-07 is degraded and does not report to nodefoundry\n");
    expect(stdout).toContain(
      `  error  The clock is 3 h behind.\n         clock_wrong (for 5 min)\n         Next: timedatectl set-ntp true\n`,
    );
    expect(stdout).toContain("failing (3 times)");
    expect(stdout).toContain("  nodefoundry: the server does not answer (60 s ago)\n");
    expect(stdout).toContain("Held by root for 1 h more: disk work\n");
    expect(stdout).toContain("2 dropped because there were too many\n");
    // One round that failed is the table's business; and the name it goes by there is said where it is another.
    const slow = {
      ...api,
      nodeName: "rack4-ceph-osd-07",
      breaker: "open" as const,
      failures: 1,
      lastError: { code: "rate_limited", text: "it is asked too often", at: NOW - 1_000 },
    };
    pretendStatus(view, { conditions: [], controlApis: [slow] });
    const once = (await run(["status"])).stdout;
    expect(once).toMatch(/^ceph-osd-07 is degraded\n/);
    expect(once).toContain("failing (1 time)");
    expect(once).toContain(`node ${view.status().nodeId}, named rack4-ceph-osd-07 (test:`);
    const open = (
      await run(["status"], { socket: view.status().stateFolder.replace(/state$/, "run/status.sock") })
    ).stdout;
    expect(open).not.toContain("rack4");
    // Not registered: one who only looks on is well, one who would report is told how to.
    pretendStatus(view, { conditions: [], controlApis: [{ ...api, enrolled: false, mode: "read-only" }] });
    expect((await run(["status"])).stdout).toContain("  nodefoundry  looking on");
    pretendStatus(view, { controlApis: [{ ...api, enrolled: false, mode: null, note: null }] });
    const unregistered = (await run(["status"])).stdout;
    expect(unregistered).toContain("  nodefoundry  not enrolled");
    expect(unregistered).toMatch(
      /^ {2}nodefoundry: not enrolled yet\. Next: foundry-agent enroll --socket \S+$/m,
    );
    // Who waits for a key has no next round, and its conditions say what to type, on lines that fit.
    const waiting = {
      code: "enrol_key_needed",
      subject: "nodefoundry",
      severity: "warning",
      text: "This node is not registered with NodeFoundry, and there is no key to register with.",
      nextStep: "foundry-agent enroll",
      since: NOW,
    } as const;
    pretendStatus(view, { conditions: [waiting] });
    const keyless = (await run(["status"], { io: { isTty: true, env: { COLUMNS: "60" } } })).stdout;
    expect(keyless).toMatch(/\n {2}nodefoundry +not enr\S*(?: enrolled)? +12 s ago +- /);
    expect(keyless).toMatch(/NodeFoundry, and\n {11}there is no key/);
    expect(keyless).toMatch(/\n {11}Next: foundry-agent enroll --socket \S+\n/);
    // Narrow: names stay whole, what was sent gives way.
    const narrow = (await run(["status"], { io: { isTty: true, env: { COLUMNS: "60" } } })).stdout;
    expect(narrow).toContain("  nodefoundry  ");
    expect(narrow).not.toContain("SENT");
  });

  test("says so where it reports to nobody", async () => {
    const { run } = await daemon();
    const local = await run(["status"]);
    expect([local.code, local.stdout.includes("none: this node is local only.")]).toEqual([0, true]);
    expect((await run(["leave"])).stdout).toBe("No control API is configured, so there is none to leave.\n");
  });

  test("--watch draws in place on a terminal until Ctrl-C (exit 0), once elsewhere", async () => {
    const { run } = await daemon();
    expect((await run(["status", "--watch"])).stdout).toBe((await run(["status"])).stdout);
    const abort = new AbortController();
    let shown = "";
    const io: Partial<Io> = {
      isTty: true,
      signal: abort.signal,
      stdout: (text) => {
        shown += text;
        if (text.includes("\u001b[H")) abort.abort();
      },
    };
    const { code } = await run(["status", "-w"], { io });
    expect(code).toBe(0);
    expect(shown).toMatch(/^\u001b\[\?25l/);
    expect(shown).toMatch(/\u001b\[\?25h\n$/);
    expect(shown).toContain("ceph-osd-07 is online\u001b[K\n");
  });
});

describe("drives and network", () => {
  test("a table of drives, whose Ceph volumes have names for people", async () => {
    const { run } = await daemon();
    const { stdout } = await run(["drives"]);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^SLOT +DEVICE +MODEL +SIZE +TYPE +TEMP +USED FOR +STATE$/);
    expect(lines[1]).toMatch(/nvme0n1 .* 1\.6 TB {2}nvme +32 °C {2}6 × Ceph OSD DB {2}online/);
    expect(lines[3]).toMatch(/sda .* 18\.0 TB {2}hdd, sas +- {2}Ceph OSD data +online/);
    expect(Math.max(...lines.slice(0, 16).map((line) => line.length))).toBeLessThan(100);
    expect(stdout).toMatch(/\n15 drives, looked at 12 s ago\n/);
  });

  test("OSDs have their ids where the host tells them", async () => {
    const unit = (id: number, digit: number) =>
      `/etc/systemd/system/multi-user.target.wants/ceph-volume@lvm-${id}-4b1e77d${digit}-0c5a-4f0e-9d4b-7f1b0c2d3e${digit}f.service`;
    const { run } = await daemon({ more: { files: { [unit(7, 0)]: "", [unit(9, 1)]: "" } } });
    const { stdout } = await run(["drives"]);
    expect(stdout).toMatch(/ hdd, sas .* osd\.7 +online/);
    expect(stdout).toMatch(/ nvme .* DB of osd\.7 osd\.9 +online/);
    const [, name = ""] = /^\S+ +(sd\w+) .* osd\.9 /m.exec(stdout) ?? [];
    expect((await run(["drives", name])).stdout).toMatch(/^ {2}Ceph +osd\.9$/m);
    const dry = JSON.parse((await run(["reboot", "--dry-run", "--json"])).stdout);
    const osds = dry.gates.find(({ gate }: { gate: string }) => gate === "osds");
    expect(osds.why.next_step).toMatch(/^ceph osd ok-to-stop 0 1 2 3 4 5 6 7 8 9 10 11 {2}#/);
  });

  test("a missing drive stands where it was, with its serial number for administrators only", async () => {
    const { run, view, statusSocket, root, clock } = await daemon();
    const data = view.report().sections.drives?.data as DrivesData;
    const serial = data.drives.find(({ name }) => name === "sdf")?.serial ?? "";
    rmSync(join(root, "sys/block/sdf"));
    await view.collect("drives");
    // Gone is what is not found for a while, and not what is being plugged over.
    clock.forward(3_600_000);
    await view.collect("drives");
    clock.forward(7_200_000);
    const { stdout } = await run(["drives"]);
    const at = stdout.split("\n").findIndex((line) => line.includes("(sdf)"));
    expect(stdout.split("\n")[at]).toMatch(new RegExp(`^5 .*serial ${serial} {2}missing, noticed 2 h ago$`));
    expect(stdout.split("\n")[at + 1]).toMatch(/^6 /);
    expect(stdout).toContain("14 drives, 1 missing");
    const open = await run(["drives"], { socket: statusSocket });
    expect([open.stdout.includes("missing, noticed 2 h ago"), open.stdout.includes(serial)]).toEqual([
      true,
      false,
    ]);
    expect((await run(["drives", "forget", serial])).code).toBe(0);
    expect((await run(["drives"])).stdout).toContain("14 drives, looked at now");
  });

  test("one drive, forgetting one, and none", async () => {
    const { run, view } = await daemon();
    const calls = overheard(view);
    expect((await run(["drives", "/dev/sda"])).stdout).toContain(
      "\n  size            18.0 TB (18 000 207 937 536 B)\n",
    );
    expect((await run(["drives", "sdzz"])).stderr).toMatch(
      /"sdzz"\. Next: foundry-agent drives --socket \S+ {2}# lists nvme0n1/,
    );
    expect((await run(["drives", "forget", "UNKNOWN"])).code).toBe(1);
    expect(calls).toEqual(['forgetDrive ["UNKNOWN"]']);
    const container = await daemon({ tree: "container" });
    expect((await container.run(["drives"])).stdout).toBe(
      "No drives are visible here, as usual in a container.\n",
    );
  });

  test("the temperature's course with --watch", async () => {
    const { run } = await daemon();
    const abort = new AbortController();
    let shown = "";
    const io: Partial<Io> = {
      isTty: true,
      env: { COLUMNS: "300" },
      signal: abort.signal,
      stdout: (text) => {
        shown += text;
        if (text.includes("\u001b[H")) abort.abort();
      },
    };
    await run(["drives", "--watch"], { io });
    expect(shown).toMatch(/20–60 °C/);
    expect(shown).toMatch(/nvme0n1 .*[▁▂▃▄▅▆▇█]/);
  });

  test("interfaces, the way out and resolvers", async () => {
    const { run } = await daemon();
    const { stdout } = await run(["network"]);
    expect(stdout).toMatch(
      /^bond0 +bond +up +25 Gbit\/s {2}10\.20\.0\.21\/16 .*of enp65s0f0np0, enp65s0f1np1 +0$/m,
    );
    expect(stdout).toMatch(/^eno2 +physical +off /m);
    expect(stdout).toMatch(/^enp65s0f1np1 +physical +no link /m);
    expect(stdout).toContain("Default route        10.1.0.1 by eno1");
  });
});

describe("events", () => {
  test("of the last day, since a time or an event, or all", async () => {
    const { run, view } = await daemon();
    const { happen } = pretendEvents(view);
    happen({ type: "old" }, NOW - 3 * 86_400_000);
    const { id } = happen({
      type: "drive.missing",
      severity: "warning",
      data: { slot: "3", size_bytes: 16e12 },
    });
    happen({
      type: "condition.raised",
      severity: "error",
      data: { text: "The clock is wrong.", code: "clock_wrong" },
    });
    const day = await run(["events"]);
    expect(day.stdout).toMatch(
      /^TIME \(UTC\) {11}KIND {5}EVENT {15}WHAT\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}warning {2}drive\.missing +slot 3, size 16\.0 TB\n\S+ \S+ {2}error +condition\.raised +The clock is wrong\.\n$/,
    );
    const types = async (...more: string[]) =>
      (await run(["events", "--json", ...more])).stdout
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line).type);
    expect(await types()).toEqual(["drive.missing", "condition.raised"]);
    expect(await types("--since", "7d")).toEqual(["old", "drive.missing", "condition.raised"]);
    expect(await types("--since", "all")).toEqual(["old", "drive.missing", "condition.raised"]);
    expect(await types("--since", id)).toEqual(["condition.raised"]);
    // What is over is no warning any more.
    happen({ type: "condition.cleared", severity: "error", data: { text: "The clock is wrong." } });
    expect((await run(["events"])).stdout).toMatch(
      /\n\S+ \S+ {2}over {5}condition\.cleared +The clock is wrong\.\n$/,
    );
    // Nothing said twice, and every time in the one zone.
    happen({
      type: "command.state",
      data: { command_id: "c1", type: "noop", state: "accepted", message: "Accepted." },
    });
    happen({ type: "hold", data: { by: "ada", until: "2026-12-01T02:01:48.547Z" } });
    const more = (await run(["events"])).stdout;
    expect(more).toMatch(/ command\.state +noop c1 accepted\n/);
    expect(more).toMatch(/ hold +by ada, until 2026-12-01 02:01:48 UTC\n$/);
    const none = await daemon({ tree: "vm" });
    expect((await none.run(["events"])).stderr).toContain("Nothing happened in the last 24 hours.");
  });

  test("--follow goes on until Ctrl-C (exit 0)", async () => {
    const { run, view } = await daemon();
    const { happen, events } = pretendEvents(view);
    const abort = new AbortController();
    let shown = "";
    const io: Partial<Io> = {
      signal: abort.signal,
      stdout: (text) => {
        shown += text;
        if (shown.includes("first") && events.length === 1) happen({ type: "second" });
        if (shown.includes("second")) abort.abort();
      },
    };
    happen({ type: "first" });
    const { code, stderr } = await run(["events", "--follow"], { io });
    expect([code, stderr]).toEqual([0, ""]);
    expect(shown.match(/first|second/g)).toEqual(["first", "second"]);
  });
});

test("in the first minute status says what is not yet known, and nothing is wrong", async () => {
  const { run, view } = await daemon({ more: { files: { "/usr/sbin/lldpd": "" } }, settleMs: 60_000 });
  const { stdout } = await run(["status"]);
  const line = /^Not yet known, a minute after the start at the latest: (.*)$/m.exec(stdout)?.[1];
  expect(line?.split(", ")).toContain("whether lldpd runs");
  expect(stdout).not.toContain("lldp_not_running");
  expect(view.status().notYetKnown.map(({ code }) => code)).toContain("lldp_not_running");
});
