/**
 * The configuration in effect: config.toml, then conf.d/*.toml in the order of their names, later ones
 * winning key by key, over the defaults. All problems are found at once, and what is wrong is left at its
 * default, so that a Config is always whole; whether to run with problems is for the caller to decide.
 */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { CONTROL_APIS } from "../control/index.ts";
import { camel, type KeyDeclaration, parseListen } from "../model/config-key.ts";
import { errorCode } from "../model/errors.ts";
import { labelled } from "../model/text/next-step.ts";
import { shownKey } from "../model/text/scrub.ts";
import { ended } from "../model/text/sentence.ts";
import { systemWords } from "../model/text/system-words.ts";
import { checkTable, type KnownCollector, type Setting } from "./check.ts";
import { crossProblems } from "./cross-checks.ts";
import { type Problem, readConfigFile } from "./file.ts";
import { COLLECTOR_KEYS, CONFIG_SECTIONS } from "./keys.ts";
import type { CollectorConfig, Config } from "./types.ts";

export type { KnownCollector } from "./check.ts";
export type { Problem } from "./file.ts";
export type { CollectorConfig, Config } from "./types.ts";

export const SYSTEM_FOLDER = "/etc/foundry-agent";
const MAX_PARTS = 100;

export interface ConfigOptions {
  /** A file that must be there; its conf.d is beside it. Without it: the system's for root, else the user's. */
  readonly file?: string;
  readonly uid: number;
  readonly env: NodeJS.ProcessEnv;
  /** The collectors there are, to find misspelt tables and options; without it any name is taken. */
  readonly collectors?: readonly KnownCollector[];
  /** In place of /etc/foundry-agent, for tests. */
  readonly systemFolder?: string;
}

export interface Origin {
  readonly file: string;
  readonly line: number;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where each given key stands, by `section.key`; a key that is not here holds its default. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly problems: readonly Problem[];
  /** Files that were there, in the order they were read. */
  readonly files: readonly string[];
  /** The main file, there or not, and the folder of parts: what `watchConfig` watches. */
  readonly watch: readonly string[];
  /** Accepted values by `section.key`, as they stand in the files. */
  readonly given: ReadonlyMap<string, unknown>;
}

/** Read everything. Never throws: what can't be read is a problem. */
export function loadConfig(options: ConfigOptions): LoadedConfig {
  const main = options.file ?? defaultConfigFile(options);
  const parts = join(dirname(main), "conf.d");
  const known = options.collectors ?? null;
  const problems: Problem[] = [];
  const settings = new Map<string, Setting>();
  const origins = new Map<string, Origin>();
  const files: string[] = [];

  for (const file of [main, ...partFiles(parts, problems)]) {
    const source = readConfigFile(file);
    if (source === null) {
      if (file === options.file) problems.push(missing(file));
      continue;
    }
    files.push(file);
    const checked = checkTable(source, known);
    problems.push(...source.problems, ...checked.problems);
    for (const [key, setting] of checked.settings) {
      settings.set(key, setting);
      origins.set(key, { file, line: source.positions.get(key)?.line ?? 1 });
    }
  }

  const config = assemble(settings, main, folders(options, main));
  for (const { key, message, nextStep } of crossProblems(config, known?.map(({ name }) => name) ?? null)) {
    const origin = origins.get(key);
    const { file, line } = origin ?? { file: main, line: null };
    problems.push({ file, line, column: null, key, message, nextStep });
  }
  const order = (problem: Problem): number => files.indexOf(problem.file) * 1e6 + (problem.line ?? 0);
  problems.sort((a, b) => order(a) - order(b));
  // What was found wrong must not take effect: an open port is closed rather than left open.
  const safe = problems.some(({ key }) => key?.startsWith("metrics."))
    ? { ...config, metrics: { ...config.metrics, listen: null } }
    : config;
  const given = new Map([...settings].map(([key, setting]) => [key, setting.value]));
  return { config: safe, origins, problems, files, watch: [main, parts], given };
}

/** A collector's part of the configuration, defaults where it is not mentioned. */
export function collectorConfig(config: Config, name: string): CollectorConfig {
  const none: CollectorConfig = { enabled: true, intervalS: null, timeoutS: null, options: {} };
  return Object.hasOwn(config.collectors, name) ? (config.collectors[name] ?? none) : none;
}

/** `file.toml:12: metrics.listen: expected …. Next: …` on one line. */
export function problemText(problem: Problem): string {
  return `${problemSentence(problem)} ${labelled(problem.nextStep)}`;
}

/** `file.toml:12: metrics.listen: expected ….` */
export function problemSentence(problem: Omit<Problem, "nextStep">): string {
  const line = problem.line === null ? "" : `:${problem.line}`;
  const column = problem.line === null || problem.column === null ? "" : `:${problem.column}`;
  const key = problem.key === null ? "" : ` ${problem.key}:`;
  return `${shownKey(problem.file)}${line}${column}:${key} ${ended(problem.message)}`;
}

/** The system's file for root, `$XDG_CONFIG_HOME/foundry-agent/config.toml` for everybody else. */
export function defaultConfigFile(options: Pick<ConfigOptions, "uid" | "env" | "systemFolder">): string {
  if (options.uid === 0) return join(options.systemFolder ?? SYSTEM_FOLDER, "config.toml");
  return join(userFolder(options.env, "XDG_CONFIG_HOME", ".config"), "config.toml");
}

/** Sorted by name; hidden ones and other endings are editors' and packagers' leftovers. */
function partFiles(folder: string, problems: Problem[]): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "ENOENT") {
      const message = `the folder can't be read: ${systemWords(error)}`;
      problems.push({
        file: folder,
        line: null,
        column: null,
        key: null,
        message,
        nextStep: `ls -ld ${folder}`,
      });
    }
    return [];
  }
  const parts = names.filter((name) => name.endsWith(".toml") && !name.startsWith(".")).sort();
  if (parts.length > MAX_PARTS) {
    const message = `${parts.length} files, expected at most ${MAX_PARTS}; the others are not read`;
    const nextStep = "put them together into fewer files";
    problems.push({ file: folder, line: null, column: null, key: null, message, nextStep });
  }
  return parts.slice(0, MAX_PARTS).map((name) => join(folder, name));
}

function missing(file: string): Problem {
  const nextStep = "name a file that is there, or leave it out";
  return { file, line: null, column: null, key: null, message: "there is no such file", nextStep };
}

interface Folders {
  readonly state: string;
  readonly run: string;
}

/** The system's folders for root and for whoever runs on the system's file (the service's own user). */
function folders(options: ConfigOptions, main: string): Folders {
  const { uid, env } = options;
  if (uid === 0 || dirname(main) === (options.systemFolder ?? SYSTEM_FOLDER))
    return { state: "/var/lib/foundry-agent", run: "/run/foundry-agent" };
  const state = userFolder(env, "XDG_STATE_HOME", join(".local", "state"));
  const { XDG_RUNTIME_DIR: runtime } = env;
  return { state, run: runtime?.startsWith("/") ? join(runtime, "foundry-agent") : state };
}

/** XDG base directories: a relative value is to be ignored. */
function userFolder(env: NodeJS.ProcessEnv, variable: string, below: string): string {
  const value = env[variable];
  const { HOME: home } = env;
  return join(value?.startsWith("/") ? value : join(home || homedir(), below), "foundry-agent");
}

function assemble(settings: ReadonlyMap<string, Setting>, main: string, { state, run }: Folders): Config {
  const given = (section: string) => (key: string) => settings.get(`${section}.${key}`)?.value;
  const sections: Record<string, Record<string, unknown>> = {};
  for (const [name, { keys }] of Object.entries(CONFIG_SECTIONS))
    sections[name] = withDefaults(keys, given(name));
  const control = CONTROL_APIS.map(({ name, config }) => {
    const values = withDefaults(config.keys, given(name));
    const mentioned = [...settings.keys()].some((key) => key.startsWith(`${name}.`));
    return [name, { ...values, enabled: values.enabled ?? mentioned }];
  });
  const { agent, metrics } = sections as unknown as Pick<Config, "agent"> & {
    metrics: { listen: string | null };
  };
  return {
    ...(sections as unknown as Config),
    file: resolve(main),
    agent: { ...agent, stateDir: agent.stateDir ?? state, runDir: agent.runDir ?? run },
    metrics: {
      ...(metrics as unknown as Config["metrics"]),
      listen: metrics.listen === null ? null : parseListen(metrics.listen),
    },
    control: Object.fromEntries(control),
    collectors: assembleCollectors(settings),
  };
}

function withDefaults(
  keys: Readonly<Record<string, KeyDeclaration>>,
  given: (key: string) => unknown,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, { fallback }] of Object.entries(keys)) values[camel(key)] = given(key) ?? fallback;
  return values;
}

function assembleCollectors(settings: ReadonlyMap<string, Setting>): Record<string, CollectorConfig> {
  const tables = new Map<string, Record<string, unknown>>();
  for (const { path, value } of settings.values()) {
    const [section, name] = path;
    if (section !== "collectors" || name === undefined) continue;
    const table = tables.get(name) ?? {};
    tables.set(name, table);
    put(table, path.slice(2), value);
  }
  // From entries: a collector may be called anything, also what objects inherit.
  return Object.fromEntries(
    [...tables].map(([name, table]) => {
      const own = Object.entries(table).filter(([key]) => !Object.hasOwn(COLLECTOR_KEYS, key));
      const values = withDefaults(COLLECTOR_KEYS, (key) => table[key]) as unknown as CollectorConfig;
      return [name, { ...values, options: Object.fromEntries(own) }];
    }),
  );
}

/** Later files win: a value replaces a table of the same name and the other way round. */
function put(table: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = table;
  for (const part of path.slice(0, -1)) {
    const next = Object.hasOwn(at, part) ? at[part] : undefined;
    const inner = next !== null && typeof next === "object" && !Array.isArray(next) ? next : {};
    at[part] = inner;
    at = inner as Record<string, unknown>;
  }
  at[path.at(-1) ?? ""] = value;
}
