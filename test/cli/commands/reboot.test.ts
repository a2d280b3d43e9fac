import { expect, test } from "vitest";
import type { LocalRequest } from "../../../src/commands/executor/types.ts";
import type { GateVerdict } from "../../../src/commands/gates/gate.ts";
import type { CommandRecord, HistoryEntry, Progress } from "../../../src/commands/record.ts";
import { daemon, typed } from "../../support/agent/daemon.ts";
import { overheard, pretendCommands, pretendStatus } from "../../support/agent/pretend.ts";
import { commandRecord } from "../../support/commands/records.ts";
import { eventually } from "../../support/eventually.ts";
import { NOW } from "../../support/now.ts";
import { terminal } from "../../support/text/io.ts";

/**
 * A node that may reboot its host, which no agent of a test may: what it is asked is only noted, and `become` says what
 * comes of it.
 */
async function liveDaemon(verdicts: readonly GateVerdict[] = []) {
  const here = await daemon({ registered: "test" });
  const { view } = here;
  const requests: LocalRequest[] = [];
  let record: CommandRecord | null = null;
  let history: HistoryEntry[] = [];
  const show = (): void => pretendCommands(view, record === null ? [] : [record], { cmd_local: history });
  show();
  pretendStatus(view, { mode: "live", hardware: true });
  view.dryRunCommand = async (request) => {
    requests.push(request);
    return verdicts;
  };
  view.submitCommand = (request) => {
    requests.push(request);
    const { type, params, mode, reason, by } = request;
    record = commandRecord(
      { id: "cmd_local", source: "local", receivedAt: NOW, type, params, mode, reason, by },
      {},
    );
    show();
    return record;
  };
  function become(change: Partial<Progress>): void {
    if (record === null) throw new Error("nothing was asked yet");
    record = { asked: record.asked, progress: { ...record.progress, since: NOW, ...change } };
    const { state, step, why } = record.progress;
    history = [...history, { at: NOW, state, step, text: why?.text ?? `Now ${state}.` }];
    show();
  }
  return { ...here, requests, become, taken: () => record };
}

const NO_DRAIN = {
  code: "no_drain_available",
  text: "This host has Ceph OSDs, and this version can't drain them before a reboot.",
  nextStep: "ceph osd ok-to-stop 7 9  # all of this host; where it says yes: foundry-agent reboot --no-drain",
};
const INHIBITED = {
  code: "inhibited",
  text: "apt wants this host to stay on: updating.",
  nextStep: "systemd-inhibit",
};

test("without a terminal it needs --yes, and names the line to type", async () => {
  const { taken, run } = await liveDaemon();
  const { code, stderr } = await run(["reboot", "--hard", "--reason", "new kernel"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/Next: foundry-agent reboot --hard --reason 'new kernel' --socket \S+ --yes\n/);
  expect(taken()).toBeNull();
});

test("with --yes it is taken with its reason, and says how to look", async () => {
  const { requests, run } = await liveDaemon();
  const { code, stdout } = await run(["reboot", "--yes", "--reason", "new kernel", "--no-drain"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Taken as cmd_local\. How far it is: foundry-agent commands cmd_local --socket /);
  expect(requests[1]).toMatchObject({
    type: "reboot",
    params: { method: "graceful", drain_osds: false },
    mode: "live",
    reason: "new kernel",
  });
});

test("on a terminal it asks with host, method and what it waits for; no is no", async () => {
  const { taken, run } = await liveDaemon([
    { gate: "inhibitors", verdict: "wait", why: INHIBITED, would: "apt to let this host go down" },
  ]);
  const { code, stderr } = await run(["reboot"], { input: typed("n\r") });
  expect(stderr).toContain(
    "ceph-osd-07 reboots (graceful: services are stopped first). It would wait for apt to let this host go down. Go on? [y/N]",
  );
  expect(code).toBe(4);
  expect(taken()).toBeNull();
});

test("what will not change by waiting is refused before it is asked, with the line to type", async () => {
  const { run } = await liveDaemon([{ gate: "osds", verdict: "refuse", why: NO_DRAIN }]);
  const { code, stderr } = await run(["reboot", "--yes"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(
    /Next: ceph osd ok-to-stop 7 9 {2}# all of this host; where it says yes: foundry-agent reboot --no-drain/,
  );
});

test("with a test key it names what was typed, with --test", async () => {
  const { view, run } = await daemon({ registered: "test" });
  const { code, stderr } = await run(["reboot", "--hard", "--yes"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(
    /test key, so its hardware is not touched\. Next: foundry-agent reboot --hard --yes --socket \S+ --test {2}# goes through all/,
  );
  expect(view.commands(9)).toEqual([]);
});

test.each([
  ["", /^foundry-agent: --reason needs a text\. Next: foundry-agent reboot --reason "new kernel"/],
  [" \t", /^foundry-agent: --reason needs a text\./],
  ["x".repeat(501), /^foundry-agent: a reason may have 500 characters, this one has 501\./],
])("a reason that is none (%j) is a mistake on the command line", async (reason, said) => {
  const { requests, run } = await liveDaemon();
  const { code, stderr } = await run(["reboot", "--dry-run", `--reason=${reason}`]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  expect(requests).toEqual([]);
});

test("--dry-run shows every gate and does nothing", async () => {
  const { taken, run } = await liveDaemon([
    { gate: "policy", verdict: "pass", why: null },
    { gate: "osds", verdict: "refuse", why: NO_DRAIN },
    { gate: "inhibitors", verdict: "wait", why: INHIBITED, would: "apt to let this host go down" },
  ]);
  const { code, stdout } = await run(["reboot", "--dry-run"]);
  expect(code).toBe(4);
  expect(stdout).toMatch(/^GATE {8}VERDICT {5}WHAT\nosds {8}refuses {5}This host has Ceph OSDs/);
  expect(stdout).toContain("inhibitors  would wait  It would wait for apt to let this host go down.\n");
  expect(stdout).not.toContain("wants this host to stay on");
  expect(stdout).toContain("\nPassed: policy\n");
  expect(stdout).toContain("It would be refused. Nothing was done.\n");
  expect(taken()).toBeNull();
});

test("--dry-run with a key that lets nothing be touched names the one step that helps", async () => {
  const why = (text: string, nextStep: string) => ({ code: "refused", text, nextStep });
  const { run } = await liveDaemon([
    { gate: "mode", verdict: "refuse", why: why("A test key.", "foundry-agent reboot --test") },
    { gate: "policy", verdict: "refuse", why: why("No policy.", "install -m 0644 a b") },
    { gate: "hardware", verdict: "refuse", why: why("It only observes.", "write hardware = true") },
  ]);
  const { stdout } = await run(["reboot", "--dry-run"]);
  expect(stdout).toContain("No policy.");
  expect(stdout).toMatch(/Next: foundry-agent reboot --test/);
  expect(stdout).not.toMatch(/install|To do/);
});

test("it follows on a terminal until the host is gone, and says that calmly", async () => {
  const { agent, become, taken, run } = await liveDaemon();
  let shown = "";
  const stdout = (text: string): void => {
    shown += text;
  };
  const going = run(["reboot", "--yes"], { io: { ...terminal(100), stdout } });
  await eventually(() => taken() !== null);
  become({
    state: "rebooting",
    reboot: {
      method: "graceful",
      fromBootId: "b-1",
      callDeadlineMs: 1,
      deadlineMs: 2,
      attempt: 1,
      answer: "taken",
      monotonicMs: 1,
      before: null,
      lookUntil: null,
      tally: null,
    },
  });
  // Its next look finds it, and only then the host goes.
  await eventually(() => shown.includes("rebooting  Now rebooting.\n"));
  await agent.stop();
  const printed = await going;
  expect(shown).toContain(
    "The host is going down, and the connection with it. After the boot: foundry-agent commands cmd_local",
  );
  expect([printed.code, printed.stderr]).toEqual([0, ""]);
});

test("Ctrl-C leaves without stopping it and says how to cancel", async () => {
  const { view, taken, run } = await liveDaemon();
  const calls = overheard(view);
  const stop = new AbortController();
  const going = run(["reboot", "--yes", "--wait"], { io: { signal: stop.signal } });
  await eventually(() => taken() !== null);
  let looks = 0;
  const look = view.commandHistory;
  view.commandHistory = (id) => {
    looks++;
    return look(id);
  };
  await eventually(() => looks > 1);
  stop.abort();
  const { code, stderr } = await going;
  expect(code).toBe(0);
  expect(stderr).toContain("To cancel it: foundry-agent commands cancel cmd_local");
  expect(calls.filter((call) => !call.startsWith("submitCommand"))).toEqual([]);
});

test.each([
  ["succeeded", 0],
  ["failed", 1],
  ["cancelled", 1],
  ["refused", 4],
] as const)("--wait ends with %s in exit code %i, --json prints the last answer", async (state, expected) => {
  const { taken, become, run } = await liveDaemon();
  const going = run(["reboot", "--yes", "--wait", "--json"]);
  await eventually(() => taken() !== null);
  const why = state === "succeeded" ? null : { code: "x", text: "It did not.", nextStep: null };
  become({ state, why });
  const { code, stdout } = await going;
  expect(code).toBe(expected);
  expect(JSON.parse(stdout)).toMatchObject({ id: "cmd_local", state });
});

test("--test carries it through without asking", async () => {
  const { view, run } = await daemon({
    tree: "vm",
    registered: "test",
    toml: "[commands]\nuptime_guard_s = 0\n",
  });
  expect((await run(["reboot", "--test"])).code).toBe(0);
  await eventually(() => view.commands(9)[0]?.state === "succeeded");
  const [id = ""] = view.commands(9).map((command) => command.id);
  expect(view.commandRecord(id)).toMatchObject({
    asked: { type: "reboot", mode: "test" },
    progress: { result: { simulated: true } },
  });
});
