/**
 * What each control API is known to have, and what is therefore still to be said.
 *
 * State: a section goes out when its hash is not the one the API confirmed. Volatile values ride along
 * when they left their tolerance against the last *delivered* value, so that slow drift gets through.
 * Both baselines move only when an answer confirms them.
 */
import { createHash } from "node:crypto";
import type { AnyCollector } from "../../collectors/index.ts";
import {
  compileFacets,
  type Facets,
  leftTolerance,
  type Scalar,
  stableText,
  toleranceAt,
  volatileOf,
} from "../../model/facets.ts";
import type { Section } from "../../model/report.ts";

export interface SectionState {
  readonly section: Section;
  /** SHA-256 (hex) of state, reason code and stable data; times and volatile values are not under it. */
  readonly hash: string;
  /** Flat path → value. */
  readonly volatile: ReadonlyMap<string, Scalar>;
}

export interface Ledger {
  /** Take a new section in. Returns true when its stable part changed. */
  update(section: Section, collector: AnyCollector): boolean;
  states(): ReadonlyMap<string, SectionState>;
  hashes(): Record<string, string>;
  /** Volatile values of sections that `api` has, outside their tolerance against what it got last. */
  drifted(api: string, skip: ReadonlySet<string>): Record<string, Record<string, Scalar>>;
  /** `api` answered: it has these states in full and these volatile values now. `full` is a snapshot taken when the request was made, since a newer value may have come in meanwhile. */
  delivered(
    api: string,
    full: readonly SectionState[],
    volatile: Readonly<Record<string, Readonly<Record<string, Scalar>>>>,
  ): void;
  /** `api` lost everything (registered anew, resync): volatile baselines start over. */
  forget(api: string): void;
}

interface Compiled {
  readonly volatile: Facets;
  lastText: string;
  hash: () => string;
  state: SectionState | null;
}

/** Only a round with a control API needs it, and until the first one a start does without loading node:crypto. */
function hashOnDemand(text: string): () => string {
  let made: string | null = null;
  return () => {
    made ??= createHash("sha256").update(text).digest("hex");
    return made;
  };
}

/** @param widen factor on every tolerance: 1, or more for metered networks. */
export function openLedger(widen: () => number): Ledger {
  const sections = new Map<string, Compiled>();
  const delivered = new Map<string, Map<string, Map<string, Scalar>>>();

  function baseline(api: string, section: string): Map<string, Scalar> {
    const ofApi = delivered.get(api) ?? new Map<string, Map<string, Scalar>>();
    delivered.set(api, ofApi);
    const found = ofApi.get(section) ?? new Map<string, Scalar>();
    ofApi.set(section, found);
    return found;
  }

  return {
    update(section, collector) {
      let compiled = sections.get(section.name);
      if (!compiled) {
        compiled = {
          volatile: compileFacets(collector.volatile),
          lastText: "",
          hash: hashOnDemand(""),
          state: null,
        };
        sections.set(section.name, compiled);
      }
      const data = section.data === null ? "null" : stableText(section.data, compiled.volatile);
      const text = `${section.state}\n${section.reason?.code ?? ""}\n${data}`;
      const changed = text !== compiled.lastText || compiled.state === null;
      if (changed) compiled.hash = hashOnDemand(text);
      compiled.lastText = text;
      const { hash } = compiled;
      compiled.state = {
        section,
        get hash() {
          return hash();
        },
        volatile: section.data === null ? new Map() : volatileOf(section.data, compiled.volatile),
      };
      return changed;
    },
    states() {
      const found = new Map<string, SectionState>();
      for (const [name, compiled] of sections) if (compiled.state) found.set(name, compiled.state);
      return found;
    },
    hashes() {
      const found: Record<string, string> = {};
      for (const [name, compiled] of sections) if (compiled.state) found[name] = compiled.state.hash;
      return found;
    },
    drifted(api, skip) {
      const found: Record<string, Record<string, Scalar>> = {};
      const factor = widen();
      for (const [name, compiled] of sections) {
        if (!compiled.state || skip.has(name)) continue;
        const last = baseline(api, name);
        const drift: Record<string, Scalar> = {};
        let any = false;
        for (const [path, value] of compiled.state.volatile) {
          const { abs, rel } = toleranceAt(path, compiled.volatile);
          const wide = {
            ...(abs === undefined ? {} : { abs: abs * factor }),
            ...(rel === undefined ? {} : { rel: rel * factor }),
          };
          if (!leftTolerance(value, last.get(path), wide)) continue;
          drift[path] = value;
          any = true;
        }
        if (any) found[name] = drift;
      }
      return found;
    },
    delivered(api, full, volatile) {
      for (const state of full) {
        const last = baseline(api, state.section.name);
        last.clear();
        for (const [path, value] of state.volatile) last.set(path, value);
      }
      for (const [name, values] of Object.entries(volatile)) {
        for (const [path, value] of Object.entries(values)) baseline(api, name).set(path, value);
      }
    },
    forget(api) {
      delivered.delete(api);
    },
  };
}
