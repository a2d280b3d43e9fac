/**
 * What the daemon offers its sockets (AgentView) as a plain object: real collectors' data of a fixture
 * tree, everything else made up. Tests change what they need.
 */
import type { AgentStatus, AgentView } from "../../src/agent/view.ts";
import { isNoData } from "../../src/collectors/collector.ts";
import { type AnyCollector, allCollectors } from "../../src/collectors/index.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { AgentEvent } from "../../src/model/event.ts";
import type { Section } from "../../src/model/report.ts";
import { nextUlid } from "../../src/model/ulid.ts";
import { collectContext, loadTree, type Tree, treeMachine } from "./tree.ts";

export const NOW = 1_760_000_000_000;

export interface TestView extends AgentView {
  /** What the view was asked to do: "sync nodefoundry", "enroll …". */
  readonly calls: string[];
  readonly sections: Record<string, Section>;
  readonly events: AgentEvent[];
  state: AgentStatus;
  commandList: ReturnType<AgentView["commands"]>;
  /** Append an event and tell the listeners. */
  happen(event: Partial<AgentEvent> & { type: string }): AgentEvent;
  listeners(): number;
}

export function section(name: string, data: unknown, rest: Partial<Section> = {}): Section {
  return { name, state: "ok", data, reason: null, collectedAt: NOW - 12_000, durationMs: 3.25, ...rest };
}

export async function collectSections(
  collectors: readonly AnyCollector[],
  tree: Tree,
): Promise<Record<string, Section>> {
  const machine = treeMachine(tree);
  const found: Record<string, Section> = {};
  for (const collector of collectors) {
    const data = await collector.collect(collectContext(machine));
    found[collector.name] = isNoData(data)
      ? section(collector.name, null, {
          state: "absent",
          reason: { code: "no_data", text: data.noData, nextStep: data.nextStep },
        })
      : section(collector.name, data);
  }
  return found;
}

// Laying a tree out takes a while; what was found in it is never changed in place.
const collected = new Map<
  string,
  Promise<{ sections: Record<string, Section>; collectors: AnyCollector[] }>
>();

/** @param name of a fixture tree: test/fixtures/trees/NAME */
export async function testView(name = "ceph-node"): Promise<TestView> {
  const before = collected.get(name);
  const work = before ?? collectAll(name);
  collected.set(name, work);
  const { sections, collectors } = await work;
  return viewOfSections({ ...sections }, collectors);
}

async function collectAll(name: string) {
  const collectors = allCollectors();
  return { collectors, sections: await collectSections(collectors, loadTree(name)) };
}

export function viewOfSections(
  sections: Record<string, Section>,
  collectors: readonly AnyCollector[],
): TestView {
  const calls: string[] = [];
  const events: AgentEvent[] = [];
  const listeners = new Set<(event: AgentEvent) => void>();
  const view: TestView = {
    calls,
    sections,
    events,
    state: testStatus(collectors),
    commandList: [],
    happen(event) {
      const id = nextUlid(events.at(-1)?.id ?? "", NOW + events.length, new Uint8Array(10).fill(7));
      const whole: AgentEvent = { id, at: NOW, severity: "info", data: {}, ...event };
      events.push(whole);
      for (const listener of listeners) listener(whole);
      return whole;
    },
    listeners: () => listeners.size,
    status: () => view.state,
    report: () => ({ bootId: "b-1", sections }),
    hashes: () => Object.fromEntries(Object.keys(sections).map((name) => [name, `hash-of-${name}`])),
    collectors: () => collectors,
    preview(api) {
      if (api !== "nodefoundry")
        throw new AgentError("no_such_api", `there is no control API "${api}"`, "one of: nodefoundry");
      return '{"report": "the very bytes"}';
    },
    eventsSince: (id, limit) => events.filter((event) => event.id > id).slice(0, limit),
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    commands: (limit) => view.commandList.slice(0, limit),
    command: (id) => view.commandList.find((command) => command.id === id) ?? null,
    async collect(name) {
      calls.push(`collect ${name}`);
      const found = sections[name];
      if (!found) throw new AgentError("no_such_collector", `there is no collector "${name}"`);
      return found;
    },
    async sync(api) {
      calls.push(`sync ${api ?? "all"}`);
      return [{ name: "nodefoundry", ok: true, text: "2 sections sent and confirmed" }];
    },
    async reload() {
      calls.push("reload");
      return { ok: true, problems: [] };
    },
    async forgetDrive(serial) {
      calls.push(`forget ${serial}`);
      if (serial === "UNKNOWN")
        throw new AgentError(
          "no_such_drive",
          `no missing drive has the serial number "${serial}"`,
          "foundry-agent drives",
        );
    },
    async smartJson({ device, type }) {
      calls.push(`smart ${device} ${type}`);
      return { smartctl: { exit_status: 0 }, device: { name: device, type } };
    },
    async locate({ on, for_s = 600, ...name }) {
      calls.push(`locate ${JSON.stringify(name)} ${on ? for_s : "off"}`);
      return { name: "sda", how: "enclosure", on, for_s: on ? for_s : null };
    },
    async selfTest({ device, type }, test) {
      calls.push(`test ${device} ${type} ${test}`);
      return { minutes: test === "abort" ? null : 2 };
    },
    async check() {
      return [
        {
          name: "nodefoundry",
          results: [
            { what: "DNS", verdict: "ok", text: "api.example.net is 192.0.2.7", nextStep: null },
            {
              what: "clock",
              verdict: "failed",
              text: "this clock is 3 h behind",
              nextStep: "timedatectl set-ntp true",
            },
          ],
        },
      ];
    },
    async enroll(api, key, options) {
      calls.push(`enroll ${api} ${key.length} ${options.name ?? "-"}`);
      return { nodeId: "node_1", mode: "test" };
    },
    async adopt(undo) {
      calls.push(undo ? "adopt undo" : "adopt");
    },
    async resetIdentity() {
      calls.push("reset");
    },
    async leave(api) {
      calls.push(`leave ${api ?? "all"}`);
    },
    healthy: () => ({ ok: true, reason: null }),
  };
  return view;
}

export function testStatus(collectors: readonly AnyCollector[]): AgentStatus {
  return {
    version: "0.1.0",
    startedAt: NOW - 90_061_000,
    bootId: "b-1",
    hostname: "ceph-osd-07",
    nodeId: "node_7",
    mode: "test",
    localOnly: false,
    status: "online",
    hardware: false,
    stateFolder: "/var/lib/foundry-agent",
    conditions: [],
    controlApis: [
      {
        name: "nodefoundry",
        enrolled: true,
        nodeId: "node_7",
        mode: "test",
        note: null,
        lastSyncAt: NOW - 12_000,
        lastError: null,
        nextDueAt: NOW + 48_000,
        breaker: "closed",
        failures: 0,
        intervalS: 60,
        pendingEvents: 0,
        sentBytesThisMonth: 1_234_567,
        receivedBytesThisMonth: 45_678,
        requestsThisMonth: 321,
      },
    ],
    collectors: collectors.map(({ name, everyMs }) => ({
      name,
      state: "ok",
      everyMs,
      durationMs: 1.5,
      runs: 12,
      failures: 0,
      lastRunAt: NOW - 12_000,
      nextRunAt: NOW + 48_000,
    })),
    spool: { events: 3, bytes: 900, dropped: 0 },
    runningCommand: null,
    hold: null,
  };
}
