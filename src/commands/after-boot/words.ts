/** What looking at a node after its boot is called: clauses for each kind, one sentence for history and condition. Pure. */
import { sentence } from "../../model/text/sentence.ts";
import type { Comparison, Kind, Regression } from "./picture.ts";

/** Named in a sentence; the rest is counted. */
const NAMED = 5;
/** In a command's result, which goes into an event of bounded size. */
const IN_RESULT = 20;
const RESULT_CHARACTERS = 4_000;

// biome-ignore format: a table is read by its columns
const UNSEEN: Readonly<Record<Kind, string>> = {
  unit:    "units of systemd",
  mount:   "mounts",
  link:    "network links",
  route:   "default routes",
  drive:   "drives",
  smart:   "SMART verdicts",
  clock:   "the clock",
  api:     "control APIs",
  section: "sections",
  check:   "checks of this host's own",
};

/** "mount /srv/data is gone" */
export function regressionText({ kind, name, is, said }: Regression): string {
  const why = said === undefined || said === "" ? "" : `: ${said}`;
  switch (kind) {
    case "unit":
      return `unit ${name} has failed`;
    case "mount":
    case "link":
      return is === "no carrier" ? `link ${name} has no carrier` : `${kind} ${name} is ${is}`;
    case "route":
      return `the default route of ${name} is gone`;
    case "drive":
      return `drive ${name} ${is === "gone" ? "is gone" : "does not answer"}`;
    case "smart":
      return `SMART of drive ${name} says ${is}`;
    case "clock":
      return "the clock is not synchronised";
    case "api":
      return `${name} is not reached`;
    case "section":
      return `section ${name} is not collected${why}`;
    case "check":
      return `check ${name} fails${why}`;
  }
}

/** @param name null: nothing of the kind */
export function unseenText(kind: Kind, name: string | null): string {
  return name === null ? UNSEEN[kind] : `${kind === "api" ? "control API" : kind} ${name}`;
}

/** For the history: what became of a reboot after which the node was looked at. */
export function verdictText(comparison: Comparison): string {
  const { regressed, unseen } = comparison;
  const blind = unseen.length === 0 ? "" : ` Nobody could say anything of ${joined(unseen)}.`;
  if (regressed.length > 0) return `Done, but ${goneText(regressed)}.${blind}`;
  return blind === "" ? "Done; all that worked before works." : `Done.${blind}`;
}

/** "mount /srv/data is gone, unit nginx.service has failed and 3 more", for use within a sentence. */
export function goneText(regressed: readonly Regression[]): string {
  return joined(regressed.map(regressionText));
}

/** The text of the condition that lasts until all is back. */
export function conditionText(commandId: string, regressed: readonly Regression[]): string {
  return sentence(`since the reboot ${commandId}, ${goneText(regressed)}`);
}

/** What goes into the command's result: never more than an event has room for. */
export function resultOf({ regressed, unseen }: Comparison): Readonly<Record<string, unknown>> {
  const told: object[] = [];
  let left = RESULT_CHARACTERS;
  for (const one of regressed.slice(0, IN_RESULT)) {
    const { kind, name, was, is } = one;
    const full = { kind, name, was, is, text: regressionText(one) };
    left -= JSON.stringify(full).length;
    if (left < 0) break;
    told.push(full);
  }
  return {
    regressed: told,
    ...(told.length < regressed.length && { regressed_more: regressed.length - told.length }),
    ...(unseen.length > 0 && { not_seen: unseen.slice(0, IN_RESULT) }),
  };
}

function joined(clauses: readonly string[]): string {
  const named = clauses.slice(0, NAMED);
  const more = clauses.length - named.length;
  const all = more > 0 ? [...named, `${more} more`] : named;
  return all.length < 2 ? (all[0] ?? "") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}
