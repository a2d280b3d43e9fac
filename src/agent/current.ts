/**
 * What is in effect of the configuration, and how the next takes its place: one reload at a time, and a bad file
 * changes nothing but the condition that says so.
 */

import { closedValues } from "../config/closed.ts";
import { type LoadedConfig, problemText } from "../config/config.ts";
import type { Logger } from "../model/log.ts";
import type { Notify } from "../system/notify.ts";
import { configConditions } from "./conditions/config.ts";
import type { Health } from "./conditions/health.ts";
import type { Configured } from "./configured.ts";

/** @param before what ran until now; null: this is the first */
export type Build = (loaded: LoadedConfig, before: Configured | null) => Configured;

export interface Reloaded {
  readonly ok: boolean;
  readonly problems: string[];
}

export interface Current {
  /** What runs. */
  running(): Configured;
  /** What was built last: `running`, or what a reload is about to put in its place. */
  newest(): Configured;
  /** The configuration of `running`, with where each value comes from. */
  loaded(): LoadedConfig;
  /** What of it, and of one that was refused since, not everybody may read. */
  confidential(): readonly string[];
  /** When the start or the reload under way is over: what is asked meanwhile must not reach what is being replaced. */
  settled(): Promise<unknown>;
  /** The start is over: what is under way, if anything, is a reload. */
  started(): boolean;
  /** Build the first; nobody may ask what runs before. @param reloaded called after each reload that changed something */
  begin(build: Build, reloaded: () => void): void;
  /** Resolves when everything was collected once, or the signal fired. */
  start(signal: AbortSignal | undefined): Promise<void>;
  reload(): Promise<Reloaded>;
  /** No reload begins any more. */
  freeze(): void;
  /** Everything that was built has ended. */
  stop(): Promise<void>;
}

export interface CurrentOptions {
  readonly loaded: LoadedConfig;
  readonly load: () => LoadedConfig;
  readonly health: Health;
  readonly log: Logger;
  readonly notify: Notify;
}

export function openCurrent({ loaded: first, load, health, log, notify }: CurrentOptions): Current {
  const refused: Reloaded = { ok: false, problems: ["the agent is stopping"] };
  let life: { build: Build; reloaded: () => void; running: Configured; newest: Configured } | null = null;
  let loaded = first;
  let lastRead = first;
  let settled: Promise<unknown> = Promise.resolve();
  let started = false;
  let frozen = false;

  function begun(): NonNullable<typeof life> {
    if (life === null) throw new Error("nothing is built yet");
    return life;
  }

  async function readAgain(): Promise<Reloaded> {
    if (frozen) return refused;
    const next = load();
    lastRead = next;
    health.set("config", configConditions(next, first.config));
    const problems = next.problems.map(problemText);
    if (problems.length > 0) return { ok: false, problems };
    notify.reloading();
    const now = begun();
    await now.running.stop();
    if (frozen) return refused;
    log.level = next.config.agent.logLevel;
    now.newest = now.build(next, now.running);
    await now.newest.start();
    // Only now: until it has collected everything, what the one before knows is the better answer.
    now.running = now.newest;
    loaded = next;
    now.reloaded();
    notify.ready();
    log.info({ files: next.files }, "configuration read again");
    return { ok: true, problems: [] };
  }

  return {
    running: () => begun().running,
    newest: () => begun().newest,
    loaded: () => loaded,
    confidential: () => [...new Set([loaded, lastRead])].flatMap(closedValues),
    settled: () => settled,
    started: () => started,
    begin(build, reloaded) {
      const built = build(first, null);
      life = { build, reloaded, running: built, newest: built };
      health.set("config", configConditions(first, first.config));
    },
    async start(signal) {
      const { running, newest } = begun();
      const end = (): void => void newest.stop();
      settled = running.start();
      if (signal?.aborted) end();
      else signal?.addEventListener("abort", end, { once: true });
      await settled;
      started = true;
    },
    /** A changed file and the SIGHUP of whoever changed it come together. */
    reload() {
      const next = settled.then(readAgain);
      settled = next.catch(() => undefined);
      return next;
    },
    freeze() {
      frozen = true;
    },
    async stop() {
      // A reload under way may wait for a collector that hangs: it ends with what it was making.
      await begun().newest.stop();
      await settled;
      await begun().running.stop();
    },
  };
}
