/** The daemon and what only root may read: the helper behind its socket, in process, out of order, or not there. */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { OF_THE_HELPER, openHelperAccess } from "../../src/agent/helper-access.ts";
import type { Config } from "../../src/config/config.ts";
import { errorCode } from "../../src/model/errors.ts";
import { ownFile } from "../../src/model/text/own-file.ts";
import { hostClock } from "../../src/system/clock.ts";
import { openFiles } from "../../src/system/files.ts";
import { quietMachine, type TestAgent, testAgent } from "../support/agent/agent.ts";
import { ataJson, type FakeDrives, fakeDrives } from "../support/drives/fake-drives.ts";
import { eventually } from "../support/eventually.ts";
import { type HelperHouse, helperHouse, OPEN_POLICY, testHelper } from "../support/helper/helper.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { startSandbox } from "../support/net/nodefoundry.ts";
import { handClock } from "../support/store/store.ts";
import { recordedLog } from "../support/text/log.ts";

/** A state folder whose run folder has the helper's socket in it, as the service's has. */
function house(policy: string | null = OPEN_POLICY): HelperHouse & { agentFolder: string } {
  const agentFolder = temporaryFolder();
  mkdirSync(join(agentFolder, "run"));
  return { ...helperHouse(policy), socket: join(agentFolder, "run", "helper.sock"), agentFolder };
}

function twoDrives(): FakeDrives {
  const drives = fakeDrives();
  drives.scan([
    { device: "/dev/sda", type: "sat" },
    { device: "/dev/sdb", type: "sat" },
  ]);
  drives.says("/dev/sda", "sat", ataJson("S1"));
  drives.says("/dev/sdb", "sat", ataJson("S2"));
  return drives;
}

interface Verdicts {
  readonly drives: readonly { readonly serial: string; readonly smart_ok: boolean | null }[];
}
const verdicts = (agent: TestAgent): Record<string, boolean | null> =>
  Object.fromEntries(
    ((agent.view.report().sections.smart?.data as Verdicts | undefined)?.drives ?? []).map((drive) => [
      drive.serial,
      drive.smart_ok,
    ]),
  );
const codes = (agent: TestAgent): string[] => agent.view.status().conditions.map(({ code }) => code);
const states = (agent: TestAgent): Record<string, string> =>
  Object.fromEntries(Object.values(agent.view.report().sections).map(({ name, state }) => [name, state]));

test("verdicts come through the helper's socket into the report, and a failing drive is an event and a condition", async () => {
  const drives = twoDrives();
  const one = house();
  const { audits } = await testHelper(one);
  const agent = await testAgent({ folder: one.agentFolder });
  await eventually(() => Object.keys(verdicts(agent)).length === 2);
  expect(verdicts(agent)).toEqual({ S1: true, S2: true });
  expect(audits().map(({ audit }) => audit)).toContain("smart.read");
  drives.says("/dev/sdb", "sat", ataJson("S2", { smart_status: { passed: false } }), 8);
  await agent.view.collect("smart");
  await eventually(() => verdicts(agent).S2 === false);
  expect(codes(agent)).toContain("smart_failing");
  const events = agent.view.eventsSince("", 1_000);
  expect(events.map(({ type }) => type)).toContain("drive.verdict");
});

test("the server hears a drive's verdict, and nothing of one that sleeps", async () => {
  const drives = twoDrives();
  drives.says("/dev/sdb", "sat", { smartctl: { messages: [{ string: "Device is in STANDBY mode" }] } }, 3);
  const one = house();
  await testHelper(one);
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const agent = await testAgent({ folder: one.agentFolder, toml: `[nodefoundry]\nurl = "${server.url}"\n` });
  await eventually(() => Object.keys(verdicts(agent)).length === 2);
  await agent.view.enroll("nodefoundry", server.keys.test, {});
  await agent.view.sync();
  const section = server.inspect().nodes[0]?.sections.smart?.data as {
    data: { drives: Record<string, unknown>[] };
  };
  const sent = section.data;
  expect(
    sent.drives.map((drive) => [drive.device, "smart_ok" in drive ? drive.smart_ok : "left out"]),
  ).toEqual([
    ["sda", true],
    ["sdb", "left out"],
  ]);
});

test("a helper that answers garbage: one condition, every other section is there, and it clears when the helper is well", async () => {
  twoDrives();
  const one = house();
  const garbage = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  await new Promise<void>((done) => garbage.listen(one.socket, done));
  const agent = await testAgent({ folder: one.agentFolder });
  expect(codes(agent).filter((code) => code.startsWith("helper"))).toEqual(["helper_unavailable"]);
  expect(states(agent)).toMatchObject({ drives: "ok", network: "ok", system: "ok", cpu: "ok", memory: "ok" });
  await new Promise((done) => garbage.close(done));
  rmSync(one.socket, { force: true });
  await testHelper(one);
  await agent.view.collect("smart");
  await eventually(() => Object.keys(verdicts(agent)).length === 2);
  expect(codes(agent)).not.toContain("helper_unavailable");
});

test("a helper that comes up after the agent is no alarm and no event, and what it reads is there after a minute", async () => {
  twoDrives();
  const one = house();
  // What systemd listens on and does not answer yet.
  const early = createServer((socket) => void socket.on("error", () => undefined).destroy());
  await new Promise<void>((done) => early.listen(one.socket, done));
  const clock = handClock(Date.now());
  const agent = await testAgent({
    folder: one.agentFolder,
    machine: quietMachine(clock),
    settleMs: 60_000,
  });
  const unknown = () => agent.view.status().notYetKnown.map(({ what }) => what);
  expect(unknown()).toContain("whether the helper answers");
  expect(codes(agent)).toEqual([]);
  await new Promise((done) => early.close(done));
  await testHelper(one);
  clock.forward(61_000);
  await agent.view.collect("system");
  await eventually(() => states(agent).smart === "ok");
  await eventually(() => unknown().length === 0);
  const events = agent.view.eventsSince("", 1_000).map(({ type, data }) => `${type} ${String(data.code)}`);
  expect([codes(agent), events.filter((one) => one.startsWith("condition."))]).toEqual([[], []]);
});

test("a call that fails late, while another was answered since it began, is no news", async () => {
  const one = house();
  const behind = { ...one, socket: join(one.agentFolder, "real.sock") };
  await testHelper(behind);
  // Between the two: the first call is held, the others get through; cut off is what was held.
  const held: Socket[] = [];
  let isOpen = false;
  const between = createServer((socket) => {
    socket.on("error", () => undefined);
    if (!isOpen) return void held.push(socket);
    const on = connect(behind.socket);
    on.on("error", () => undefined);
    socket.pipe(on).pipe(socket);
  });
  await new Promise<void>((done) => between.listen(one.socket, done));
  onTestFinished(() => void between.close());
  const told: string[][] = [];
  const access = openHelperAccess({
    config: {
      agent: { runDir: join(one.agentFolder, "run"), hardware: false, stateDir: one.agentFolder },
      commands: { policyFile: one.policyPath },
    } as Config,
    ...{ uid: 4_242, files: openFiles("/"), clock: hostClock(), log: recordedLog().log },
    health: {
      set: (owner: string, found: readonly { code: string }[]) =>
        owner === "helper" && told.push(found.map(({ code }) => code)),
    } as never,
  });
  onTestFinished(() => access.close());
  const ask = () => access.port.call("policy.show", {}, new AbortController().signal);
  /** One call that is held and then cut off; `meanwhile` happens in between. @returns the code it fails with */
  async function late(meanwhile: () => Promise<unknown> = async () => undefined): Promise<string> {
    isOpen = false;
    const call = ask().then(String, (error: unknown) => errorCode(error));
    await eventually(() => held.length > 0);
    isOpen = true;
    await meanwhile();
    for (const socket of held.splice(0)) socket.destroy();
    return await call;
  }
  // By itself it is news.
  expect(OF_THE_HELPER).toContain(await late());
  expect(told).toEqual([["helper_unavailable"]]);
  await ask();
  expect(told.at(-1)).toEqual([]);
  told.length = 0;
  expect(OF_THE_HELPER).toContain(await late(ask));
  expect(told).toEqual([[]]);
});

test("a helper whose socket went away is no recovery: its sections go stale, a failing drive stays an alarm, also over a restart", async () => {
  const drives = twoDrives();
  drives.says("/dev/sdb", "sat", ataJson("S2", { smart_status: { passed: false } }), 8);
  const one = house();
  const { server } = await testHelper(one);
  const first = await testAgent({ folder: one.agentFolder });
  await eventually(() => verdicts(first).S2 === false);
  const told = (agent: TestAgent): string[] =>
    agent.view
      .eventsSince("", 1_000)
      .filter(({ type, data }) => type === "drive.verdict" || data.code === "smart_failing")
      .map(({ type }) => type);
  const atFirst = told(first);
  expect(atFirst).toContain("condition.raised");
  await server.close();
  rmSync(one.socket, { force: true });
  for (let times = 0; times < 2; times++) {
    const section = await first.view.collect("smart");
    expect(section).toMatchObject({ state: "stale", reason: { code: "helper_absent" } });
    expect(section.reason?.nextStep).toContain("foundry-agent-helper.socket");
  }
  const wrong = (agent: TestAgent): string[] =>
    codes(agent).filter((code) => /^(?:helper|smart|collector)/.test(code));
  expect(wrong(first).sort()).toEqual(["helper_unavailable", "smart_failing"]);
  await first.stop();

  // What is bound to come up beside it, and does not.
  const garbage = createServer((socket) => void socket.on("error", () => undefined).destroy());
  await new Promise<void>((done) => garbage.listen(one.socket, done));
  const second = await testAgent({ folder: one.agentFolder });
  expect(wrong(second).sort()).toEqual(["helper_unavailable", "smart_failing"]);
  await new Promise((done) => garbage.close(done));
  rmSync(one.socket, { force: true });
  await testHelper(one);
  await second.view.collect("smart");
  await eventually(() => verdicts(second).S2 === false);
  expect(wrong(second)).toEqual(["smart_failing"]);
  expect(told(second)).toEqual(atFirst);
  // A drive that is well again is what ends it.
  drives.says("/dev/sdb", "sat", ataJson("S2"));
  await second.view.collect("smart");
  await eventually(() => verdicts(second).S2 === true);
  expect(wrong(second)).toEqual([]);
});

test("no policy, or one that others may write: a condition until it is right and read again", async () => {
  const one = house(null);
  await testHelper(one);
  const agent = await testAgent({ folder: one.agentFolder });
  await eventually(() => codes(agent).includes("policy_unusable"));
  one.policy(OPEN_POLICY);
  await agent.view.reload();
  await eventually(() => !codes(agent).includes("policy_unusable"));
});

// A policy is root's, or it can't be used in any case.
test.runIf(process.geteuid?.() === 0)(
  "without a helper too: one that others may write is a condition, and none where there is no policy",
  async () => {
    const one = house(OPEN_POLICY);
    const agent = await testAgent({
      folder: one.agentFolder,
      toml: `[commands]\npolicy_file = "${one.policyPath}"\n`,
    });
    await agent.view.reload();
    expect(codes(agent)).not.toContain("policy_unusable");
    chmodSync(one.policyPath, 0o666);
    await eventually(() => codes(agent).includes("policy_unusable"));
    const [told] = agent.view.status().conditions.filter(({ code }) => code === "policy_unusable");
    expect(told).toMatchObject({
      text: expect.stringContaining("can be changed by others than its owner"),
      nextStep: expect.stringContaining(`chmod 0644 ${one.policyPath}`),
    });
    // It holds over a reload and a restart without being told as over in between.
    await agent.view.reload();
    await agent.stop();
    const second = await testAgent({
      folder: one.agentFolder,
      toml: `[commands]\npolicy_file = "${one.policyPath}"\n`,
    });
    await eventually(() => codes(second).includes("policy_unusable"));
    const ends = second.view
      .eventsSince("", 1_000)
      .filter(({ type, data }) => type === "condition.cleared" && data.code === "policy_unusable");
    expect(ends).toEqual([]);
    rmSync(one.policyPath);
    await eventually(() => !codes(second).includes("policy_unusable"));
  },
);

test("a policy that was mended, or broken, is noticed with the next calls, without a reload", async () => {
  twoDrives();
  const one = house(null);
  await testHelper(one);
  const real = hostClock();
  let ahead = 0;
  const clock = { now: real.now, monotonic: () => real.monotonic() + ahead };
  const agent = await testAgent({ folder: one.agentFolder, machine: quietMachine(clock) });
  await eventually(() => codes(agent).includes("policy_unusable"));
  one.policy(OPEN_POLICY);
  ahead += 11 * 60_000;
  await agent.view.collect("smart");
  await eventually(() => !codes(agent).includes("policy_unusable"));
  one.policy("alow = 1");
  ahead += 11 * 60_000;
  await agent.view.collect("smart");
  await eventually(() => codes(agent).includes("policy_unusable"));
});

test("a policy that is mended, broken, opened to others or exchanged is noticed by itself, with no call and no reload", async () => {
  const one = house(null);
  const real = hostClock();
  let ahead = 0;
  const clock = { now: real.now, monotonic: () => real.monotonic() + ahead };
  const { server, audits } = await testHelper(one, { clock });
  const file = one.policyPath;
  const toml = `[commands]\npolicy_file = "${file}"\n`;
  const agent = await testAgent({ folder: one.agentFolder, toml });
  const becomes = (unusable: boolean) =>
    eventually(() => codes(agent).includes("policy_unusable") === unusable);
  await becomes(true);
  one.policy(OPEN_POLICY);
  await becomes(false);
  chmodSync(file, 0o666);
  await becomes(true);
  chmodSync(file, 0o644);
  await becomes(false);
  one.policy("alow = 1");
  await becomes(true);
  writeFileSync(`${file}.new`, OPEN_POLICY, { mode: 0o644 });
  renameSync(`${file}.new`, file);
  await becomes(false);
  chmodSync(dirname(file), 0o777);
  await becomes(true);
  chmodSync(dirname(file), 0o755);
  await becomes(false);
  renameSync(dirname(file), `${dirname(file)}.old`);
  await becomes(true);
  renameSync(`${dirname(file)}.old`, dirname(file));
  await becomes(false);
  // Nobody touches it, and somebody beside it: nothing is asked. Asked again within a minute it would be counted.
  const from = audits().length;
  ahead += 61_000;
  writeFileSync(join(dirname(file), "beside"), "x");
  rmSync(file);
  await becomes(true);
  await server.close();
  const asked = audits()
    .slice(from)
    .filter(({ audit }) => audit === "policy.show");
  // What was counted of the minute before is told first.
  const first = asked.findIndex(({ more }) => more === undefined);
  expect([first >= 0, asked.slice(first + 1)]).toEqual([true, []]);
});

test("a link to the policy's folder that leads elsewhere is noticed with the next tick", async () => {
  const one = house();
  const other = helperHouse("alow = 1");
  const link = join(one.agentFolder, "link");
  symlinkSync(one.folder, link);
  const policyPath = join(link, basename(one.policyPath));
  await testHelper({ ...one, policyPath });
  const toml = `[commands]\npolicy_file = "${policyPath}"\n`;
  const agent = await testAgent({ folder: one.agentFolder, toml });
  symlinkSync(other.folder, `${link}.new`);
  renameSync(`${link}.new`, link);
  await eventually(async () => {
    await agent.view.collect("system");
    return codes(agent).includes("policy_unusable");
  });
});

test("direct mode whose folder could not be made works once it can be", async () => {
  twoDrives();
  const root = { ...quietMachine(), uid: 0, clock: hostClock() };
  const folder = temporaryFolder();
  mkdirSync(join(folder, "state"), { mode: 0o700 });
  writeFileSync(join(folder, "state", "helper"), "");
  const agent = await testAgent({ folder, machine: root, hardware: true });
  expect(verdicts(agent)).toEqual({});
  rmSync(join(folder, "state", "helper"));
  await agent.view.collect("smart");
  await eventually(() => Object.keys(verdicts(agent)).length === 2);
});

test("root with hardware = true does it in process; without, and with no helper, the sections say what they need", async () => {
  twoDrives();
  const root = { ...quietMachine(), uid: 0, clock: hostClock() };
  const folder = temporaryFolder();
  const agent = await testAgent({ folder, machine: root, hardware: true });
  await eventually(() => Object.keys(verdicts(agent)).length === 2);
  await agent.stop();
  const observer = await testAgent({ folder, machine: root });
  expect(observer.view.report().sections.smart).toMatchObject({ state: "absent" });
  expect(observer.view.report().sections.smart?.reason).toMatchObject({
    text: expect.stringContaining("needs the helper"),
    nextStep: `write hardware = true below [agent] in ${ownFile(observer.configFile)}`,
  });
  expect(codes(observer)).not.toContain("helper_unavailable");
});
