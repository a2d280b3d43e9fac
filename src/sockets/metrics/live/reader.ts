/**
 * A reader: what is read at each scrape, so that rate() over a minute is true. Only files that the kernel answers from
 * its memory; behind no read may a device, a drive or a daemon have to answer. Those belong into a collector.
 */
import type { Metric } from "../../../collectors/collector.ts";
import type { Files } from "../../../system/files.ts";

/** The machine as it is during one scrape. */
export interface Look {
  readonly files: Files;
  /** The whole text of a file (at most 4 MiB), "" where it can't be read; read once a scrape, whoever asks. */
  text(path: string): string;
  /** The first of a list that grows with the machine; what is cut is counted in `foundry_agent_scrape_left_out`. */
  first<Item>(items: readonly Item[]): readonly Item[];
}

/** One file or folder and the families made of it. What it remembers between two scrapes is its own. */
export interface Reader<Data = unknown> {
  /** For `foundry_agent_metrics_failed` and `foundry_agent_scrape_left_out`. */
  readonly name: string;
  /** The section it belongs to: nothing is read where that is switched off. */
  readonly section: string;
  /** Synchronous. null: this machine has no such thing. */
  read(look: Look): Data | null;
  readonly metrics: readonly Metric<Data>[];
}

// biome-ignore lint/suspicious/noExplicitAny: each reader is exact in its own file; the table holds them all.
export type AnyReader = Reader<any>;

/** How many CPUs, disks, interfaces, … one reader shows: above, a scrape would be too much for who asks, too. */
export const MOST_ITEMS = 1024;
