/** After the first collection: which conditions of an earlier life are over, and which nobody has looked at yet. */

import { ownerOf, type Running } from "../configured.ts";
import { HELPER_OWNERS } from "../helper-access.ts";
import type { Health } from "./health.ts";

export function settleConditions(health: Health, running: Running): void {
  // What a control API had to say is judged by its next round.
  const apis = new Set(running.loops.map((loop) => loop.api.name));
  // And a collector that could not look yet has not said that anything is over.
  const blind = new Set(
    running.collectors
      .filter(({ name }) => running.schedule.section(name)?.state !== "ok")
      .map(({ name }) => ownerOf(name)),
  );
  if (running.helper.how.kind !== "none") for (const owner of HELPER_OWNERS) blind.add(owner);
  health.settle(
    ({ subject }, owner) => (subject !== undefined && apis.has(subject)) || blind.has(owner ?? ""),
  );
}
