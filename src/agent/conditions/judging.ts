/**
 * What the sections say is wrong with this host, by each collector's own judgement; and what becomes of that when
 * nobody judges it any more.
 */

import type { AnyCollector } from "../../collectors/index.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { errorText } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Logger } from "../../model/log.ts";
import type { Section } from "../../model/report.ts";
import { OF_THE_HELPER } from "../helper-access.ts";
import type { Excluded } from "../reporting/excluded-fields.ts";
import { PENDING } from "../schedule/schedule.ts";
import type { Health } from "./health.ts";

export interface JudgingOptions {
  readonly health: Health;
  readonly log: Logger;
  /** All there is is judged, and told without this. */
  readonly excluded: Excluded;
  readonly emit: (happened: readonly EventDraft[]) => void;
}

/** A condition only after this many failures in a row: one lost run is no news. */
const FAILURES_TO_TELL = 2;

/**
 * Conditions and events of a new section. A collector's mistake in this costs a condition, not the daemon.
 * @param failuresInRow of its collector, 0 after a good run
 */
export function judge(
  { health, log, excluded, emit }: JudgingOptions,
  section: Section,
  before: Section | undefined,
  collector: AnyCollector,
  failuresInRow: number,
): void {
  const { name } = collector;
  // A helper that is out of order has a condition of its own, and not one more for each section.
  const lasting =
    section.reason !== null && failuresInRow >= FAILURES_TO_TELL && !OF_THE_HELPER.has(section.reason.code);
  health.set(`failing ${name}`, lasting ? [failing(name, section.reason.text, section.reason.nextStep)] : []);
  // What a failing one said last stays; what is not there any more has nothing wrong with it.
  if (section.state === "absent" && section.reason?.code !== PENDING) health.set(ownerOf(name), []);
  if (section.state !== "ok") return;
  try {
    const hide = excluded.hider([before, section]);
    health.set(ownerOf(name), hide.conditions(collector.conditions?.(section.data) ?? []));
    const happened = hide.events(collector.changes?.(before?.data ?? null, section.data) ?? []);
    if (happened.length > 0) emit(happened);
  } catch (error) {
    log.error({ err: error, collector: name }, "what was collected could not be judged");
    health.set(`failing ${name}`, [failing(name, errorText(error), null)]);
  }
}

/** Whose the conditions of a collector are, for Health. */
export function ownerOf(collector: string): string {
  return `collector ${collector}`;
}

/** A collector that the configuration before had and this one has not: nobody would ever clear its conditions. */
export function forget(health: Health, collector: string): void {
  health.set(ownerOf(collector), []);
  health.set(`failing ${collector}`, []);
}

function failing(name: string, why: string, nextStep: string | null): ConditionDraft {
  return {
    code: "collector_failed",
    subject: name,
    severity: "warning",
    text: `The section ${name} can't be collected: ${why}`,
    nextStep: nextStep ?? `foundry-agent collect ${name}`,
  };
}
