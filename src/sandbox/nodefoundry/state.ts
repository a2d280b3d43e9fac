/**
 * Everything the NodeFoundry sandbox remembers, as plain JSON data: so a snapshot is a copy, the state
 * file is the same thing written down, and "restored from an old backup" is putting a copy back.
 */
import type { CommandState } from "../../model/command.ts";
import type { NodeStatus } from "../../model/report.ts";

/** A command that no agent has heard of yet, or the state the agent last gave it. */
export type SandboxCommandState = "queued" | CommandState;

export interface CommandRecord {
  id: string;
  nodeId: string;
  mode: "live" | "test";
  type: string;
  params: Record<string, unknown>;
  operationId: string;
  /** As issued: a later epoch of the server does not rewrite it (the signature covers it). */
  epoch: string;
  seq: number;
  issuedAt: number;
  expiresAt: number;
  signature: string | null;
  state: SandboxCommandState;
  delivered: boolean;
  /** True from the first command.state event on; until then it is in every answer. */
  acknowledged: boolean;
  cancelRequested: boolean;
  /** Boot id of the sync that delivered it last before it was acknowledged. */
  fromBootId: string | null;
  /** Id of the last command.state event applied: an older one that comes later changes nothing. */
  lastEventId: string;
  /** `step` is missing in what an older sandbox wrote down. */
  history: { at: string; state: string; step?: string | null; message: string }[];
}

export interface OperationRecord {
  id: string;
  /** `node.reboot`, `cluster.create`, … */
  type: string;
  status: "pending" | "running" | "succeeded" | "failed" | "cancelled";
  progress: number;
  message: string;
  nodeId: string | null;
  clusterId: string | null;
  createdAt: number;
  finishedAt: number | null;
  result: unknown;
  /** Without an agent: succeeds this long after its start. Null: follows its commands. */
  durationMs: number | null;
  commandIds: string[];
  /** Commands still to be issued, `maxConcurrent` of them open at a time. */
  plan: PlannedCommand[];
  maxConcurrent: number;
  /** What its effect needs at the end. */
  detail: Record<string, unknown>;
  /** Its effect (a cluster made, a weight set) has been applied. */
  settled: boolean;
}

export interface PlannedCommand {
  nodeId: string;
  type: string;
  params: Record<string, unknown>;
  mode: "live" | "test";
  expiresInS?: number;
}

export interface StoredEvent {
  id: string;
  at: string;
  type: string;
  severity: "info" | "warning" | "error";
  data: Record<string, unknown>;
}

export interface StoredSection {
  /** What the agent said the hash was when it sent this; null: sent without one. */
  hash: string | null;
  data: unknown;
  receivedAt: number;
}

export interface NodeToken {
  /** SHA-256, hex: the token itself is not kept. */
  hash: string;
  used: boolean;
  /** A newer one was used since. */
  superseded: boolean;
}

/** What a node without an agent says of itself. */
export interface SeedNode {
  hostname: string;
  ip_address?: string;
  ipmi_address?: string;
  cpu_cores?: number;
  ram_gb?: number;
  drives?: { device: string; size_gb: number; type: "nvme" | "ssd" | "hdd"; smart_ok?: boolean }[];
}

export interface NodeRecord {
  id: string;
  machineId: string | null;
  instance: string | null;
  earlierInstances: string[];
  fingerprint: string[];
  hostname: string;
  serial: string | null;
  macs: string[];
  arch: string;
  os: string;
  agentVersion: string;
  mode: "live" | "test";
  status: NodeStatus;
  clusterId: string | null;
  createdAt: number;
  tokens: NodeToken[];
  rotateToken: boolean;
  /** Set by an operator: the next registration with this machine_id is taken whatever its fingerprint. */
  adoptNext: boolean;
  /** Two instances speak as this node: no commands until an operator adopts or the other is quiet. */
  conflict: { instance: string; since: number; lastHeardAt: number } | null;
  sync: { instance: string; seq: number; bootId: string; at: number; nextDueS: number } | null;
  hashes: Record<string, string>;
  sections: Record<string, StoredSection>;
  /** Section → flat path → value, since the section came in full. */
  volatile: Record<string, Record<string, string | number | boolean | null>>;
  resyncAsked: string[];
  events: StoredEvent[];
  noout: { bucket: string; until: string }[];
  diagnostics: Record<string, { bytes: number; sha256: string; receivedAt: number }>;
  /** Not null: simulated, no agent behind it. */
  seed: SeedNode | null;
}

export interface OsdRecord {
  osdId: number;
  nodeId: string;
  device: string;
  weight: number;
  capacityGb: number;
  usedGb: number;
  /** Made up here, not reported by an agent: commands about it never go out as live. */
  invented: boolean;
}

export interface PoolRecord {
  id: string;
  name: string;
  type: "replicated" | "erasure";
  replication_factor: number | null;
  erasure_profile: string | null;
  pg_autoscale: boolean;
  application: "rbd" | "cephfs" | "rgw";
  created_at: string;
}

export interface ClusterRecord {
  id: string;
  name: string;
  status: "CREATING" | "DELETING" | "HEALTH_OK" | "HEALTH_WARN" | "HEALTH_ERR";
  cephVersion: "reef" | "squid";
  failureDomain: "host" | "rack" | "zone";
  replicationFactor: number;
  nodeIds: string[];
  osds: OsdRecord[];
  pools: PoolRecord[];
  createdAt: number;
  /** The operation that changes it right now. */
  operationId: string | null;
}

export interface State {
  version: 1;
  /** New after each restore: the order of commands starts afresh. */
  epoch: string;
  commandSeq: number;
  nodes: Record<string, NodeRecord>;
  clusters: Record<string, ClusterRecord>;
  operations: Record<string, OperationRecord>;
  commands: Record<string, CommandRecord>;
}

export function emptyState(epoch: string): State {
  return { version: 1, epoch, commandSeq: 0, nodes: {}, clusters: {}, operations: {}, commands: {} };
}

/** A record by id, never something inherited (`__proto__`, `constructor`). */
export function lookup<T>(records: Record<string, T>, id: string): T | null {
  return Object.hasOwn(records, id) ? (records[id] as T) : null;
}

/** RFC 3339 UTC. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
