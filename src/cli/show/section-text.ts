/** One section's state as a sentence: for `report SECTION`, `collect` and `why`. */

import { labelled } from "../../model/text/next-step.ts";
import { printable } from "../../model/text/scrub.ts";
import type { SectionHeadWire } from "../../sockets/wire/schemas.ts";
import { duration, relativeTime } from "../text/format.ts";
import { calledHere } from "../text/program-name.ts";
import { at } from "./conditions.ts";

/** "drives: ok, collected 12 s ago in 3 ms", or why there is nothing; without line break at its end. */
export function sectionHeadline(section: SectionHeadWire, now: number): string {
  const { name, state, reason, collected_at: collectedAt, duration_ms: durationMs } = section;
  const words = { ok: "ok", stale: "out of date", failed: "never collected", absent: "nothing there" };
  const collected = collectedAt === null ? "" : `, collected ${relativeTime(at(collectedAt), now)}`;
  const took =
    durationMs === null ? "" : `${collected === "" ? ", looked for" : ""} in ${duration(durationMs)}`;
  const why =
    reason === null
      ? ""
      : `\n${reason.text}${reason.next_step === null ? "" : `\n${calledHere(labelled(reason.next_step))}`}`;
  return `${name}: ${words[state] ?? state}${collected}${took}${why}`.split("\n").map(printable).join("\n");
}
