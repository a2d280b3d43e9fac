/** What is sent: our words put into NodeFoundry's. */
import type { AgentEvent } from "../../model/event.ts";
import type { Identity } from "../../model/identity.ts";
import type { Section } from "../../model/report.ts";
import type { SyncInput } from "../control-api.ts";

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}

/** `POST /v1/nodes`. @param template `{hostname}` and `{serial}` stand for this node's own; null: the hostname */
export function enrolBody(identity: Identity, template: string | null): string {
  return JSON.stringify({
    machine_id: identity.machineId,
    instance: identity.instance,
    fingerprint: identity.fingerprint.slice(0, 64),
    hostname: nodeName(identity, template),
    serial: identity.serial,
    macs: identity.macs.slice(0, 256),
    arch: identity.arch,
    os: identity.os.slice(0, 200),
    agent_version: identity.agentVersion,
    ...(identity.stateLost ? { state_lost: true } : {}),
  });
}

/** The name to register under, 1 to 253 characters. */
export function nodeName(identity: Identity, template: string | null): string {
  const name = (template ?? "{hostname}")
    .replaceAll("{hostname}", identity.hostname)
    .replaceAll("{serial}", identity.serial ?? "no-serial")
    .trim();
  return (name || identity.hostname || "unnamed").slice(0, 253);
}

export interface SyncFrame {
  readonly identity: Identity;
  readonly seq: number;
  /** Wall clock, milliseconds. */
  readonly sentAt: number;
  /** Longest wait the server wants, seconds; null: it did not say. */
  readonly serverWaitS: number | null;
}

/** `POST /v1/nodes/{id}/sync`, and the wait in it: only an empty round may be held open. */
export function syncBody(input: SyncInput, frame: SyncFrame): { text: string; waitS: number } {
  const sections = Object.entries(input.changed);
  const empty = sections.length === 0 && input.events.length === 0;
  const waitS = empty ? Math.max(0, Math.min(input.waitS, frame.serverWaitS ?? input.waitS, 300)) : 0;
  const text = JSON.stringify({
    instance: frame.identity.instance,
    seq: frame.seq,
    boot_id: frame.identity.bootId,
    sent_at: rfc3339(frame.sentAt),
    agent_version: frame.identity.agentVersion,
    next_due_s: Math.max(0, Math.round(input.nextDueS)),
    status: input.status,
    hashes: input.hashes,
    ...(sections.length === 0
      ? {}
      : { sections: Object.fromEntries(sections.map(([name, section]) => [name, sectionOnWire(section)])) }),
    ...(Object.keys(input.volatile).length === 0 ? {} : { volatile: input.volatile }),
    ...(input.events.length === 0 ? {} : { events: input.events.map(eventOnWire) }),
    ...(waitS === 0 ? {} : { wait_s: waitS }),
  });
  return { text, waitS };
}

/** `collected_at` and `duration_ms` are not under the hash. */
function sectionOnWire(section: Section): Record<string, unknown> {
  return {
    state: section.state,
    collected_at: section.collectedAt === null ? null : rfc3339(section.collectedAt),
    duration_ms: section.durationMs,
    reason: section.reason && {
      code: section.reason.code,
      text: section.reason.text,
      next_step: section.reason.nextStep,
    },
    data: section.name === "smart" ? withoutUnknownVerdicts(section.data) : section.data,
  };
}

/** NodeFoundry's `smart_ok` is a boolean: left out while it is not known, which is not "no". */
function withoutUnknownVerdicts(data: unknown): unknown {
  if (data === null || typeof data !== "object" || !("drives" in data) || !Array.isArray(data.drives))
    return data;
  const drives = data.drives.map((drive: { smart_ok?: unknown }) => {
    const { smart_ok, ...rest } = drive;
    return smart_ok === null ? rest : drive;
  });
  return { ...data, drives };
}

function eventOnWire(event: AgentEvent): Record<string, unknown> {
  return {
    id: event.id,
    at: rfc3339(event.at),
    type: event.type,
    severity: event.severity,
    data: event.data,
  };
}
