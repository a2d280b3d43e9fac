/** The typed configuration, derived from the table of keys: a new key there is a new field here. */
import type { ListenAddress, SectionOf } from "../model/config-key.ts";
import type { COLLECTOR_KEYS, CONFIG_SECTIONS } from "./keys.ts";

type Sections = {
  readonly [Name in keyof typeof CONFIG_SECTIONS]: SectionOf<(typeof CONFIG_SECTIONS)[Name]["keys"]>;
};

/** `[collectors.NAME]`. */
export type CollectorConfig = SectionOf<typeof COLLECTOR_KEYS> & {
  /** The collector's own options, as they stand in the file (snake_case). */
  readonly options: Readonly<Record<string, unknown>>;
};

/**
 * Every value in effect, camelCase (`metrics.bearerFile`); null: not given, the field's own default holds.
 * Keys that end in `File` are references for `readSecretFile`: a path or `credential:NAME`.
 */
export type Config = Omit<Sections, "agent" | "metrics"> & {
  /** The main file, there or not, as an absolute path: what sentences tell people to edit. */
  readonly file: string;
  readonly agent: Sections["agent"] & { readonly stateDir: string; readonly runDir: string };
  readonly metrics: Omit<Sections["metrics"], "listen"> & { readonly listen: ListenAddress | null };
  /** The section of each control API by its name, as its own declaration types it. */
  readonly control: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** By name; only those that the configuration mentions (`collectorConfig` fills in the rest). */
  readonly collectors: Readonly<Record<string, CollectorConfig>>;
};
