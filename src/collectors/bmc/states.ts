/**
 * How bad each state of the IPMI 2.0 specification is: the generic event types 01h to 0Ch (table 42-2) and the offsets of
 * each sensor type (table 42-3), under the names ipmitool prints for them (include/ipmitool/ipmi_sel.h). A state that is
 * in no table (a vendor's own) says nothing of its severity, and words in it are not looked at: "Predictive Failure
 * Deasserted" is how a healthy part is called.
 *
 * "critical" is what failed or is about to; "warning" what works, but not as it should, or what somebody should look at.
 */
import { GENERIC } from "./generic-states.ts";
import { ALWAYS_OK, BY_TYPE, type Rows, type Severity } from "./sensor-states.ts";

/**
 * Where the type is not told, as of sensors: the mildest of what a name can mean. A power unit's cycle was asked for, an
 * entity that is disabled is meant to be.
 */
const WITHOUT_TYPE: Readonly<Record<string, Severity>> = {
  "power cycle": "ok",
  disabled: "ok",
  // An entry of the log says that somebody opened it; a sensor says so for years where no switch is connected.
  ...Object.fromEntries(
    (BY_TYPE["Physical Security"]?.critical ?? []).map((name) => [name.toLowerCase(), "warning"]),
  ),
};

/** Types, longest name first, so that "Power Supply" is not looked for in "Power Supply Redundancy" as "Power". */
const TYPES = [...Object.keys(BY_TYPE), ...ALWAYS_OK].sort((a, b) => b.length - a.length);

interface Known {
  readonly generic: ReadonlyMap<string, Severity>;
  readonly byType: ReadonlyMap<string, ReadonlyMap<string, Severity>>;
  readonly anyType: ReadonlyMap<string, Severity>;
}

let known: Known | null = null;

/** Made once somebody asks: most machines have no BMC. */
function tables(): Known {
  if (known !== null) return known;
  const byType = new Map(Object.entries(BY_TYPE).map(([type, rows]) => [type, mapOf(rows)]));
  const anyType = new Map<string, Severity>();
  for (const states of byType.values()) for (const [name, severity] of states) anyType.set(name, severity);
  for (const [name, severity] of Object.entries(WITHOUT_TYPE)) anyType.set(name, severity);
  known = { generic: mapOf(GENERIC), byType, anyType };
  return known;
}

function mapOf(rows: Rows): Map<string, Severity> {
  const found = new Map<string, Severity>();
  for (const severity of ["ok", "warning", "critical"] as const)
    for (const name of rows[severity] ?? []) found.set(name.toLowerCase(), severity);
  return found;
}

/**
 * The severity of one state.
 * @param type of its sensor, as ipmitool calls it; null: not told, as `sdr elist` does not
 */
export function severityOf(state: string, type: string | null): Severity {
  // Vendors' additions stand in brackets behind: "Uncorrectable ECC (@DIMMA1(CPU1))".
  const name = (state.split(" (", 1)[0] as string).trim().toLowerCase();
  const { generic, byType, anyType } = tables();
  const own = type === null ? anyType : byType.get(type);
  return own?.get(name) ?? generic.get(name) ?? "ok";
}

/** The worst of what a sensor asserts, `Presence detected, Failure detected`: some names have a comma themselves. */
export function worstOf(asserted: string): Severity {
  const parts = asserted.split(/,\s+/);
  let worst: Severity = "ok";
  for (let at = 0; at < parts.length; ) {
    let taken = 1;
    for (let length = 2; length > 1; length--)
      if (isState(parts.slice(at, at + length).join(", "))) taken = length;
    const severity = severityOf(parts.slice(at, at + taken).join(", "), null);
    if (severity === "critical" || worst === "ok") worst = severity;
    at += taken;
  }
  return worst;
}

function isState(name: string): boolean {
  return tables().anyType.has(name.toLowerCase());
}

/** The type in front of a log entry's sensor (`Power Supply PS1 Status`, `Memory #0x53`); null: none of the known ones. */
export function typeOf(sensor: string | null): string | null {
  if (sensor === null) return null;
  return TYPES.find((type) => sensor === type || sensor.startsWith(`${type} `)) ?? null;
}

/** Of two states that exclude each other the one that holds when the other does not any more. */
const OPPOSITES: Readonly<Record<string, string>> = {
  "predictive failure deasserted": "Predictive Failure Asserted",
  "limit not exceeded": "Limit Exceeded",
};

/** What holds after an entry `NAME, Deasserted`; null: nothing that would be known. */
export function afterDeassertion(state: string): string | null {
  return OPPOSITES[state.trim().toLowerCase()] ?? null;
}

/** All names in the tables, for who wants to hold them against ipmitool's. */
export function tableNames(): { generic: string[]; byType: Record<string, string[]> } {
  const byType = Object.entries(BY_TYPE).map(([type, rows]) => [type, Object.values(rows).flat()]);
  return { generic: Object.values(GENERIC).flat(), byType: Object.fromEntries(byType) };
}
