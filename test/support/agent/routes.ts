import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { driveEntry } from "../../../src/collectors/smart/entry.ts";
import { deviceLabel } from "../../../src/collectors/smart/rounds/identity.ts";
import type { SmartData, SmartDrive } from "../../../src/collectors/smart/schema.ts";
import type { SmartFacts } from "../../../src/model/smart.ts";
import type { AgentView } from "../../../src/sockets/agent-view.ts";
import { commandRow, runningRecord, waitingRecord } from "../commands/records.ts";
import { facts } from "../drives/smart.ts";
import { NOW } from "../now.ts";
import { pretendEvents, pretendSections, pretendStatus, section } from "./pretend.ts";
import { treeAgent } from "./tree-agent.ts";

/** Of a drive that only smartctl knows. */
export const MEMBER_SERIAL = "MEMBER-CANARY-1";

/** A value for each `{parameter}` and the query of every route, so that each can be asked. */
export const FILLED: Record<string, string> = {
  "/v1/report/{section}": "/v1/report/system",
  "/v1/drives/{drive}": "/v1/drives/sda",
  "/v1/drives/{serial}/forget": "/v1/drives/WD-1/forget",
  "/v1/drives/{drive}/locate": "/v1/drives/sda/locate",
  "/v1/drives/{drive}/ack": "/v1/drives/sda/ack",
  "/v1/drives/{drive}/unack": "/v1/drives/sda/unack",
  "/v1/drives/{drive}/smart-test": "/v1/drives/sda/smart-test",
  "/v1/commands/{id}": "/v1/commands/cmd_1",
  "/v1/commands/{id}/cancel": "/v1/commands/cmd_waiting/cancel",
  "/v1/commands/{id}/ack": "/v1/commands/cmd_done/ack",
  "/v1/why/{id}": "/v1/why/drives",
  "/v1/collect": "/v1/collect?name=system",
  "/v1/preview/{api}": "/v1/preview/nodefoundry",
};

/** What to send where a body is wanted. */
export const BODIES: Record<string, object> = {
  "/v1/enroll": { key: "nf_en_abc" },
  "/v1/drives/{drive}/locate": { on: true, for_s: 60 },
  "/v1/drives/{drive}/ack": { reasons: ["pending_sectors"], note: "known" },
  "/v1/drives/{drive}/smart-test": { test: "short" },
  "/v1/commands": { type: "noop" },
  "/v1/hold": { reason: "memory test" },
};

const ACK = {
  drive: "WD-1",
  by: "root",
  at: new Date(NOW).toISOString(),
  note: null,
  reasons: [{ code: "pending_sectors", attribute: null, value: 8 }],
};

/** What smartctl said of a drive, `/dev/sda`, as the section `smart` has it. */
export function smartEntry(
  device: string,
  type: string,
  drive: Pick<DrivesData["drives"][number], "id" | "serial" | "wwn" | "model">,
  said: Partial<SmartFacts> = {},
): SmartDrive {
  const { id, serial, wwn, model } = drive;
  return driveEntry({
    id,
    identity: { id, serial, wwn, model, sizeBytes: null },
    ways: [
      {
        key: `${device} ${type}`,
        device,
        type,
        label: deviceLabel(device, type),
        lane: `drive ${device}`,
        sys: null,
        openError: null,
      },
    ],
    outcome: { facts: facts({ serial, wwn, model, ...said }), error: null, at: NOW },
    quarantined: false,
    hangs: 0,
    kept: null,
    trend: null,
    lastVerdict: null,
    ack: null,
    since: NOW,
  });
}

export function smartData(drives: SmartData["drives"]): SmartData {
  return {
    smartctl_version: "7.3",
    drives,
    twins: [],
    ack_problem: null,
    scan_hangs: false,
    problem: null,
    history: [],
    history_base: 0,
  };
}

/** Section `smart`: sda of the tree as a healthy drive, and a member of a RAID. */
function smartOf({ drives }: DrivesData): SmartData {
  const sda = drives.find(({ name }) => name === "sda");
  if (sda === undefined) throw new Error("no sda in the tree");
  const member = { id: `serial-${MEMBER_SERIAL}`, serial: MEMBER_SERIAL, wwn: null, model: null };
  return smartData([smartEntry("/dev/sda", "sat", sda), smartEntry("/dev/bus/0", "megaraid,3", member)]);
}

/**
 * An agent with something to show on every route. What it could not do here, and what would end what is shown, is only
 * said to be done.
 */
export async function fullView(): Promise<AgentView> {
  const { view } = await treeAgent({ registered: "test" });
  pretendSections(view, {
    smart: section("smart", smartOf(view.report().sections.drives?.data as DrivesData)),
  });
  const { forgetDrive } = view;
  const waiting = waitingRecord();
  const refused = {
    id: "cmd_1",
    source: "nodefoundry",
    epoch: "e1",
    type: "node.reboot",
    state: "refused" as const,
    receivedAt: NOW - 60_000,
    command: JSON.stringify({ params: { reason: "kernel" }, signature: "SIGNATURE-OF-IT" }),
    error: { code: "unsupported", message: "this agent does not know it yet" },
  };
  const rows = [refused, commandRow(waiting)];
  const condition = {
    code: "drive_missing",
    subject: "WD-1",
    severity: "warning",
    text: "A drive is gone.",
    nextStep: "look",
    since: NOW - 5_000,
  } as const;
  pretendStatus(view, {
    conditions: [condition],
    runningCommand: runningRecord(),
    waitingCommands: [waiting],
    hold: { reason: "maintenance", by: "root", since: NOW - 5_000, until: null },
  });
  pretendEvents(view).happen({ type: "drive.missing", severity: "warning", data: { slot: "3" } });
  return Object.assign(view, {
    commands: () => rows,
    command: (id) => rows.find((row) => row.id === id) ?? null,
    commandRecord: (id) => (id === waiting.asked.id ? waiting : null),
    submitCommand: () => waiting,
    cancelCommand: () => waiting,
    ackReboot: () => undefined,
    forgetDrive: async (serial) => (serial === "WD-1" ? undefined : await forgetDrive(serial)),
    ackDrive: async ({ note, by }) => ({ ...ACK, note, by }),
    unackDrive: async () => ACK,
    mayTouchHardware: async () => undefined,
    locate: async ({ on, for_s = 600 }) => ({ name: "sda", how: "enclosure", on, for_s: on ? for_s : null }),
    selfTest: async () => ({ minutes: 2 }),
    enroll: async () => ({ nodeId: "node_1", mode: "test", nodeName: null }),
    adopt: async () => undefined,
    resetIdentity: async () => undefined,
    leave: async () => undefined,
  } satisfies Partial<AgentView>);
}
