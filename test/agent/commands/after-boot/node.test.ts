/**
 * A whole daemon, a helper with programs of its own, and a sandbox: asked to reboot over the network, started again on
 * another boot on which something is missing, and told what became of it on every way that leads to people.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { commandsCommand } from "../../../../src/cli/commands/list.ts";
import { commandStory } from "../../../../src/cli/commands/story.ts";
import { wholeCommandWire } from "../../../../src/sockets/wire/command.ts";
import { openStore } from "../../../../src/store/store.ts";
import { hostClock } from "../../../../src/system/clock.ts";
import { openFiles } from "../../../../src/system/files.ts";
import { testAgent } from "../../../support/agent/agent.ts";
import { eventually } from "../../../support/eventually.ts";
import { testHelper } from "../../../support/helper/helper.ts";
import { EXT4 } from "../../../support/helper/reboot.ts";
import { fakePrograms } from "../../../support/machine/programs.ts";
import {
  layTree,
  loadTree,
  mergeTrees,
  temporaryFolder,
  treeMachine,
} from "../../../support/machine/tree.ts";
import { startSandbox } from "../../../support/net/nodefoundry.ts";
import { runCli } from "../../../support/text/io.ts";

/** As root this process would be its own helper, with this host's programs. */
const UID = process.geteuid?.() || 4_242;
const POLICY = '[commands]\nremote = "on"\n[allow]\nnodefoundry = ["reboot"]\n';
const MOUNTED = "90 27 8:17 / /srv/data rw,relatime shared:9 - xfs /dev/sdb1 rw\n";
const BOOTS = ["0f2e3c1a-0000-4000-8000-000000000001", "0f2e3c1a-0000-4000-8000-000000000002"] as const;

async function node(toml = "") {
  const folder = temporaryFolder();
  const run = join(folder, "run");
  mkdirSync(run, { mode: 0o755 });
  mkdirSync(join(folder, "helper"), { mode: 0o700 });
  const policyPath = join(folder, "policy.toml");
  writeFileSync(policyPath, POLICY, { mode: 0o600 });
  const server = await startSandbox({ nodeRequestsAMinute: 1_000_000 });
  onTestFinished(() => server.close());
  const tree = mergeTrees([
    loadTree("vm"),
    {
      files: {
        "/etc/fstab": "/dev/vda / ext4 defaults\n/dev/sdb1 /srv/data xfs defaults\n",
        "/run/systemd/system/.keep": "",
        "/sys/devices/virtual/dmi/id/product_uuid": "4c4c4544-0042-3510-8051-b4c04f595831\n",
        "/sys/kernel/uevent_seqnum": "1\n",
      },
    },
  ]);
  const root = layTree(tree);
  const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
  const mounts = String(tree.files["/proc/self/mountinfo"]);
  const mount = (mounted: boolean): void => write("/proc/self/mountinfo", mounts + (mounted ? MOUNTED : ""));
  const programs = fakePrograms();
  const later = { ms: 0 };
  await testHelper(
    { folder, socket: join(run, "helper.sock"), policyPath, stateFolder: join(folder, "helper") } as never,
    { files: openFiles(root), run: programs.run, fileSystemType: () => EXT4 },
  );
  function host({
    boot = 0,
    mounted = true,
    failed = "",
  }: {
    boot?: 0 | 1;
    mounted?: boolean;
    failed?: string;
  }) {
    write("/proc/sys/kernel/random/boot_id", `${BOOTS[boot]}\n`);
    write("/proc/uptime", "90000.25 1.00\n");
    mount(mounted);
    const show = "SystemState=running\\nUserspaceTimestampMonotonic=4000000\\n";
    programs.put(
      "systemctl",
      `case "$1" in show) printf '${show}';; list-units) printf '${failed}';; is-system-running) echo running;; esac`,
    );
  }
  const start = async () =>
    await testAgent({
      folder,
      hardware: true,
      machine: {
        ...treeMachine(tree, { now: () => Date.now(), monotonic: () => performance.now() + later.ms }, root),
        uid: UID,
      },
      toml: `[nodefoundry]\nurl = "${server.url}"\n[commands]\ngrace_s = 0\nsplay_s = 0\nuptime_guard_s = 0\npolicy_file = "${policyPath}"\n${toml}`,
    });
  async function ask(path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(server.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${server.keys.live}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return ((await answer.json()) as { data: Record<string, unknown> }).data;
  }
  const reboots = (): number => programs.calls().filter((line) => line === "reboot").length;
  const looks = (): number => programs.calls().filter((line) => line.startsWith("list-units")).length;
  return { server, folder, mount, write, host, start, ask, reboots, looks, later };
}

test("what is gone after the boot is told to the server, in the status and in the story, until it is back", async () => {
  const { server, write, host, start, ask, reboots, later } = await node("after_boot_s = 1\n");
  host({});
  const first = await start();
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.live, {});
  await first.view.sync();
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, { method: "graceful", drain_osds: false });
  const id = String(asked.command_id);
  await first.view.sync();
  await eventually(() => reboots() === 1);
  expect(first.view.commandRecord(id)?.progress.reboot?.before).toMatchObject({
    seen: expect.arrayContaining(["unit", "mount", "link", "route", "drive", "api", "section", "check"]),
    items: expect.arrayContaining([{ kind: "mount", id: "/srv/data", name: "/srv/data", is: "writable" }]),
  });
  await first.stop();

  host({ boot: 1, mounted: false, failed: "nginx.service loaded failed failed A web server\\n" });
  const second = await start();
  await eventually(() => second.view.commandRecord(id)?.progress.state === "verifying");
  await second.view.sync();
  write("/proc/uptime", "90002.00 1.00\n");
  await eventually(() => second.view.commandRecord(id)?.progress.state === "succeeded");
  const worse = [
    {
      kind: "unit",
      name: "nginx.service",
      was: "not failed",
      is: "failed",
      text: "unit nginx.service has failed",
    },
    { kind: "mount", name: "/srv/data", was: "writable", is: "gone", text: "mount /srv/data is gone" },
  ];
  const message = "Done, but unit nginx.service has failed and mount /srv/data is gone.";
  await eventually(async () => {
    await second.view.sync();
    return (await ask(`/v1/operations/${String(asked.operation_id)}`)).finished_at !== null;
  });
  expect(await ask(`/v1/operations/${String(asked.operation_id)}`)).toMatchObject({
    ...{ status: "succeeded", message },
    result: { from_boot_id: BOOTS[0], boot_id: BOOTS[1], regressed: worse },
    cause: { cause: "command" },
  });
  const holding = () => second.view.status().conditions.map(({ code, text }) => [code, text]);
  expect(holding()).toContainEqual([
    "worse_after_reboot",
    `Since the reboot ${id}, unit nginx.service has failed and mount /srv/data is gone.`,
  ]);
  const row = second.view.command(id);
  const story = commandStory(wholeCommandWire(row as never, second.view.commandHistory(id)), {
    ...{ now: Date.now(), color: false, width: undefined, socket: undefined },
  });
  const lines = story.split("\n").map((line) => line.replace(/ {2,}/g, "  "));
  expect(lines).toEqual(
    expect.arrayContaining([
      "LOOKED AT  BEFORE  AFTER",
      "units that failed  0  1",
      "mounts  2  1",
      "links with carrier  1  1",
      "Unit nginx.service has failed (before: not failed).",
      "Mount /srv/data is gone (before: writable).",
    ]),
  );
  expect(reboots()).toBe(1);
  await second.stop();

  // Over a restart of the agent too; what is back is crossed off, and with the last of it the condition ends.
  const third = await start();
  const texts = (): string[] =>
    third.view
      .status()
      .conditions.filter(({ code }) => code === "worse_after_reboot")
      .map(({ text }) => text);
  expect(texts()).toHaveLength(1);
  async function aMinuteLater(): Promise<void> {
    later.ms += 61_000;
    await third.view.collect("cpu");
  }
  host({ boot: 1, mounted: true, failed: "nginx.service loaded failed failed A web server\\n" });
  await aMinuteLater();
  await eventually(() => texts()[0] === `Since the reboot ${id}, unit nginx.service has failed.`);
  host({ boot: 1 });
  await aMinuteLater();
  await eventually(() => texts().length === 0);
  await third.stop();
  const fourth = await start();
  expect(fourth.view.status().conditions.map(({ code }) => code)).not.toContain("worse_after_reboot");
  expect(reboots()).toBe(1);
});

test("all is there: one look, no condition, and the server is told that it was looked at", async () => {
  const { server, host, start, ask, reboots } = await node();
  host({});
  const first = await start();
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.live, {});
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, { method: "graceful", drain_osds: false });
  await first.view.sync();
  await eventually(() => reboots() === 1);
  await first.stop();
  host({ boot: 1 });
  const second = await start();
  await eventually(async () => {
    await second.view.sync();
    return (await ask(`/v1/operations/${String(asked.operation_id)}`)).finished_at !== null;
  });
  expect(await ask(`/v1/operations/${String(asked.operation_id)}`)).toMatchObject({
    status: "succeeded",
    message: "Done; all that worked before works.",
    result: { regressed: [], boot_id: BOOTS[1] },
  });
  expect(second.view.status().conditions.map(({ code }) => code)).not.toContain("worse_after_reboot");
});

test("while a mount is missed nobody wakes the helper for it each minute", async () => {
  const { server, mount, write, host, start, ask, reboots, looks, later } = await node("after_boot_s = 1\n");
  host({});
  const first = await start();
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.live, {});
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, { method: "graceful", drain_osds: false });
  await first.view.sync();
  await eventually(() => reboots() === 1);
  await first.stop();
  host({ boot: 1, mounted: false });
  const second = await start();
  const state = () => second.view.commandRecord(String(asked.command_id))?.progress.state;
  await eventually(() => state() === "verifying");
  write("/proc/uptime", "90002.00 1.00\n");
  await eventually(() => state() === "succeeded");
  const isMissed = () => second.view.status().conditions.some(({ code }) => code === "worse_after_reboot");
  expect(isMissed()).toBe(true);
  const before = looks();
  expect(before).toBeGreaterThan(1);
  async function aMinuteLater(): Promise<void> {
    later.ms += 61_000;
    await second.view.collect("cpu");
  }
  // Once, a minute after the start, when the userspace began is asked for.
  await aMinuteLater();
  await eventually(() => looks() > before);
  mount(true);
  await aMinuteLater();
  await eventually(() => !isMissed());
  expect(looks()).toBe(before + 1);
});

test("what was taken out of the configuration since is not missed any more", async () => {
  const { host, start, later, folder } = await node("[collectors.bmc]\nenabled = false\n");
  host({});
  const store = openStore(join(folder, "state"), { clock: hostClock() });
  const section = { kind: "section", id: "bmc", name: "bmc", was: "collected", is: "not collected" };
  store
    .values("commands")
    .set("after_boot", JSON.stringify({ commandId: "c1", regressed: [section, { ...section, id: "cpu" }] }));
  store.close();
  const agent = await start();
  const isMissed = () => agent.view.status().conditions.some(({ code }) => code === "worse_after_reboot");
  expect(isMissed()).toBe(true);
  later.ms += 61_000;
  await agent.view.collect("cpu");
  await eventually(() => !isMissed());
});

test("what is to stay so is acknowledged by who stands at the host, and is missed no more, over restarts", async () => {
  const { host, start, later, folder } = await node();
  host({});
  const store = openStore(join(folder, "state"), { clock: hostClock() });
  const drive = { kind: "drive", id: "naa.1", name: "sdx", was: "answering", is: "gone" };
  store.values("commands").set("after_boot", JSON.stringify({ commandId: "cmd_1", regressed: [drive] }));
  store.close();
  const agent = await start();
  const run = (words: string[]) => runCli([commandsCommand], [...words, "--socket", agent.controlSocket]);
  const missed = (status = agent.view.status()) =>
    status.conditions.filter(({ code }) => code === "worse_after_reboot");
  const [told] = missed();
  expect(told?.nextStep).toContain("foundry-agent commands ack cmd_1");
  const wrong = await run(["commands", "ack", "cmd_2"]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("foundry-agent commands ack cmd_1");
  expect(missed()).toHaveLength(1);
  expect(await run(["commands", "ack", "cmd_1"])).toMatchObject({
    code: 0,
    stdout: "What was missed since cmd_1 is taken as meant to be so.\n",
  });
  expect(missed()).toEqual([]);
  expect(agent.view.eventsSince("", 100).filter(({ type }) => type === "after_boot.acked")).toMatchObject([
    { data: { command_id: "cmd_1", missed: ["drive sdx is gone"], by: expect.any(String) } },
  ]);
  expect((await run(["commands", "ack", "cmd_1"])).stderr).toContain("nothing is missed since a reboot");
  later.ms += 61_000;
  await agent.view.collect("cpu");
  await agent.stop();
  const again = await start();
  expect(missed(again.view.status())).toEqual([]);
});

test("a copied card and a new identity know nothing of what the reboot of another has left", async () => {
  const { host, start, folder } = await node();
  host({});
  const first = await start();
  await first.stop();
  const note = () => {
    const store = openStore(join(folder, "state"), { clock: hostClock() });
    const drive = { kind: "drive", id: "naa.1", name: "sdx", was: "answering", is: "gone" };
    store.values("commands").set("after_boot", JSON.stringify({ commandId: "cmd_1", regressed: [drive] }));
    return store;
  };
  const copied = note();
  copied.values("boot").set("mark", JSON.stringify({ bootId: "another's", stopped: true, toldMs: 1 }));
  const self = JSON.parse(String(copied.values("identity").get("self")));
  copied.values("identity").set("self", JSON.stringify({ ...self, fingerprint: [`dmi:${"0".repeat(32)}`] }));
  copied.close();
  const codes = (agent: typeof first) => agent.view.status().conditions.map(({ code }) => code);
  const copy = await start();
  expect(codes(copy)).toContain("identity_cloned");
  expect(codes(copy)).not.toContain("worse_after_reboot");
  expect(copy.view.eventsSince("", 100).map(({ type }) => type)).not.toContain("reboot");
  await copy.stop();

  note().close();
  const other = await start();
  expect(codes(other)).toContain("worse_after_reboot");
  await other.view.resetIdentity();
  expect(codes(other)).not.toContain("worse_after_reboot");
  expect(other.view.eventsSince("", 100).map(({ type }) => type)).not.toContain("reboot");
});

test("mount points that never leave this host are not looked at", async () => {
  const { server, host, start, ask, reboots } = await node(
    '[report]\nexclude = ["drives.drives[id].mounts"]\n',
  );
  host({});
  const first = await start();
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.live, {});
  const asked = await ask(`/v1/nodes/${nodeId}/reboot`, { method: "graceful", drain_osds: false });
  await first.view.sync();
  await eventually(() => reboots() === 1);
  const before = first.view.commandRecord(String(asked.command_id))?.progress.reboot?.before;
  expect(before?.seen).not.toContain("mount");
  expect(before?.seen).toContain("drive");
});
