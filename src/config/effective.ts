/** Every key with the value in effect and where it comes from, for `config show`. */

import { intervalNote } from "../control/metered.ts";
import { camel } from "../model/config-key.ts";
import type { KnownCollector } from "./check.ts";
import type { LoadedConfig, Origin } from "./config.ts";
import { SECTIONS } from "./keys.ts";

export interface EffectiveValue {
  /** `metrics.listen`. */
  readonly key: string;
  /** null: without a value; `note` says what holds then, as it does where something else holds. */
  readonly value: unknown;
  /** null: the default. */
  readonly origin: Origin | null;
  readonly note: string | null;
}

/** In the order of the example file; of collectors whether they run, and what is given for them. */
export function effectiveValues(
  loaded: LoadedConfig,
  collectors: readonly KnownCollector[],
): EffectiveValue[] {
  const { config, origins, given } = loaded;
  // Where the value in effect is not just "the file's, else the default".
  const computed: Readonly<Record<string, unknown>> = {
    "agent.state_dir": config.agent.stateDir,
    "agent.run_dir": config.agent.runDir,
  };
  const paceOf = (value: unknown): string | null =>
    intervalNote(config.network.profile, typeof value === "number" ? value : null);
  const found: EffectiveValue[] = [];
  for (const [section, { keys }] of Object.entries(SECTIONS)) {
    for (const [name, { fallback, absent }] of Object.entries(keys)) {
      const key = `${section}.${name}`;
      const origin = origins.get(key) ?? null;
      if (key === "metrics.listen" && config.metrics.listen === null && origin !== null)
        found.push({ key, value: null, origin, note: "left off because of a problem" });
      else {
        const value = computed[key] ?? config.control[section]?.[camel(name)] ?? given.get(key) ?? fallback;
        const pace = name === "interval_s" && config.control[section] !== undefined ? paceOf(value) : null;
        found.push({ key, value, origin, note: pace ?? (value === null ? (absent ?? "none") : null) });
      }
    }
  }
  const names = new Set([...collectors.map(({ name }) => name), ...Object.keys(config.collectors)]);
  for (const name of [...names].sort()) {
    const enabled = `collectors.${name}.enabled`;
    if (!given.has(enabled)) found.push({ key: enabled, value: true, origin: null, note: null });
    for (const [key, value] of given)
      if (key.startsWith(`collectors.${name}.`))
        found.push({ key, value, origin: origins.get(key) ?? null, note: null });
  }
  return found;
}
