/** The typed configuration, derived from the table of keys: a new key there is a new field here. */
import type { COLLECTOR_KEYS, CONFIG_SECTIONS } from "./keys.ts";
import type { KeyDeclaration, ListenAddress } from "./kinds.ts";

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type ValueOf<Declared> =
  Declared extends KeyDeclaration<infer T> ? (Declared extends { fallback: null } ? T | null : T) : never;

type SectionOf<Keys> = { readonly [Name in keyof Keys & string as Camel<Name>]: ValueOf<Keys[Name]> };

type Sections = {
  readonly [Name in keyof typeof CONFIG_SECTIONS]: SectionOf<(typeof CONFIG_SECTIONS)[Name]["keys"]>;
};

/** `[collectors.NAME]`. */
export type CollectorConfig = SectionOf<typeof COLLECTOR_KEYS> & {
  /** The collector's own options, as they stand in the file (snake_case). */
  readonly options: Readonly<Record<string, unknown>>;
};

/**
 * Every value in effect, camelCase (`nodefoundry.caFile`); null: not given, the field's own default holds.
 * Keys that end in `File` are references for `readSecretFile`: a path or `credential:NAME`.
 */
export type Config = Omit<Sections, "agent" | "metrics" | "nodefoundry"> & {
  /** The main file, there or not, as an absolute path: what sentences tell people to edit. */
  readonly file: string;
  readonly agent: Sections["agent"] & { readonly stateDir: string; readonly runDir: string };
  readonly metrics: Omit<Sections["metrics"], "listen"> & { readonly listen: ListenAddress | null };
  readonly nodefoundry: Sections["nodefoundry"] & { readonly enabled: boolean };
  /** By name; only those that the configuration mentions (`collectorConfig` fills in the rest). */
  readonly collectors: Readonly<Record<string, CollectorConfig>>;
};
