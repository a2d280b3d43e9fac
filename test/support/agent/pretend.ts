/**
 * What a real agent says only after days, or with hardware that no test has, laid over what it says by itself. Each test
 * names what it lays over; everything else stays the agent's own, and so do the sockets.
 */
import type { CommandRecord, HistoryEntry } from "../../../src/commands/record.ts";
import type { AgentEvent } from "../../../src/model/event.ts";
import type { Section } from "../../../src/model/report.ts";
import { nextUlid } from "../../../src/model/ulid.ts";
import type { AgentStatus, AgentView } from "../../../src/sockets/agent-view.ts";
import { commandRow } from "../commands/records.ts";
import { NOW } from "../now.ts";

/** As a collector's run left it 12 s ago. */
export function section(name: string, data: unknown, rest: Partial<Section> = {}): Section {
  return { name, state: "ok", data, reason: null, collectedAt: NOW - 12_000, durationMs: 3.25, ...rest };
}

export function pretendStatus(view: AgentView, change: Partial<AgentStatus>): void {
  const real = view.status;
  view.status = () => ({ ...real(), ...change });
}

/** @param change a section is merged into the agent's own; null: it is not there yet */
export function pretendSections(
  view: AgentView,
  change: Readonly<Record<string, Partial<Section> | null>>,
): void {
  const real = view.report;
  view.report = () => {
    const { bootId, sections } = real();
    const all: Record<string, Section> = { ...sections };
    for (const [name, part] of Object.entries(change))
      if (part === null) delete all[name];
      else all[name] = { ...(all[name] as Section), ...part };
    return { bootId, sections: all };
  };
}

/** Events by hand in place of the agent's own: `happen` tells whoever follows. */
export function pretendEvents(view: AgentView, from = NOW) {
  const events: AgentEvent[] = [];
  const listeners = new Set<(event: AgentEvent) => void>();
  view.eventsSince = (id, limit) => events.filter((event) => event.id > id).slice(0, limit);
  view.onEvent = (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    events,
    listeners,
    happen(event: Partial<AgentEvent> & { type: string }, at = from + events.length): AgentEvent {
      const id = nextUlid(events.at(-1)?.id ?? "", at, new Uint8Array(10).fill(7));
      const whole: AgentEvent = { id, at, severity: "info", data: {}, ...event };
      events.push(whole);
      for (const listener of listeners) listener(whole);
      return whole;
    },
  };
}

/** Commands by hand in place of the journal's, newest first. */
export function pretendCommands(
  view: AgentView,
  records: readonly CommandRecord[],
  histories: Readonly<Record<string, HistoryEntry[]>> = {},
): void {
  const find = (id: string) => records.find(({ asked }) => asked.id === id) ?? null;
  view.commands = (limit) => records.slice(0, limit).map(commandRow);
  view.commandRecord = find;
  view.command = (id) => {
    const record = find(id);
    return record === null ? null : commandRow(record);
  };
  view.commandHistory = (id) => histories[id] ?? [];
}

const CHANGING = [
  "submitCommand",
  "cancelCommand",
  "ackReboot",
  "hold",
  "release",
  "collect",
  "sync",
  "reload",
  "forgetDrive",
  "ackDrive",
  "unackDrive",
  "smartJson",
  "locate",
  "selfTest",
  "diagnostics",
  "check",
  "enroll",
  "adopt",
  "resetIdentity",
  "leave",
] as const satisfies readonly (keyof AgentView)[];

/** Whatever the agent is asked to do from now on: `enroll ["nodefoundry","…",{}]`. It does it all the same. */
export function overheard(view: AgentView): string[] {
  const calls: string[] = [];
  const doing = view as unknown as Record<string, (...asked: unknown[]) => unknown>;
  for (const name of CHANGING) {
    const real = doing[name];
    doing[name] = (...asked) => {
      calls.push(`${name} ${JSON.stringify(asked)}`);
      return real?.(...asked);
    };
  }
  return calls;
}
