import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { daemon, piped } from "../../support/agent/daemon.ts";
import { overheard, pretendEvents, pretendSections, pretendStatus } from "../../support/agent/pretend.ts";
import { NOW } from "../../support/now.ts";

describe("every command that asks the daemon", () => {
  const lines = [
    ["status"],
    ["report"],
    ["drives"],
    ["drives", "sda"],
    ["network"],
    ["events"],
    ["sync"],
    ["collect", "cpu"],
    ["check"],
    ["why"],
    ["adopt"],
    ["reload"],
    ["leave", "--yes"],
    ["reset", "--identity", "--yes"],
    ["enroll", "--key-file", "-"],
  ];

  test("says how to start a daemon that is not there (exit 3)", async () => {
    const { run } = await daemon();
    for (const line of lines) {
      const { code, stdout, stderr } = await run(line, {
        socket: "/nonexistent/control.sock",
        input: piped("nf_en_x"),
      });
      expect([line, code, stdout]).toEqual([line, 3, ""]);
      expect(stderr).toMatch(
        /^foundry-agent: no agent answers at .*Next: (?:systemctl start foundry-agent.*: )?foundry-agent run(?: {2}#.*)?\n$/,
      );
    }
  });

  test("changes nothing over status.sock (exit 4), and says the group", async () => {
    const { run, view, statusSocket } = await daemon({ registered: "test" });
    const calls = overheard(view);
    for (const line of [
      ["sync"],
      ["collect", "cpu"],
      ["check"],
      ["adopt"],
      ["reload"],
      ["leave", "--yes"],
      ["reset", "--identity", "--yes"],
      ["enroll"],
      ["report", "--as", "nodefoundry"],
      ["report", "--raw"],
      ["drives", "forget", "X"],
      ["drives", "locate", "sda"],
      ["drives", "sda", "--raw"],
      ["smart-test", "sda", "short"],
    ]) {
      const { code, stderr } = await run(line, { socket: statusSocket, input: piped("nf_en_x") });
      expect([line, code]).toEqual([line, 4]);
      // A line to type: the same once more, to the other socket.
      expect(stderr).toContain(`Next: foundry-agent ${line.join(" ")} --socket `);
      expect(stderr).toContain("control.sock");
    }
    for (const line of [
      ["status"],
      ["report"],
      ["report", "drives"],
      ["drives"],
      ["drives", "sda"],
      ["network"],
      ["events"],
      ["why"],
    ])
      expect([line, (await run(line, { socket: statusSocket })).code]).toEqual([line, 0]);
    expect(calls).toEqual([]);
  });

  test("prints data as it came with --json", async () => {
    const { run, server } = await daemon({ registered: "test" });
    for (const line of lines.filter(([name]) => name !== "adopt")) {
      const { code, stdout, stderr } = await run([...line, "--json"], { input: piped(server.keys.enrol) });
      expect([line, code === 0 || line[0] === "check", stderr]).toEqual([line, true, ""]);
      const objects = line[0] === "events" ? stdout.trim().split("\n") : [stdout];
      for (const object of objects) expect(() => JSON.parse(object)).not.toThrow();
    }
    expect(JSON.parse((await run(["status", "--json"])).stdout)).toMatchObject({
      version: "0.0.0-test",
      started_at: "2026-11-21T11:59:48.000Z",
    });
  });

  test("names what it does not take (exit 2)", async () => {
    const { run } = await daemon();
    for (const line of [
      ["report", "a", "b"],
      ["drives", "a", "b"],
      ["drives", "forget"],
      ["drives", "locate"],
      ["smart-test", "sda"],
      ["smart-test", "sda", "short", "long"],
      ["sync", "a", "b"],
      ["collect"],
      ["check", "a", "b"],
      ["why", "a", "b"],
      ["reset"],
      ["leave", "a", "b"],
      ["enroll", "a", "b"],
      ["events", "--since", "yesterday"],
      ["report", "cpu", "--as", "x"],
    ])
      expect([line, (await run(line)).code]).toEqual([line, 2]);
  });

  test("leaves no terminal codes in what a device calls itself", async () => {
    const { run, view } = await daemon();
    const evil = "\u001b[2Jevil\u202e";
    const { drives } = view.report().sections;
    if (drives === undefined) throw new Error("no drives");
    const data = structuredClone(drives.data) as { drives: { model: string }[] };
    if (data.drives[0]) data.drives[0].model = evil;
    pretendSections(view, { drives: { data } });
    pretendStatus(view, {
      hostname: evil,
      conditions: [{ code: "x", subject: evil, severity: "warning", text: evil, nextStep: evil, since: NOW }],
    });
    pretendEvents(view).happen({ type: "t", data: { [evil]: evil, text: undefined } });
    view.collect = async () => ({ ...drives, data });
    for (const line of [
      ["status"],
      ["drives"],
      ["drives", "nvme0n1"],
      ["why"],
      ["events"],
      ["collect", "drives"],
      ["report", "drives"],
    ]) {
      const { stdout } = await run(line);
      expect(stdout).toContain("evil");
      expect([line, /[\u001b\u202e]/.test(stdout)]).toEqual([line, false]);
    }
  });
});

describe("report, collect, sync, check, why, reload", () => {
  test("report: an overview, one section, the very bytes", async () => {
    const { run, view } = await daemon({ tree: "container", registered: "test" });
    expect((await run(["report"])).stdout).toMatch(
      /^drives +absent +12 s ago +\S+ ms +No drives are visible here/m,
    );
    expect((await run(["report", "drives"])).stdout).toContain("drives: nothing there");
    expect((await run(["report", "cpu"])).stdout).toMatch(/^cpu: ok, collected 12 s ago in \S+ ms\n\nmodel /);
    const { stdout } = await run(["report", "--as", "nodefoundry"]);
    expect([stdout, JSON.parse(stdout)]).toEqual([view.preview("nodefoundry"), expect.any(Object)]);
    expect((await run(["report", "--as", "netbox"])).stderr).toMatch(
      /^foundry-agent: there is no control API "netbox"\. Next: foundry-agent status \S.*# there is: nodefoundry\n$/,
    );
    expect((await run(["report", "nosuch"])).code).toBe(1);
  });

  test("collect: the collector's own table, else its fields", async () => {
    const { run, view } = await daemon();
    const calls = overheard(view);
    for (const one of ["drives", "network"])
      expect((await run(["collect", one])).stdout).toBe((await run([one])).stdout);
    for (const one of ["system", "memory", "cpu"]) {
      const { stdout } = await run(["collect", one]);
      expect(stdout).toMatch(new RegExp(`^${one}: ok, `));
      // A label with nothing behind it is no row.
      expect(stdout).not.toMatch(/^\S.* {2,}-$/m);
      expect((await run(["report", one])).stdout).not.toMatch(/ {2}-$/m);
    }
    expect((await run(["collect", "nosuch"])).stderr).toContain("there is drives, ");
    expect(calls).toEqual(
      ["drives", "network", "system", "memory", "cpu"].map((one) => `collect ["${one}"]`),
    );
    view.collect = async (name) => ({
      name,
      state: "failed",
      data: null,
      collectedAt: null,
      durationMs: 3.25,
      reason: { code: "timeout", text: "It took too long.", nextStep: "look" },
    });
    const failed = await run(["collect", "cpu"]);
    expect([failed.code, failed.stdout]).toEqual([
      1,
      "cpu: never collected, looked for in 3 ms\nIt took too long.\nTo do: look\n",
    ]);
  });

  test("sync: what came of it, exit 1 when it failed", async () => {
    const { run, view } = await daemon({ registered: "test" });
    expect(await run(["sync", "nodefoundry"])).toMatchObject({
      code: 0,
      stdout: "nodefoundry: done, accepted: no section had news\n",
    });
    view.sync = async () => [
      { name: "nodefoundry", ok: false, text: "the server does not answer", nextStep: null },
    ];
    expect(await run(["sync"])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^nodefoundry: failed\. the server does not answer\. Next: foundry-agent check nodefoundry --socket \S+\n$/,
      ),
    });
    const known = { text: "it is down (503)", nextStep: "systemctl restart api" };
    view.sync = async () => [{ name: "nodefoundry", ok: false, ...known }];
    expect((await run(["sync"])).stdout).toBe(
      "nodefoundry: failed. it is down (503). Next: systemctl restart api\n",
    );
    expect((await (await daemon()).run(["sync"])).stdout).toContain("nobody to report to");
  });

  test("check: each step with its verdict and what to do", async () => {
    // The sandbox's answers carry the time of this host, which is not that of the agent here.
    const { run } = await daemon({ registered: "test" });
    const { code, stdout } = await run(["check"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^nodefoundry\n(?: {2}\S.*\n)* {2}ok {7}answer {6}in HTTP.*\n {2}failed {3}clock {7}This clock is \d+ s off the server's\.\n {23}Next: timedatectl\n/,
    );
  });

  test("why: everything, one condition, a section, a command, nothing", async () => {
    const { run, view } = await daemon({ tree: "vm" });
    expect((await run(["why"])).stdout).toBe("Nothing is wrong.\n");
    pretendStatus(view, {
      conditions: [
        {
          code: "drive_missing",
          subject: "ZR5",
          severity: "warning",
          text: "A drive is gone.",
          nextStep: null,
          since: NOW - 5_000,
        },
      ],
    });
    // Only a row, without a story.
    const row = {
      id: "cmd_1",
      source: "nodefoundry",
      epoch: "e",
      type: "node.reboot",
      state: "refused" as const,
      receivedAt: NOW - 60_000,
      command: "broken",
      error: { code: "unsupported", message: "not yet" },
    };
    view.commands = () => [row];
    view.command = (id) => (id === row.id ? row : null);
    const all = await run(["why"]);
    expect(all.stdout).toBe("  warning  A drive is gone.\n           drive_missing(ZR5) (for 5 s)\n");
    for (const id of ["drive_missing", "drive_missing(ZR5)", "ZR5"])
      expect((await run(["why", id])).stdout).toBe(all.stdout);
    expect((await run(["why", "cpu"])).stdout).toEqual(
      expect.stringMatching(/^cpu: ok, collected 12 s ago in \S+ ms\n$/),
    );
    expect((await run(["why", "cmd_1"])).stdout).toBe(
      "node.reboot from nodefoundry (cmd_1) was refused, 60 s ago: not yet (unsupported)\n",
    );
    expect((await run(["why", "nothing"])).code).toBe(1);
  });

  test("reload: taken over, or what is wrong", async () => {
    const { run, agent } = await daemon();
    expect((await run(["reload"])).code).toBe(0);
    writeFileSync(agent.configFile, "[agent]\nhardwear = true\n", { mode: 0o600 });
    expect(await run(["reload"])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^ {2}\S+config\.toml:2:.*hardwear/m),
    });
  });
});
