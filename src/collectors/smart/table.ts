/** The drives' health as a table for people. */
import { plural } from "../../model/text/sentence.ts";
import type { TableView } from "../collector.ts";
import type { SmartData, SmartDrive } from "./schema.ts";

const WORDS: Record<SmartDrive["severity"], string> = {
  ok: "healthy",
  warn: "warning",
  fail: "FAILING",
  unknown: "not known",
  asleep: "asleep",
};

export const smartTable: TableView<SmartData> = {
  columns: ["device", "model", "verdict", "age", "temp", "wear", "reason"],
  rows: (data) =>
    data.drives.map((drive) => [
      drive.device,
      drive.model,
      verdictText(drive),
      ageText(drive.facts?.power_on_hours ?? null),
      drive.facts?.temperature_c == null ? null : `${Math.round(drive.facts.temperature_c)} °C`,
      drive.facts?.wear_percent == null ? null : `${drive.facts.wear_percent} %`,
      drive.reasons[0]?.detail ?? null,
    ]),
};

/** A drive that sleeps is shown with what it was before. */
export function verdictText(
  drive: Pick<SmartDrive, "severity"> & {
    readonly reasons?: readonly { readonly acknowledged?: boolean | undefined }[];
    readonly last_verdict: { severity: SmartDrive["severity"] } | null;
  },
): string {
  const before = drive.severity === "asleep" ? drive.last_verdict : null;
  // Not healthy, but as it was when somebody accepted it.
  if (drive.severity === "ok" && drive.reasons?.some(({ acknowledged }) => acknowledged === true))
    return "known";
  return before === null ? WORDS[drive.severity] : `asleep, was ${WORDS[before.severity]}`;
}

/** `3.2 years`, `40 days`, `5 h` of hours switched on. */
export function ageText(hours: number | null): string | null {
  if (hours === null) return null;
  if (hours >= 8_760) return plural(hours / 8_760, "year", "years", (hours / 8_760).toFixed(1));
  return hours >= 48 ? plural(Math.round(hours / 24), "day") : `${hours} h`;
}
