/**
 * The report: one section a collector. `data` is the public, documented shape (snake_case, as it goes
 * over every wire), so nothing is renamed between the collector that made it and the one who reads it.
 */
export type SectionState = "ok" | "stale" | "failed" | "absent";

export interface Reason {
  readonly code: string;
  /** One sentence. */
  readonly text: string;
  readonly nextStep: string | null;
}

export interface Section<T = unknown> {
  readonly name: string;
  /** ok: fresh; stale: the last good value, older than two intervals or followed by failures; failed: never a good value; absent: no such thing on this node. */
  readonly state: SectionState;
  readonly data: T | null;
  /** Why it is not ok. */
  readonly reason: Reason | null;
  /** Wall clock of the last good value, milliseconds since the epoch. */
  readonly collectedAt: number | null;
  /** Of the last attempt, milliseconds. */
  readonly durationMs: number | null;
}

export interface Report {
  readonly bootId: string;
  readonly sections: Readonly<Record<string, Section>>;
}

/** `online` unless something says otherwise; what a control API shows for the node. */
export type NodeStatus = "online" | "degraded" | "draining" | "rebooting" | "maintenance" | "held";
