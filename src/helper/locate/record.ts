/**
 * Lights that are on and when they go off again. Somebody pulls a drive by such a light, so one that is forgotten
 * is dangerous: each is written down and fsynced before it is switched on, the helper stays until it is off, and
 * a helper that was killed meanwhile picks the file up at its next start. After a reboot all are switched off at
 * once: how long they had been on is not known any more.
 */
import { renameSync, rmSync } from "node:fs";
import * as v from "valibot";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import type { RunProgram } from "../../system/program.ts";
import { bootTime } from "../policy/boot-time.ts";
import { writeDurable } from "../policy/durable-file.ts";
import { readTrusted } from "../policy/trusted-file.ts";
import { type Led, type LedTools, ledSchema, switchLed } from "./led.ts";

const MAX_BYTES = 256 * 1024;
const RETRY_MS = 60_000;
/** A light that can't be switched off that often is gone with its drive or enclosure. */
const MAX_TRIES = 10;
const MAX_TIMER_MS = 86_400_000;

/** Something that keeps the helper alive beyond its calls. */
export interface Keeper {
  /** Take up what an earlier process left. */
  begin(): void;
  busy(): boolean;
  /** No more timers; what is recorded stays recorded. */
  close(): void;
}

export interface LocateRecord extends Keeper {
  /** Switch on for `forMs`, or off. @throws AgentError of `switchLed`, `record_unusable` */
  set(led: Led, forMs: number | null, run: RunProgram, signal: AbortSignal): Promise<void>;
  /**
   * Switch off all that are on, for good, or as many as can be until `signal` fires.
   * @returns how many could not be; each that was tried was told
   */
  releaseAll(signal: AbortSignal): Promise<number>;
}

const fileSchema = v.strictObject({
  v: v.literal(1),
  lights: v.array(
    v.strictObject({ led: ledSchema, boot_id: v.string(), until_uptime_ms: v.pipe(v.number(), v.finite()) }),
  ),
});

type Light = v.InferOutput<typeof fileSchema>["lights"][number];

/** @param tell one sentence about what nobody asked for: a light switched off, or that can't be */
export function openLocateRecord(
  options: LedTools & { path: string; owner: number; tell: (sentence: string) => void },
): LocateRecord {
  const { path, owner, tell, files } = options;
  const timers = new Map<string, NodeJS.Timeout>();
  const switching = new Set<string>();
  let lights: Light[] | null = null;
  let closed = false;
  const keyOf = (led: Led): string => JSON.stringify(led);

  /** Read once: from then on this process is the only one that writes it. */
  function all(): Light[] {
    if (lights === null) lights = load();
    return lights;
  }

  function load(): Light[] {
    const text = readTrusted(path, owner, MAX_BYTES);
    if (text === null) return [];
    try {
      return v.parse(fileSchema, JSON.parse(text)).lights;
    } catch (error) {
      renameSync(path, `${path}.damaged`);
      tell(`${path} was damaged and is set aside, so a light may be left on: ${errorText(error)}`);
      return [];
    }
  }

  const textOf = (next: Light[]): string => JSON.stringify({ v: 1, lights: next });

  function save(next: Light[]): void {
    if (next.length > 0) writeDurable(path, textOf(next));
    else rmSync(path, { force: true });
    lights = next;
  }

  const without = (key: string): Light[] => all().filter(({ led }) => keyOf(led) !== key);

  function arm(light: Light, inMs: number, tries: number): void {
    const key = keyOf(light.led);
    clearTimeout(timers.get(key));
    if (closed) return;
    timers.set(
      key,
      setTimeout(() => void expire(light, tries), Math.min(Math.max(0, inMs), MAX_TIMER_MS)),
    );
  }

  async function expire(light: Light, tries: number): Promise<void> {
    const key = keyOf(light.led);
    timers.delete(key);
    switching.add(key);
    try {
      await switchLed(light.led, false, options);
      // Asked for again meanwhile: that one has its own timer.
      if (!timers.has(key)) save(without(key));
    } catch (error) {
      if (timers.has(key) || closed) return;
      if (tries < MAX_TRIES && errorCode(error) !== "locate_hangs") arm(light, RETRY_MS, tries + 1);
      else {
        tell(`a light can't be switched off and is given up (try ${tries}, ${errorCode(error)}): ${key}`);
        giveUp(key);
      }
    } finally {
      switching.delete(key);
    }
  }

  /** Nobody waits for this: what goes wrong with the file must not end the whole process. */
  function giveUp(key: string): void {
    try {
      save(without(key));
    } catch (error) {
      lights = without(key);
      tell(`the next start tries that light again (${errorText(error)})`);
    }
  }

  return {
    begin() {
      const pending = all();
      if (pending.length === 0) return;
      const now = bootTime(files);
      for (const light of pending)
        arm(light, light.boot_id === now.bootId ? light.until_uptime_ms - now.uptimeMs : 0, 1);
    },
    async set(led, forMs, run, signal) {
      const key = keyOf(led);
      if (forMs === null) {
        await switchLed(led, false, { files, run }, signal);
        clearTimeout(timers.get(key));
        timers.delete(key);
        save(without(key));
        return;
      }
      const now = bootTime(files);
      const light = { led, boot_id: now.bootId, until_uptime_ms: now.uptimeMs + forMs };
      const next = [...without(key), light];
      // Longer than is read again it would be no record: the lights that are in it come first.
      if (Buffer.byteLength(textOf(next)) > MAX_BYTES)
        throw new AgentError(
          "helper_refused",
          `${all().length} lights are on, and no more are kept in mind`,
          "end one that is not needed any more: foundry-agent drives locate --off with its device",
        );
      save(next);
      arm(light, forMs, 1);
      try {
        await switchLed(led, true, { files, run }, signal);
      } catch (error) {
        // Whether it is on is not known; where there is nothing to switch, it is.
        if (errorCode(error) !== "locate_unsupported") arm(light, 0, 1);
        else {
          clearTimeout(timers.get(key));
          timers.delete(key);
          save(without(key));
        }
        throw error;
      }
    },
    async releaseAll(signal) {
      for (const { led } of [...all()]) {
        if (signal.aborted) break;
        try {
          await switchLed(led, false, options, signal);
          save(without(keyOf(led)));
        } catch (error) {
          tell(`a light can't be switched off (${errorCode(error)}): ${keyOf(led)}`);
        }
      }
      return all().length;
    },
    busy: () => timers.size > 0 || switching.size > 0,
    close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
