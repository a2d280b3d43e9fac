/** Gathers what goes into a diagnostics bundle from the running agent, and gives it to who asked: a file, or a control API too. */
import { join } from "node:path";
import type { AnyCollector } from "../../collectors/index.ts";
import type { LoadedConfig } from "../../config/config.ts";
import { effectiveValues } from "../../config/effective.ts";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import type { AgentEvent } from "../../model/event.ts";
import type { Logger } from "../../model/log.ts";
import type { Report } from "../../model/report.ts";
import type { AgentStatus } from "../../sockets/agent-view.ts";
import type { Store } from "../../store/types.ts";
import type { Clock } from "../../system/clock.ts";
import type { Configured } from "../configured.ts";
import type { IdentityKeeper } from "../identity/identity.ts";
import type { LogTail } from "../log.ts";
import { excludedFields } from "../reporting/excluded-fields.ts";
import { BUNDLE_COMMANDS, BUNDLE_EVENTS, type Bundle, makeBundle } from "./bundle.ts";
import type { BundleInput } from "./texts.ts";

export interface DiagnosticsOptions {
  readonly status: () => AgentStatus;
  readonly running: () => Configured;
  /** What is in effect, with where each value comes from. */
  readonly loaded: () => LoadedConfig;
  readonly store: Store;
  readonly identity: IdentityKeeper;
  readonly clock: Clock;
  readonly log: Logger;
  /** null: nobody keeps lines. */
  readonly logTail: LogTail | null;
}

export interface Diagnostics {
  /** @param id of the command that asks; @throws AgentError as `makeBundle` */
  make(id?: string): Promise<Bundle>;
  /**
   * A command's: make it, and give it to the control API it came from where that takes it. That it does not is
   * no failure: the bundle is there, and the result says why it is not there too.
   * @returns path, bytes, sha256, uploaded, upload_error
   */
  carryOut(
    commandId: string,
    source: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>>;
}

const EVENTS_A_READ = 1_000;

export function openDiagnostics(options: DiagnosticsOptions): Diagnostics {
  /** One at a time: each is megabytes for a moment, and they share a folder. */
  let last: Promise<unknown> = Promise.resolve();

  function make(id?: string): Promise<Bundle> {
    const next = last.then(() => {
      const folder = join(options.running().config.agent.stateDir, "diagnostics");
      return makeBundle(gather(options, id ?? null), folder, options.clock);
    });
    last = next.catch(() => undefined);
    return next;
  }

  return {
    make,
    async carryOut(commandId, source, signal) {
      const bundle = await make(commandId);
      const error = await upload(options, commandId, source, bundle, signal);
      return { ...bundle, uploaded: error === null, upload_error: error };
    },
  };
}

/** @returns null when it was taken, else why not */
async function upload(
  { running, log }: DiagnosticsOptions,
  commandId: string,
  source: string,
  { path, bytes }: Bundle,
  signal: AbortSignal,
): Promise<{ code: string; message: string } | null> {
  const api = running().loops.find((loop) => loop.api.name === source)?.api;
  if (api?.upload === undefined)
    return {
      code: "upload_unsupported",
      message: `"${source}" is nothing that a bundle could be uploaded to.`,
    };
  try {
    await api.upload(commandId, path, bytes, signal);
    return null;
  } catch (error) {
    // Cancelled, or the agent stops: for the command that is another thing than a server that says no.
    if (signal.aborted || !(error instanceof AgentError)) throw error;
    log.warn({ command: commandId, code: error.code }, `the bundle was not uploaded: ${error.message}`);
    return { code: errorCode(error), message: errorText(error) };
  }
}

function gather(options: DiagnosticsOptions, id: string | null): BundleInput {
  const { store, identity, running } = options;
  const { config, collectors, schedule, report } = running();
  const excluded = excludedFields(config.report.exclude);
  const hider = excluded.hider(collectors.map(({ name }) => schedule.section(name)));
  const who = identity.current();
  // A section that was never collected hides nothing, and the name is known without it.
  const name = hider.identity(who).hostname;
  const hide = <T>(value: T): T => {
    const hidden = hider.value(value);
    return name === who.hostname ? hidden : replaced(hidden, who.hostname, name);
  };
  return {
    id,
    status: options.status(),
    report: shownToOthers(report(), collectors),
    commands: store
      .commands(BUNDLE_COMMANDS)
      .map((command) => ({ command, history: store.commandHistory(command.id) })),
    events: lastEvents(store, BUNDLE_EVENTS),
    log: options.logTail?.lines() ?? [],
    config: effectiveValues(options.loaded(), collectors),
    os: who.os,
    hide,
  };
}

/** Whoever helps gets no more of a file that is closed to others than they. */
function shownToOthers(report: Report, collectors: readonly AnyCollector[]): Report {
  const sections = Object.entries(report.sections).map(([name, section]) => {
    const others = collectors.find((one) => one.name === name)?.others;
    const isAsItIs = others === undefined || section.data === null;
    return [name, isAsItIs ? section : { ...section, data: others(section.data) }] as const;
  });
  return { ...report, sections: Object.fromEntries(sections) };
}

/** The store reads forwards only. */
function lastEvents(store: Store, most: number): AgentEvent[] {
  let found: AgentEvent[] = [];
  for (let since = ""; ; ) {
    const read = store.eventsSince(since, EVENTS_A_READ);
    found = [...found, ...read].slice(-most);
    if (read.length < EVENTS_A_READ) return found;
    since = read.at(-1)?.id ?? "";
  }
}

function replaced<T>(value: T, what: string, by: string): T {
  if (typeof value === "string") return value.replaceAll(what, by) as T;
  if (Array.isArray(value)) return value.map((item) => replaced(item, what, by)) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, what, by)])) as T;
}
