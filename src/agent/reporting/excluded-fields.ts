/**
 * `report.exclude`: what never leaves this host. Sections lose the fields. The sentences of conditions and the
 * data of events are made from whole sections, so there the values of those fields are looked for and hidden.
 */
import type { ConditionDraft } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import { compileFacets, omit, volatileOf } from "../../model/facets.ts";
import type { Identity } from "../../model/identity.ts";
import type { Section } from "../../model/report.ts";

export interface Excluded {
  /** The section without the excluded fields; absent when nothing of it may be told. */
  from(section: Section): Section;
  /** Takes the excluded values of these sections out of what was made from them. */
  hider(sections: readonly (Section | undefined)[]): Hider;
}

export interface Hider {
  /** Serial number and MACs are extras of a registration, so they are left out; it must have a name, so the host's is replaced by one made of the machine id, which is told anyway. */
  identity(who: Identity): Identity;
  conditions(made: readonly ConditionDraft[]): readonly ConditionDraft[];
  events(made: readonly EventDraft[]): readonly EventDraft[];
  /** In every text of any value (a log line, a document). */
  value<T>(made: T): T;
}

const NOTHING: Hider = {
  identity: (who) => who,
  conditions: (made) => made,
  events: (made) => made,
  value: (made) => made,
};

const MARK = "[excluded]";
/** Shorter texts (`up`, `0`) are in every sentence and tell nobody anything. */
const SHORTEST = 3;

/** @param patterns begin with the section's name; a bare name empties the section */
export function excludedFields(patterns: readonly string[]): Excluded {
  if (patterns.length === 0) return { from: (section) => section, hider: () => NOTHING };
  const facets = compileFacets(patterns);

  const probe = omit({ system: { hostname: "" } }, facets) as { system?: { hostname?: string } };
  /** By its pattern: a registration does not wait for the section. */
  const nameExcluded = probe.system?.hostname === undefined;
  const standIn = (who: Identity): string => `node-${who.machineId.slice(0, 12)}`;

  function valuesIn(section: Section | undefined, found: Set<string>): void {
    if (section === undefined || section.data === null) return;
    for (const value of volatileOf({ [section.name]: section.data }, facets).values())
      if (typeof value === "string" && value.length >= SHORTEST) found.add(value);
  }

  return {
    from(section) {
      if (section.data === null) return section;
      const kept = omit({ [section.name]: section.data }, facets) as Record<string, unknown>;
      if (kept[section.name] !== undefined) return { ...section, data: kept[section.name] };
      const reason = { code: "excluded", text: "left out by report.exclude", nextStep: null };
      return { ...section, state: "absent", data: null, reason };
    },
    hider(sections) {
      const found = new Set<string>();
      for (const section of sections) valuesIn(section, found);
      if (found.size === 0)
        return nameExcluded
          ? { ...NOTHING, identity: (who) => ({ ...who, hostname: standIn(who) }) }
          : NOTHING;
      // The longest first: a name may be a part of another.
      const values = [...found].sort((a, b) => b.length - a.length);
      const inText = (text: string): string =>
        values.reduce((left, value) => left.replaceAll(value, MARK), text);
      // Codes, types and severities are our own words, never a value of a section.
      return {
        identity: (who) => ({
          ...who,
          hostname: nameExcluded || found.has(who.hostname) ? standIn(who) : who.hostname,
          serial: who.serial !== null && found.has(who.serial) ? null : who.serial,
          macs: who.macs.filter((mac) => !found.has(mac)),
        }),
        conditions: (made) =>
          made.map((condition) => ({
            ...condition,
            ...(condition.subject === undefined ? {} : { subject: inText(condition.subject) }),
            text: inText(condition.text),
            nextStep: condition.nextStep === null ? null : inText(condition.nextStep),
          })),
        events: (made) =>
          made.map((event) => ({ ...event, data: walk(event.data, inText) as EventDraft["data"] })),
        value: <T>(made: T) => walk(made, inText) as T,
      };
    },
  };
}

function walk(value: unknown, inText: (text: string) => string): unknown {
  if (typeof value === "string") return inText(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, inText));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, inText)]));
}
