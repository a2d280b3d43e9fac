import type { Severity } from "./condition.ts";

/** Something that happened once; kept in the spool until every control API has acknowledged it. */
export interface EventDraft {
  /** `drive.missing`, `condition.raised`, `command.state`, `reboot`, … */
  readonly type: string;
  readonly severity: Severity;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface AgentEvent extends EventDraft {
  /** ULID, rising within a node even when the clock steps back. */
  readonly id: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
}
