import type { GenericSchema } from "valibot";
import type { ConditionDraft } from "../model/condition.ts";
import type { EventDraft } from "../model/event.ts";
import type { Tolerance } from "../model/facets.ts";
import { needText, type Unmet } from "../model/text/need.ts";
import type { Machine } from "../system/machine.ts";

/** "No such hardware" is a value, not an error: the section says `absent` with this sentence. */
export interface NoData {
  readonly noData: string;
  readonly nextStep: string | null;
  /** Of the section's reason; `no_data` without it. */
  readonly code?: string;
  /** There may be some soon: nobody may conclude that what was wrong is over. */
  readonly pending?: boolean;
}

export function noData(sentence: string, nextStep: string | null = null): NoData {
  return { noData: sentence, nextStep };
}

/** For what only root may read, where nobody may. */
export function nobodyIsRoot({ need, nextStep }: Unmet): NoData {
  return { noData: needText(need), nextStep, code: need };
}

export function isNoData(value: unknown): value is NoData {
  return value !== null && typeof value === "object" && "noData" in value;
}

/** A small JSON value kept over restarts (drives seen before, the network's usual members, …). */
export interface Memory {
  get(): unknown;
  /** Kept lazily: written with the next due flush, at the latest at stop. */
  set(value: unknown): void;
}

export interface CollectContext {
  readonly machine: Machine;
  readonly memory: Memory;
  /** Fires at the time-out and at stop; give it to everything that takes a signal. */
  readonly signal: AbortSignal;
  /** This collector's own table of the configuration (`[collectors.NAME]`), {} when there is none. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** One Prometheus family. Names of node_exporter / smartctl_exporter where the meaning is the same, else `foundry_agent_…`. */
export interface Metric<T> {
  readonly name: string;
  readonly help: string;
  /** untyped: as node_exporter has some. */
  readonly type: "gauge" | "counter" | "untyped";
  samples(data: T): Iterable<Sample>;
}

/** What `collect NAME` draws, one row an item; `report NAME` prints the data itself. Cells are finished text; null prints as "-". */
export interface TableView<T> {
  readonly columns: readonly string[];
  rows(data: T, now: number): (string | null)[][];
}

/**
 * One thing collected, declared whole in one file: how often, what shape, what of it is news, and how it
 * is shown. OpenAPI, /metrics, what the CLI shows and docs/collectors.md are derived from this.
 *
 * Made by a factory (`cpuCollector()`), so that what it remembers between two runs (the last counters) is
 * its own; construction does nothing.
 */
export interface Collector<T = unknown> {
  /** Section name: one lower-case word. */
  readonly name: string;
  /** One sentence for docs and `--help`. */
  readonly summary: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /**
   * Shape of `data`, snake_case, with `v.description` where a field's unit or meaning is not plain from its name. A
   * getter where it is a file of its own, `schema.ts`: the bundle loads that when it is read, which a daemon seldom does.
   */
  readonly schema: GenericSchema<unknown, T>;
  /**
   * Fields that change all the time, and how far they may drift from what was delivered before that counts: with `{}`
   * each change does, with NEVER_NEWS (src/model/facets.ts) none.
   */
  readonly volatile: Readonly<Record<string, Tolerance>>;
  /** Fields that identify the hardware (serial numbers, uuids, WWNs): null on the world-readable status socket. */
  readonly sensitive: readonly string[];
  /**
   * The data as those may see them who could not read everything where they come from: on the world-readable status
   * socket, in metrics and in a diagnostics bundle. Without it: all but `sensitive`. Pure.
   */
  others?(data: T): T;
  readonly metrics: readonly Metric<T>[];
  readonly table?: TableView<T>;
  /** A few words for a first look (`npm start`), whatever the data. Pure. */
  glance(data: T): string;
  /** What is wrong right now; a condition no longer returned is cleared. Pure. */
  conditions?(data: T): ConditionDraft[];
  /** What happened between two collections; `before` is the previous good value or null after a start. Pure. */
  changes?(before: T | null, after: T): EventDraft[];
  collect(context: CollectContext): Promise<T | NoData> | T | NoData;
}
