/** The gates of a command as a table: of a dry run, and of a command that was rehearsed. In the conditional. */
import { printable } from "../../model/text/scrub.ts";
import type { DryRunWire } from "../../sockets/wire/command-schemas.ts";
import type { Shown } from "../show/conditions.ts";
import { type ListingRow, listing } from "../text/listing.ts";
import { nextLine } from "../text/next-step.ts";
import { wrapText } from "../text/wrap.ts";

export interface GateLine {
  readonly gate: string;
  readonly verdict: "pass" | "wait" | "refuse";
  /** A sentence; null: it says nothing. */
  readonly text: string | null;
  readonly nextStep: string | null;
}

const WORDS = { pass: "passes", wait: "would wait", refuse: "refuses" } as const;
const COLORS = { pass: "green", wait: "yellow", refuse: "red" } as const;

/** Those that say something, one a row; the others' names in one sentence. Ends with a line break. */
export function gateTable(gates: readonly GateLine[], shown: Shown): string {
  const { color, width, socket } = shown;
  const rows = gates.flatMap(({ gate, verdict, text }): ListingRow[] =>
    text === null ? [] : [{ cells: [gate, { text: WORDS[verdict], color: COLORS[verdict] }], text }],
  );
  const said = rows.length === 0 ? "" : listing(["gate", "verdict", "what"], rows, { color, width });
  // What can be typed stands below the table, on lines that are broken nowhere.
  const steps = helping(gates).flatMap(({ text, nextStep }) =>
    text === null || nextStep === null ? [] : [`${printable(nextLine(nextStep, socket))}\n`],
  );
  const silent = gates.filter(({ text }) => text === null).map(({ gate }) => gate);
  const open =
    silent.length === 0
      ? ""
      : `${said === "" ? "" : "\n"}${wrapText(printable(`Passed: ${silent.join(", ")}`), width, 0)}\n`;
  return `${said}${open}${steps.length === 0 ? "" : `\n${steps.join("")}`}`;
}

/** With a key that lets nothing be touched, nothing that the other gates ask for would help. */
function helping(gates: readonly GateLine[]): readonly GateLine[] {
  const closed = gates.filter(({ gate, verdict }) => gate === "mode" && verdict === "refuse");
  return closed.length > 0 ? closed : gates;
}

/** `reboot --dry-run`; ends with a line break. */
export function gatesText({ gates, verdict }: DryRunWire, shown: Shown): string {
  const end = {
    pass: "It would begin now.",
    wait: "It would be taken and wait.",
    refuse: "It would be refused.",
  }[verdict];
  const lines = gates.map(
    ({ gate, verdict: one, why, would }): GateLine => ({
      gate,
      verdict: one,
      text: would ?? why?.text ?? null,
      nextStep: why?.next_step ?? null,
    }),
  );
  return `${gateTable(lines, shown)}\n${end} Nothing was done.\n`;
}

/** Out of the result of a rehearsal, as the journal kept it; null where it has none. */
export function rehearsedGates(result: Readonly<Record<string, unknown>>): GateLine[] | null {
  const { gates } = result;
  if (!Array.isArray(gates)) return null;
  return gates.flatMap((one: unknown): GateLine[] => {
    const { gate, verdict, text = null } = (one ?? {}) as Record<string, unknown>;
    if (typeof gate !== "string" || !(verdict === "pass" || verdict === "wait" || verdict === "refuse"))
      return [];
    return [{ gate, verdict, text: typeof text === "string" ? text : null, nextStep: null }];
  });
}
