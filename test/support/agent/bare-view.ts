/** A daemon that knows these sections and nothing else, where a test is about the sockets and not about an agent. */
import type { AnyCollector } from "../../../src/collectors/index.ts";
import type { Section } from "../../../src/model/report.ts";
import type { AgentStatus, AgentView } from "../../../src/sockets/agent-view.ts";
import { NOW } from "../now.ts";

/** What is not here is not asked in such a test, and would be an error there. */
export function bareView(
  sections: Readonly<Record<string, Section>> = {},
  collectors: readonly AnyCollector[] = [],
): AgentView {
  const view: Partial<AgentView> = {
    status: bareStatus,
    report: () => ({ bootId: "b-1", sections: { ...sections } }),
    hashes: () => ({}),
    confidential: () => [],
    collectors: () => collectors,
    live: () => ({ families: new Map(), failed: [] }),
    eventsSince: () => [],
    onEvent: () => () => undefined,
    commands: () => [],
    command: () => null,
    commandRecord: () => null,
    healthy: () => ({ ok: true, reason: null }),
  };
  return view as AgentView;
}

export function bareStatus(): AgentStatus {
  return {
    version: "0.0.0-test",
    startedAt: NOW - 12_000,
    bootId: "b-1",
    hostname: "ceph-osd-07",
    nodeId: "node_7",
    mode: "test",
    localOnly: true,
    status: "online",
    hardware: false,
    armed: { armed: false, remote: "off", hardware: false, mode: "test", signed: false },
    networkProfile: "normal",
    stateFolder: "/var/lib/foundry-agent",
    conditions: [],
    notYetKnown: [],
    controlApis: [],
    collectors: [],
    spool: { events: 0, bytes: 0, dropped: 0 },
    runningCommand: null,
    waitingCommands: [],
    hold: null,
  };
}
