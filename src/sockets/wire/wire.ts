/**
 * The daemon's own words on the wire of the two sockets: snake_case, times in RFC 3339. Mapped field by
 * field on purpose: a field that is new inside must not reach a world-readable socket by itself.
 * The shapes are declared in schemas.ts, from which the types of what is returned here come.
 */
import type { CheckResult } from "../../control/control-api.ts";
import { type Condition, conditionKey } from "../../model/condition.ts";
import type { AgentEvent } from "../../model/event.ts";
import type { Reason, Section } from "../../model/report.ts";
import type { AgentStatus, ApiStatus, CollectorStatus } from "../agent-view.ts";
import { holdWire, recordWire } from "./command.ts";
import { rfc3339 } from "./rfc3339.ts";
import type {
  CheckWire,
  ConditionWire,
  EventWire,
  ReasonWire,
  SectionHeadWire,
  StatusWire,
} from "./schemas.ts";

/** @param now wall clock, milliseconds; only for `uptime_s` */
export function statusWire(status: AgentStatus, now: number): StatusWire {
  return {
    version: status.version,
    started_at: rfc3339(status.startedAt),
    uptime_s: Math.max(0, Math.round((now - status.startedAt) / 1000)),
    boot_id: status.bootId,
    hostname: status.hostname,
    node_id: status.nodeId,
    mode: status.mode,
    local_only: status.localOnly,
    status: status.status,
    hardware: status.hardware,
    armed: armedWire(status.armed),
    network_profile: status.networkProfile,
    state_folder: status.stateFolder,
    conditions: status.conditions.map(conditionWire),
    not_yet_known: status.notYetKnown.map(({ code, subject = null, what }) => ({
      code,
      subject,
      text: what,
    })),
    control_apis: status.controlApis.map(apiWire),
    collectors: status.collectors.map(collectorWire),
    spool: { events: status.spool.events, bytes: status.spool.bytes, dropped: status.spool.dropped },
    running_command: status.runningCommand === null ? null : recordWire(status.runningCommand),
    waiting_commands: status.waitingCommands.map(recordWire),
    hold: status.hold === null ? null : holdWire(status.hold),
  };
}

function armedWire({ armed, remote, hardware, mode, signed }: AgentStatus["armed"]): StatusWire["armed"] {
  return { armed, remote, hardware, mode, signed };
}

export function conditionWire(condition: Condition): ConditionWire {
  return {
    id: conditionKey(condition),
    code: condition.code,
    subject: condition.subject ?? null,
    severity: condition.severity,
    text: condition.text,
    next_step: condition.nextStep,
    since: rfc3339(condition.since),
  };
}

function apiWire(api: ApiStatus): StatusWire["control_apis"][number] {
  return {
    name: api.name,
    enrolled: api.enrolled,
    node_id: api.nodeId,
    node_name: api.nodeName ?? null,
    mode: api.mode,
    note: api.note,
    last_sync_at: rfc3339(api.lastSyncAt),
    last_error:
      api.lastError === null
        ? null
        : { code: api.lastError.code, text: api.lastError.text, at: rfc3339(api.lastError.at) },
    next_due_at: rfc3339(api.nextDueAt),
    breaker: api.breaker,
    failures: api.failures,
    interval_s: api.intervalS,
    pending_events: api.pendingEvents,
    sent_bytes_this_month: api.sentBytesThisMonth,
    received_bytes_this_month: api.receivedBytesThisMonth,
    requests_this_month: api.requestsThisMonth,
  };
}

function collectorWire(collector: CollectorStatus): StatusWire["collectors"][number] {
  return {
    name: collector.name,
    state: collector.state,
    every_ms: collector.everyMs,
    duration_ms: collector.durationMs,
    runs: collector.runs,
    failures: collector.failures,
    last_run_at: rfc3339(collector.lastRunAt),
    next_run_at: rfc3339(collector.nextRunAt),
  };
}

export function eventWire(event: AgentEvent): EventWire {
  return {
    id: event.id,
    type: event.type,
    severity: event.severity,
    at: rfc3339(event.at),
    data: event.data,
  };
}

export function reasonWire(reason: Reason | null): ReasonWire | null {
  return reason === null ? null : { code: reason.code, text: reason.text, next_step: reason.nextStep };
}

/** Everything of a section but its data, which redaction may change. */
export function sectionHead(section: Section): SectionHeadWire {
  return {
    name: section.name,
    state: section.state,
    reason: reasonWire(section.reason),
    collected_at: rfc3339(section.collectedAt),
    duration_ms: section.durationMs,
  };
}

export function checkWire(result: CheckResult): CheckWire["results"][number] {
  return {
    what: result.what,
    verdict: result.verdict,
    text: result.text,
    next_step: result.nextStep,
  };
}
