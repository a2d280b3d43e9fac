import { expect, test } from "vitest";
import { madeUpDaemon, typed } from "../../support/agent/daemon.ts";
import { eventually } from "../../support/agent/unix-http.ts";
import { terminal } from "../../support/text/io.ts";

async function liveDaemon() {
  const here = await madeUpDaemon();
  here.view.state = { ...here.view.state, mode: "live", hardware: true };
  return here;
}

const NO_DRAIN = {
  code: "no_drain_available",
  text: "This host has Ceph OSDs, and this version can't drain them before a reboot.",
  nextStep: "foundry-agent reboot --no-drain  # after ceph osd ok-to-stop",
};
const INHIBITED = {
  code: "inhibited",
  text: "apt wants this host to stay on: updating.",
  nextStep: "systemd-inhibit",
};

test("without a terminal it needs --yes, and names the line to type", async () => {
  const { view, run } = await liveDaemon();
  const { code, stderr } = await run(["reboot", "--hard", "--reason", "new kernel"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/Next: foundry-agent reboot --hard --reason 'new kernel' --socket \S+ --yes\n/);
  expect(view.commandList).toEqual([]);
});

test("with --yes it is taken with its reason, and says how to look", async () => {
  const { view, run } = await liveDaemon();
  const { code, stdout } = await run(["reboot", "--yes", "--reason", "new kernel", "--no-drain"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Taken as cmd_local_2\. How far it is: foundry-agent commands cmd_local_2 --socket /,
  );
  expect(view.requests[1]).toMatchObject({
    type: "reboot",
    params: { method: "graceful", drain_osds: false },
    mode: "live",
    reason: "new kernel",
  });
});

test("on a terminal it asks with host, method and what it waits for; no is no", async () => {
  const { view, run } = await liveDaemon();
  view.verdicts = [{ gate: "inhibitors", verdict: "wait", why: INHIBITED }];
  const { code, stderr } = await run(["reboot"], { input: typed("n\r") });
  expect(stderr).toContain(
    "ceph-osd-07 reboots (graceful: services are stopped first). It will wait first: apt wants this host to stay on: updating. Go on? [y/N]",
  );
  expect(code).toBe(4);
  expect(view.commandList).toEqual([]);
});

test("what will not change by waiting is refused before it is asked, with the line to type", async () => {
  const { view, run } = await liveDaemon();
  view.verdicts = [{ gate: "osds", verdict: "refuse", why: NO_DRAIN }];
  const { code, stderr } = await run(["reboot", "--yes"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(
    /Next: foundry-agent reboot --yes --socket \S+ --no-drain {2}# after: ceph osd ok-to-stop/,
  );
});

test("with a test key it names what was typed, with --test", async () => {
  const { view, run } = await madeUpDaemon();
  const why = { code: "refused_mode", text: "This node is registered with a test key.", nextStep: "x" };
  view.verdicts = [{ gate: "mode", verdict: "refuse", why }];
  const { code, stderr } = await run(["reboot", "--hard", "--yes"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(
    /test key\. Next: foundry-agent reboot --hard --yes --socket \S+ --test {2}# goes through all/,
  );
  expect(view.commandList).toEqual([]);
});

test.each([
  ["", /^foundry-agent: --reason needs a text\. Next: foundry-agent reboot --reason "new kernel"/],
  [" \t", /^foundry-agent: --reason needs a text\./],
  ["x".repeat(501), /^foundry-agent: a reason may have 500 characters, this one has 501\./],
])("a reason that is none (%j) is a mistake on the command line", async (reason, said) => {
  const { view, run } = await liveDaemon();
  const { code, stderr } = await run(["reboot", "--dry-run", `--reason=${reason}`]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  expect(view.requests).toEqual([]);
});

test("--dry-run shows every gate and does nothing", async () => {
  const { view, run } = await liveDaemon();
  view.verdicts = [
    { gate: "policy", verdict: "pass", why: null },
    { gate: "osds", verdict: "refuse", why: NO_DRAIN },
    { gate: "inhibitors", verdict: "wait", why: INHIBITED },
  ];
  const { code, stdout } = await run(["reboot", "--dry-run"]);
  expect(code).toBe(4);
  expect(stdout).toContain("  refuses  osds: This host has Ceph OSDs");
  expect(stdout).toContain("  waits    inhibitors: apt wants");
  expect(stdout).toContain("  passes   policy\n");
  expect(stdout).toContain("It would be refused. Nothing was done.\n");
  expect(view.commandList).toEqual([]);
});

test("it follows on a terminal until the host is gone, and says that calmly", async () => {
  const here = await liveDaemon();
  const { view } = here;
  const going = here.run(["reboot", "--yes"], { io: terminal(100) });
  await eventually(() => view.commandList.length > 0);
  view.become("cmd_local_2", {
    state: "rebooting",
    reboot: {
      method: "graceful",
      fromBootId: "b-1",
      callDeadlineMs: 1,
      deadlineMs: 2,
      attempt: 1,
      answer: "taken",
    },
  });
  await eventually(() => view.commandRecord("cmd_local_2")?.progress.state === "rebooting");
  // Its next look finds it, and only then the host goes.
  const seen = view.commandHistory;
  await new Promise<void>((resolve) => {
    view.commandHistory = (id) => {
      setImmediate(resolve);
      return seen(id);
    };
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await here.end();
  const printed = await going;
  expect(printed.stdout).toContain("rebooting  Now rebooting.\n");
  expect(printed.stdout).toContain(
    "The host is going down, and the connection with it. After the boot: foundry-agent commands cmd_local_2",
  );
  expect([printed.code, printed.stderr]).toEqual([0, ""]);
});

test("Ctrl-C leaves without stopping it and says how to cancel", async () => {
  const { view, run } = await liveDaemon();
  const stop = new AbortController();
  const going = run(["reboot", "--yes", "--wait"], { io: { signal: stop.signal } });
  await eventually(() => view.commandList.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  const { code, stderr } = await going;
  expect(code).toBe(0);
  expect(stderr).toContain("To cancel it: foundry-agent commands cancel cmd_local_2");
  expect(view.calls.some((call) => call.startsWith("cancel"))).toBe(false);
});

test.each([
  ["succeeded", 0],
  ["failed", 1],
  ["cancelled", 1],
  ["refused", 4],
] as const)("--wait ends with %s in exit code %i, --json prints the last answer", async (state, expected) => {
  const { view, run } = await liveDaemon();
  const going = run(["reboot", "--yes", "--wait", "--json"]);
  await eventually(() => view.commandList.length > 0);
  const why = state === "succeeded" ? null : { code: "x", text: "It did not.", nextStep: null };
  view.become("cmd_local_2", { state, why });
  const { code, stdout } = await going;
  expect(code).toBe(expected);
  expect(JSON.parse(stdout)).toMatchObject({ id: "cmd_local_2", state });
});

test("--test carries it through without asking", async () => {
  const { view, run } = await madeUpDaemon();
  expect((await run(["reboot", "--test"])).code).toBe(0);
  expect(view.requests[1]).toMatchObject({ type: "reboot", mode: "test" });
});
