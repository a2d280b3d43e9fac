/**
 * kill -9 at any moment: a real daemon against a real server, killed again and again while conditions come
 * and go, commands arrive and answers get lost. What was written down must be told, once.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { hostClock } from "../../src/system/clock.ts";
import { testAgent, writeConfig } from "../support/agent/agent.ts";
import { type AgentChild, startChild } from "../support/agent/child.ts";
import { ask } from "../support/agent/unix-http.ts";
import { repeat } from "../support/budget.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { type Sandbox, startSandbox } from "../support/net/nodefoundry.ts";
import { seeded } from "../support/random.ts";
import { storedCommand } from "../support/store/store.ts";

const KILLS = 14;
const SEED = 20_251_009;
const FINAL = ["succeeded", "failed", "cancelled", "refused", "expired", "rehearsed"];

test("killed at random moments: same node, every event once, every command answered once, state sound", async () => {
  const random = seeded(SEED);
  const server = await startSandbox({ plan: "enterprise", nodeRequestsAMinute: 1_000_000, waitS: 5 });
  onTestFinished(() => server.close());
  const house = makeHouse(server);
  const urgent = new Set<string>();
  let killedInAction = 0;

  const lives = await repeat(
    KILLS,
    async (life) => {
      house.goodConfig();
      const child = house.start();
      const over = new AbortController();
      // Some die while starting, most of them at work: not by the clock, a busy machine does little in half a second.
      const isAtWork = life % 4 !== 0;
      if (isAtWork) {
        await child.said("ready");
        void house.follow(urgent);
        killedInAction++;
      }
      const disturbed = Promise.withResolvers<void>();
      let left = 1 + random() * 30;
      const busy = house.disturb(random, over.signal, () => --left < 0 && disturbed.resolve());
      if (isAtWork) await disturbed.promise;
      await pause(random() * (isAtWork ? 30 : 500));
      child.process.kill("SIGKILL");
      over.abort();
      const { signal } = await child.ended;
      expect([signal, child.stderr()]).toEqual(["SIGKILL", expect.not.stringContaining("Error")]);
      await busy;
    },
    { least: 4 },
  );
  expect(killedInAction).toBe(lives - Math.ceil(lives / 4));

  server.faults.clear();
  house.goodConfig();
  const last = house.start();
  await last.said("ready");
  await house.settle();
  const status = await house.status();
  last.process.kill("SIGTERM");
  expect(await last.ended).toEqual({ code: 0, signal: null });

  const { nodes, events, commands } = server.inspect();
  expect(nodes.map((node) => node.id)).toEqual([status.node_id]);
  const arrived = (events[status.node_id] ?? []).map((event) => event.id);
  expect(arrived.length).toBe(new Set(arrived).size);
  expect(house.keptEvents().filter((id) => !arrived.includes(id))).toEqual([]);
  // What somebody was shown as urgent was on disk by then.
  expect(urgent.size).toBeGreaterThan(0);
  expect([...urgent].filter((id) => !arrived.includes(id))).toEqual([]);

  expect(commands.length).toBeGreaterThan(0);
  const answers = (events[status.node_id] ?? []).filter((event) => event.type === "command.state");
  for (const command of commands) {
    const told = answers.filter((event) => event.data.command_id === command.id);
    const finals = told.map((event) => event.data.state).filter((state) => FINAL.includes(String(state)));
    expect([command.id, finals]).toEqual([command.id, [command.state]]);
    expect(FINAL).toContain(command.state);
  }
  expect(house.integrity()).toBe("ok");
  expect(readdirSync(house.stateFolder).filter((name) => name.includes("corrupt"))).toEqual([]);
});

test("a row of the journal that can't be carried out is answered after the restart, and never done", async () => {
  const server = await startSandbox({ nodeRequestsAMinute: 1_000_000 });
  onTestFinished(() => server.close());
  const toml = `[nodefoundry]\nurl = "${server.url}"`;
  const first = await testAgent({ toml });
  const { nodeId } = await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.stop();
  const { command_id: id } = await reboot(server, nodeId);
  // As a version without this journal left it, killed right after the command's own fsync.
  const store = openStore(join(first.folder, "state"), { clock: hostClock() });
  store.insertCommand(storedCommand(id));
  store.close();

  const second = await testAgent({ toml, folder: first.folder });
  await eventually(async () => {
    await second.view.sync();
    return server.inspect().commands[0]?.state === "failed";
  });
  expect(second.view.command(id)).toBeNull();
  const answers = (server.inspect().events[nodeId] ?? []).filter((event) => event.type === "command.state");
  expect(answers).toHaveLength(1);
});

function makeHouse(server: Sandbox) {
  const folder = temporaryFolder();
  const stateFolder = join(folder, "state");
  const keyFile = join(folder, "key");
  writeFileSync(keyFile, server.keys.enrol, { mode: 0o600 });
  const atOnce = "[commands]\ngrace_s = 0\nsplay_s = 0\nuptime_guard_s = 0\n";
  const toml = `[nodefoundry]\nurl = "${server.url}"\nenrol_key_file = "${keyFile}"\n${atOnce}`;
  const control = join(folder, "run", "control.sock");
  const compiled = temporaryFolder();
  const config = writeConfig(folder, toml);
  const good = readFileSync(config, "utf8");

  function goodConfig(): void {
    // As an editor does it, and never half a file: the agent would be right to refuse to start with that.
    replace(config, good);
  }

  /** One thing after another, as fast as they are answered; nobody minds when the agent is just dead. */
  async function disturb(random: () => number, over: AbortSignal, each: () => void): Promise<void> {
    const sync = () => ask(control, "/v1/sync", { method: "POST" });
    const actions: (() => unknown)[] = [
      async () => {
        for (const node of server.inspect().nodes) await reboot(server, node.id);
      },
      () => server.faults.set({ kind: "503", path: "/v1/nodes/*/sync", count: 3 }),
      () => server.faults.set({ kind: "drop_after", path: "/v1/nodes/*/sync", count: 1 }),
      () => server.faults.set({ kind: "drop_after", path: "/v1/nodes", count: 1 }),
      () => replace(config, "[agent]\nhardwear = true\n"),
      goodConfig,
      () => server.faults.clear(),
      sync,
      sync,
      sync,
    ];
    while (!over.aborted) {
      const action = actions[Math.floor(random() * actions.length)] as () => unknown;
      await Promise.resolve(action()).catch(() => undefined);
      each();
      await pause(5);
    }
  }

  /** Collect the ids of what must not be lost, as they are shown to anybody who follows. */
  function follow(urgent: Set<string>): Promise<void> {
    return new Promise((resolve) => {
      const sent = request({ socketPath: control, path: "/v1/events?follow=1", agent: false }, (answer) => {
        let rest = "";
        answer.on("data", (chunk) => {
          const lines = (rest + String(chunk)).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) {
            const event = JSON.parse(line) as { id: string; type: string; severity: string };
            if (event.severity !== "info" || event.type === "command.state") urgent.add(event.id);
          }
        });
        answer.on("error", () => resolve());
        answer.on("end", () => resolve());
      });
      sent.on("error", () => resolve());
      sent.end();
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the shape is the status socket's, checked there
  async function status(): Promise<any> {
    return (await ask(control, "/v1/status")).json.data;
  }

  /** Until nothing is left to be said on either side. */
  async function settle(): Promise<void> {
    await eventually(async () => {
      await ask(control, "/v1/sync", { method: "POST" });
      const { control_apis: apis } = await status();
      const open = server.inspect().commands.filter((command) => !FINAL.includes(command.state));
      return apis[0].pending_events === 0 && open.length === 0;
    });
  }

  function database<T>(read: (db: DatabaseSync) => T): T {
    const db = new DatabaseSync(join(stateFolder, "state.db"));
    try {
      return read(db);
    } finally {
      db.close();
    }
  }

  return {
    stateFolder,
    goodConfig,
    disturb,
    follow,
    status,
    settle,
    start: (): AgentChild =>
      startChild(["run", "--config", config], { env: { NODE_COMPILE_CACHE: compiled } }),
    keptEvents: () =>
      database((db) =>
        db
          .prepare("SELECT id FROM event")
          .all()
          .map((row) => String(row.id)),
      ),
    integrity: () => database((db) => db.prepare("PRAGMA integrity_check").get()?.integrity_check),
  };
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function reboot(server: Sandbox, nodeId: string): Promise<{ command_id: string }> {
  const answer = await fetch(`${server.url}/v1/nodes/${nodeId}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.keys.test}`, "content-type": "application/json" },
    body: "{}",
  });
  return ((await answer.json()) as { data: { command_id: string } }).data;
}
