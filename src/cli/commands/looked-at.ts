/** The look at a node after its boot, for `commands ID`: what worked before, what does now, and what is worse. */
import { printable } from "../../model/text/scrub.ts";
import { sentence } from "../../model/text/sentence.ts";
import type { CheckedWire, CommandWire } from "../../sockets/wire/command-schemas.ts";
import type { Shown } from "../show/conditions.ts";
import { table } from "../text/table.ts";
import { wrapText } from "../text/wrap.ts";

// biome-ignore format: a table is read by its columns
const WORDS: Readonly<Record<CheckedWire["kind"], string>> = {
  unit:    "units that failed",
  mount:   "mounts",
  link:    "links with carrier",
  route:   "default routes",
  drive:   "drives",
  smart:   "SMART verdicts",
  clock:   "clock synchronised",
  api:     "control APIs reached",
  section: "sections collected",
  check:   "own checks that pass",
};

/** Null where nothing was noted. */
export function lookedAt({ reboot }: CommandWire, shown: Shown): string | null {
  const checked = (reboot?.checked ?? []).filter(
    ({ kind, before, after }) => kind === "unit" || before > 0 || (after ?? 0) > 0,
  );
  if (checked.length === 0) return null;
  const rows = checked.map(({ kind, before, after, regressed }) => [
    WORDS[kind],
    `${before}`,
    after === null ? null : ({ text: `${after}`, color: regressed.length > 0 ? "yellow" : "green" } as const),
  ]);
  const number = (title: string) => ({ title, align: "right" as const });
  const drawn = table(["looked at", number("before"), number("after")], rows, { color: shown.color });
  const worse = checked
    .flatMap(({ regressed }) => regressed)
    .map(({ text, was }) => wrapText(printable(sentence(`${text} (before: ${was})`)), shown.width, 0));
  const all = checked.reduce(
    (sum, { before, after }) => sum + (after === null ? 0 : Math.abs(before - after)),
    0,
  );
  if (all > worse.length) worse.push(`And ${all - worse.length} more.`);
  return `${drawn.trimEnd()}\n${worse.length === 0 ? "" : `\n${worse.join("\n")}\n`}`;
}
