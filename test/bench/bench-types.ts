/** What a part of the bench is given and what it gives: lines of the one table. */

export interface Row {
  readonly what: string;
  readonly ours: string;
  /** node_exporter's figure, or "" where it has none. */
  readonly peer: string;
  readonly target: string;
}

export interface Bench {
  /** Short durations; such figures are labelled. */
  readonly quick: boolean;
  /** Program and arguments that run the agent as it ships; sub-command and options follow. */
  readonly agent: readonly string[];
  /** Path of prometheus-node-exporter, or null. */
  readonly exporter: string | null;
  /** Processes that are to end with the bench, however it ends. */
  readonly started: Set<number>;
  /** Progress, to stderr. */
  say(text: string): void;
}

export interface Part {
  readonly name: string;
  run(bench: Bench): Promise<Row[]>;
}

export const megabytes = (kb: number): string => `${(kb / 1024).toFixed(1)} MB`;
export const milliseconds = (ms: number): string => `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
export const kilobytes = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
