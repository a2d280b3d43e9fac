/** What the agent lends to a control API, with everything it is told and asked written down. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ControlApi, ControlContext, SyncInput } from "../../../src/control/control-api.ts";
import { type ConditionDraft, conditionKey } from "../../../src/model/condition.ts";
import type { Identity } from "../../../src/model/identity.ts";
import type { Section } from "../../../src/model/report.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { temporaryFolder } from "../machine/tree.ts";
import { recordedLog } from "../text/log.ts";

export const IDENTITY: Identity = {
  machineId: "ab".repeat(32),
  instance: "instance-a",
  fingerprint: ["dmi:1", "mac:1"],
  hostname: "ceph-01",
  serial: "SN1",
  macs: ["02:00:00:00:00:01"],
  arch: "x64",
  os: "Debian GNU/Linux 12 (bookworm)",
  agentVersion: "0.1.0",
  bootId: "boot-1",
  stateLost: false,
};

export interface Agent {
  readonly api: ControlApi;
  readonly values: Map<string, string>;
  /** Keys of `values` in the order they were written. */
  readonly writes: string[];
  readonly conditions: Map<string, ConditionDraft>;
  readonly renewed: string[];
  /** How often the conditions that hold were told once more. */
  toldAgain: number;
  identity: Identity;
  clockOffsetMs: number;
  readonly logged: () => string;
  readonly traffic: { sent: number; received: number };
  /** The same node after a restart of the agent: durable values only. */
  restarted(): Agent;
}

export interface From {
  readonly values?: Map<string, string>;
  readonly identity?: Identity;
}

/** @param open makes the control API on what is lent */
export function agentAround(open: (context: ControlContext) => ControlApi, from: From = {}): Agent {
  const { log, lines } = recordedLog();
  const values = from.values ?? new Map<string, string>();
  const conditions = new Map<string, ConditionDraft>();
  const clock = hostClock();
  const agent: Omit<Agent, "api"> & { api?: ControlApi } = {
    values,
    writes: [],
    conditions,
    renewed: [],
    toldAgain: 0,
    identity: from.identity ?? IDENTITY,
    clockOffsetMs: 0,
    logged: () => JSON.stringify(lines),
    traffic: { sent: 0, received: 0 },
    restarted: () => agentAround(open, { values: new Map(values), identity: agent.identity }),
  };
  const context: ControlContext = {
    values: {
      get: (key) => values.get(key) ?? null,
      set(key, value) {
        agent.writes.push(key);
        if (value === null) values.delete(key);
        else values.set(key, value);
      },
    },
    conditions: {
      raise: (condition) => void conditions.set(conditionKey(condition), condition),
      clear: (code, subject) =>
        void conditions.delete(conditionKey(subject === undefined ? { code } : { code, subject })),
      tellAgain: () => void agent.toldAgain++,
    },
    log,
    clock: { now: () => clock.now() + agent.clockOffsetMs, monotonic: clock.monotonic },
    identity: () => agent.identity,
    renewIdentity(reason) {
      agent.renewed.push(reason);
      values.clear();
      agent.identity = {
        ...agent.identity,
        machineId: "cd".repeat(32),
        instance: `renewed-${agent.renewed.length}`,
      };
    },
    traffic(sent, received) {
      agent.traffic.sent += sent;
      agent.traffic.received += received;
    },
  };
  agent.api = open(context);
  return agent as Agent;
}

export const signal = new AbortController().signal;

/** A secret's file, 0600. */
export function keyFile(key: string): string {
  const path = join(temporaryFolder(), "key");
  writeFileSync(path, `${key}\n`);
  chmodSync(path, 0o600);
  return path;
}

function section(name: string, data: unknown): Section {
  return { name, state: "ok", data, reason: null, collectedAt: 1_760_000_000_000, durationMs: 2 };
}

/** A round with these sections as news. */
export function input(sections: Record<string, unknown> = {}, more: Partial<SyncInput> = {}): SyncInput {
  const changed = Object.fromEntries(
    Object.entries(sections).map(([name, data]) => [name, section(name, data)]),
  );
  return {
    report: { bootId: "boot-1", sections: changed },
    status: "online",
    hashes: Object.fromEntries(
      Object.entries(sections).map(([name, data]) => [name, `hash-${JSON.stringify(data)}`.slice(0, 100)]),
    ),
    changed,
    volatile: {},
    events: [],
    nextDueS: 60,
    waitS: 0,
    ...more,
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => ({ code: "no error" }),
    (thrown: { code: string }) => thrown,
  );
  return error.code;
}
