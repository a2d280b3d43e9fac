/**
 * What the daemon offers its sockets (AgentView) as a plain object: real collectors' data of a fixture
 * tree, everything else made up. Tests change what they need.
 */
import { hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isNoData } from "../../../src/collectors/collector.ts";
import { type AnyCollector, allCollectors } from "../../../src/collectors/index.ts";
import type { LocalRequest } from "../../../src/commands/executor/types.ts";
import type { GateVerdict } from "../../../src/commands/gates/gate.ts";
import { COMMAND_TYPES } from "../../../src/commands/index.ts";
import {
  type CommandRecord,
  type HistoryEntry,
  type Progress,
  parseRecord,
} from "../../../src/commands/record.ts";
import { AgentError } from "../../../src/model/errors.ts";
import type { AgentEvent } from "../../../src/model/event.ts";
import type { Section } from "../../../src/model/report.ts";
import { nextUlid } from "../../../src/model/ulid.ts";
import type { AgentStatus, AgentView } from "../../../src/sockets/agent-view.ts";
import { commandRecord, commandRow } from "../commands/records.ts";
import { collectContext, loadTree, type Tree, temporaryFolder, treeMachine } from "../machine/tree.ts";

export const NOW = Date.parse("2026-11-21T12:00:00Z");

/** What a diagnostics bundle is here: bytes that are no text. */
export const BUNDLE = Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0xff, 0xfe, 0x80, 0x0a, 0x00]);

export interface TestView extends AgentView {
  /** What the view was asked to do: "sync nodefoundry", "enroll …". */
  readonly calls: string[];
  readonly sections: Record<string, Section>;
  readonly events: AgentEvent[];
  state: AgentStatus;
  commandList: ReturnType<AgentView["commands"]>;
  /** Of `commandHistory`, by id. */
  histories: Record<string, HistoryEntry[]>;
  /** What `dryRunCommand` answers. */
  verdicts: GateVerdict[];
  /** What `submitCommand` was given. */
  readonly requests: LocalRequest[];
  /** Let a command come so far. */
  become(id: string, change: Partial<Progress>): CommandRecord;
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
          reason: { code: data.code ?? "no_data", text: data.noData, nextStep: data.nextStep },
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
    histories: {},
    verdicts: [{ gate: "hold", verdict: "pass", why: null }],
    requests: [],
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
    commandRecord(id) {
      const row = view.command(id);
      return row === null ? null : parseRecord(row.command, row.progress ?? null);
    },
    commandHistory: (id) => view.histories[id] ?? [],
    submitCommand(request) {
      view.requests.push(request);
      if (!COMMAND_TYPES.some(({ type }) => type === request.type))
        throw new AgentError(
          "unsupported",
          `This version of the agent does not carry out "${request.type}".`,
        );
      const id = request.signed?.id ?? `cmd_local_${view.requests.length}`;
      const record = commandRecord({ id, ...pick(request), source: "local", receivedAt: NOW }, {});
      view.commandList = [commandRow(record), ...view.commandList];
      view.histories[id] = [{ at: NOW, state: "accepted", step: null, text: "Accepted." }];
      return record;
    },
    cancelCommand(id, by) {
      calls.push(`cancel ${id} ${by}`);
      const record = view.commandRecord(id);
      if (record === null)
        throw new AgentError(
          "no_such_command",
          `no command with the id "${id}" is known`,
          "foundry-agent commands",
        );
      if (record.progress.state === "rebooting")
        throw new AgentError(
          "too_late",
          "it is too late to cancel this reboot: its state is rebooting",
          `foundry-agent commands ${id}`,
        );
      return view.become(id, {
        state: "cancelled",
        why: { code: "cancelled", text: `Cancelled by ${by}.`, nextStep: null },
      });
    },
    become(id, change) {
      const record = view.commandRecord(id);
      if (record === null) throw new Error(`there is no command ${id}`);
      const next = { asked: record.asked, progress: { ...record.progress, since: NOW, ...change } };
      view.commandList = view.commandList.map((row) => (row.id === id ? commandRow(next) : row));
      view.histories[id] = [
        ...(view.histories[id] ?? []),
        {
          at: NOW,
          state: next.progress.state,
          step: next.progress.step,
          text: next.progress.why?.text ?? `Now ${next.progress.state}.`,
        },
      ];
      return next;
    },
    async dryRunCommand(request) {
      view.requests.push(request);
      return view.verdicts;
    },
    hold({ reason, by, until }) {
      calls.push(`hold ${by} ${reason} ${until ?? "-"}`);
      view.state = { ...view.state, hold: { reason, by, since: NOW, until } };
      return { reason, by, since: NOW, until };
    },
    release(by) {
      calls.push(`release ${by}`);
      const { hold } = view.state;
      view.state = { ...view.state, hold: null };
      return hold;
    },
    async collect(name) {
      calls.push(`collect ${name}`);
      const found = sections[name];
      if (!found) throw new AgentError("no_such_collector", `there is no collector "${name}"`);
      return found;
    },
    async sync(api) {
      calls.push(`sync ${api ?? "all"}`);
      return [{ name: "nodefoundry", ok: true, text: "2 sections sent and confirmed", nextStep: null }];
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
    async mayTouchHardware() {},
    async locate({ on, for_s = 600, ...name }) {
      calls.push(`locate ${JSON.stringify(name)} ${on ? for_s : "off"}`);
      return { name: "sda", how: "enclosure", on, for_s: on ? for_s : null };
    },
    async selfTest({ device, type }, test) {
      calls.push(`test ${device} ${type} ${test}`);
      return { minutes: test === "abort" ? null : 2 };
    },
    async diagnostics(id) {
      calls.push(`diagnostics ${id ?? "-"}`);
      const path = join(temporaryFolder(), "bundle.tar.gz");
      writeFileSync(path, BUNDLE);
      return { path, bytes: BUNDLE.length, sha256: hash("sha256", BUNDLE, "hex") };
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

function pick({ type, params, mode, reason, by }: LocalRequest) {
  return { type, params, mode, reason, by };
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
    waitingCommands: [],
    hold: null,
  };
}
