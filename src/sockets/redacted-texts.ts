/**
 * What of the report and of events each of the two sockets may show, as JSON text.
 *
 * The status socket is readable by every local user: fields that a collector declares sensitive are null
 * there, and the values behind them are hidden in every other sentence too (a condition that names a
 * serial number). Texts are made once per section object, so a section must never be changed in place.
 */
import type { AnyCollector } from "../collectors/index.ts";
import type { AgentEvent } from "../model/event.ts";
import { compileFacets, type Facets, redact, volatileOf } from "../model/facets.ts";
import type { Section } from "../model/report.ts";
import type { AgentView } from "./agent-view.ts";
import { eventWire, sectionHead } from "./wire/wire.ts";

/** public: anybody on this host; control: whoever may use control.sock; raw: with fields named `raw` too. */
export type Audience = "public" | "control" | "raw";

export interface SocketTexts {
  /** JSON text of one section. */
  section(section: Section, audience: Audience): string;
  /** JSON text of the whole report. */
  report(audience: Audience): string;
  /** A section's data as `audience` may see it; null when there is none. */
  data(section: Section | undefined, audience: Audience): unknown;
  /** A copy of any wire value in which no sensitive value of the report is left. */
  hide<T>(value: T): T;
  /** JSON text of an event, without a line break. */
  event(event: AgentEvent, audience: Audience): string;
}

// Short values ("12", "None") would hide half of every sentence: they count as whole words, or as the whole text.
const ANYWHERE = 8;
const AS_WORD = 3;
const HIDDEN = "[hidden]";
const SENSITIVE_KEY =
  /(?:^|_)(?:serial|wwn|uuid|eui|nguid|cid|asset_tag|machine_id|mac|permanent_mac)(?:_|$)/;
const SENSITIVE_VALUE =
  /\b(?:wwn|serial|eui|nvme|naa|uuid)[-.]\S+|\b0x[0-9a-f]{16,32}\b|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi;

interface Known {
  readonly texts: Map<Audience, string>;
  hidden: readonly string[] | null;
}

export function openSocketTexts(view: AgentView): SocketTexts {
  const known = new WeakMap<Section, Known>();
  const facets = new WeakMap<AnyCollector, Facets>();

  function knownOf(section: Section): Known {
    const found = known.get(section) ?? { texts: new Map(), hidden: null };
    known.set(section, found);
    return found;
  }

  function sensitiveOf(name: string): Facets | null {
    const collector = view.collectors().find((one) => one.name === name);
    if (!collector) return null;
    const found = facets.get(collector) ?? compileFacets(collector.sensitive);
    facets.set(collector, found);
    return found;
  }

  function hiddenOf(section: Section): readonly string[] {
    const entry = knownOf(section);
    if (entry.hidden === null) {
      const sensitive = sensitiveOf(section.name);
      const values = sensitive === null ? [] : volatileOf(section.data, sensitive).values();
      const texts = new Set<string>();
      for (const value of values) if (typeof value === "string" && value !== "") texts.add(value);
      entry.hidden = [...texts];
    }
    return entry.hidden;
  }

  function hide<T>(value: T): T {
    const hidden = [...Object.values(view.report().sections).flatMap(hiddenOf), ...view.confidential()];
    return mapStrings(value, (text) => hideIn(text, hidden)) as T;
  }

  function data(section: Section | undefined, audience: Audience): unknown {
    if (section === undefined || section.data === null) return null;
    if (audience === "raw") return section.data;
    if (audience === "control") return withoutRaw(section.data);
    // Nobody declared what of it is sensitive: then all of it is.
    const sensitive = sensitiveOf(section.name);
    return sensitive === null ? null : redact(withoutRaw(shownToOthers(view, section)), sensitive);
  }

  function section(section: Section, audience: Audience): string {
    const { texts } = knownOf(section);
    const before = texts.get(audience);
    if (before !== undefined) return before;
    const head = sectionHead(section);
    const text = JSON.stringify({
      ...(audience === "public" ? hide(head) : head),
      data: data(section, audience),
    });
    texts.set(audience, text);
    return text;
  }

  return {
    section,
    data,
    hide,
    report(audience) {
      const report = view.report();
      const sections = Object.values(report.sections).map(
        (one) => `${JSON.stringify(one.name)}:${section(one, audience)}`,
      );
      return `{"boot_id":${JSON.stringify(report.bootId)},"sections":{${sections.join(",")}}}`;
    },
    event(event, audience) {
      const wire = eventWire(event);
      return JSON.stringify(
        audience === "public" ? { ...wire, data: hide(publicEventData(wire.data)) } : wire,
      );
    },
  };
}

function shownToOthers(view: AgentView, { name, data }: Section): unknown {
  const collector = view.collectors().find((one) => one.name === name);
  return collector?.others === undefined ? data : collector.others(data);
}

/**
 * An event outlives the report it came from, so the values to hide may be known no longer: fields are
 * judged by their names and values by their looks, and sentences are left out.
 */
function publicEventData(value: unknown): unknown {
  if (typeof value === "string") return value.replace(SENSITIVE_VALUE, HIDDEN);
  if (Array.isArray(value)) return value.map(publicEventData);
  if (value === null || typeof value !== "object") return value;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (key === "text" || key === "next_step" || key === "message") continue;
    // Somebody's own words, and who he is: for administrators, as they are where the hold is shown.
    if ((key === "reason" || key === "by") && typeof field === "string") continue;
    copy[key] = SENSITIVE_KEY.test(key) ? null : publicEventData(field);
  }
  // Of a drive that is gone the subject is its serial number.
  if (typeof copy.code === "string" && copy.code.startsWith("drive_")) delete copy.subject;
  return copy;
}

function hideIn(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) {
    if (!shown.includes(secret)) continue;
    if (shown === secret) return HIDDEN;
    if (secret.length >= ANYWHERE) shown = shown.replaceAll(secret, HIDDEN);
    else if (secret.length >= AS_WORD) shown = shown.replace(asWord(secret), HIDDEN);
  }
  return shown;
}

function asWord(secret: string): RegExp {
  return new RegExp(`(?<![A-Za-z0-9])${secret.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![A-Za-z0-9])`, "g");
}

/**
 * A copy without fields named `raw` (a device's own answer); the value itself when it has none. A number is no
 * answer: the raw value of a drive's attribute.
 */
function withoutRaw(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const copy = value.map(withoutRaw);
    return copy.some((item, index) => item !== value[index]) ? copy : value;
  }
  let changed = false;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (key === "raw" && field !== null && typeof field !== "number") changed = true;
    else {
      copy[key] = withoutRaw(field);
      changed ||= copy[key] !== field;
    }
  }
  return changed ? copy : value;
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, mapStrings(field, change)]));
}
