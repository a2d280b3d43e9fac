/** What is wrong with or according to the BMC right now, and what its log tells that is new. Pure. */
import type { ConditionDraft, Severity } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import { sentence } from "../../model/text/sentence.ts";
import { untold } from "../told-once.ts";
import type { BmcData, BmcNews, BmcProblem, BmcSensor } from "./schema.ts";

const SEL_NEARLY_FULL = 90;

export function bmcConditions(data: BmcData): ConditionDraft[] {
  const found = new Map<string, ConditionDraft>();
  const add = (
    code: string,
    subject: string | null,
    severity: Severity,
    text: string,
    nextStep: string | null,
  ): void => {
    const about = subject === null ? {} : { subject };
    const key = `${code} ${subject}`;
    if (!found.has(key)) found.set(key, { code, ...about, severity, text, nextStep });
  };
  for (const problem of data.problems) aboutProblem(problem, add);
  if (data.chassis !== null) aboutChassis(data.chassis, add);
  for (const sensor of data.sensors ?? []) if (sensor.state === "critical") aboutSensor(sensor, add);
  const { sel } = data;
  if (sel !== null && (sel.overflow === true || (sel.percent_used ?? 0) >= SEL_NEARLY_FULL))
    add(
      "bmc_log_full",
      null,
      "warning",
      "The BMC's event log is full or nearly so, and loses new entries or old ones.",
      "ipmitool sel writeraw /root/sel.raw && ipmitool sel clear",
    );
  return [...found.values()];
}

type Add = (
  code: string,
  subject: string | null,
  severity: Severity,
  text: string,
  nextStep: string | null,
) => void;

function aboutProblem({ code, text, next_step }: BmcProblem, add: Add): void {
  const said = sentence(text);
  switch (code) {
    case "bmc_ipmitool_missing":
      add(
        "bmc_ipmitool_missing",
        null,
        "warning",
        "There is a BMC, but without ipmitool nothing more is known of it.",
        next_step,
      );
      return;
    case "bmc_not_allowed":
      add("bmc_not_allowed", null, "warning", said, next_step);
      return;
    case "bmc_device_missing":
      add("bmc_device_missing", null, "warning", said, next_step);
      return;
    case "bmc_unreachable":
      add("bmc_unreachable", null, "warning", said, next_step);
      return;
    case "bmc_half_answer":
      add("bmc_half_answer", null, "info", said, next_step);
      return;
    case "bmc_hang":
      add(
        "bmc_hang",
        null,
        "warning",
        "The BMC does not answer and is asked less often until it does.",
        next_step,
      );
      return;
    default:
      add("bmc_no_answer", null, "warning", said, next_step);
  }
}

function aboutChassis(chassis: NonNullable<BmcData["chassis"]>, add: Add): void {
  const faults: readonly (readonly [boolean | null, string, string])[] = [
    [chassis.main_power_fault, "power", "a fault of the main power"],
    [chassis.power_control_fault, "power control", "a fault of the power control"],
    [chassis.power_overload, "overload", "that the power supplies are overloaded"],
    [chassis.drive_fault, "drive", "a fault of a drive"],
    [chassis.cooling_fault, "cooling", "a fault of cooling or a fan"],
  ];
  for (const [is, subject, what] of faults)
    if (is === true)
      add(
        "bmc_chassis_fault",
        subject,
        "error",
        `The BMC reports ${what}.`,
        "ipmitool chassis status; ipmitool sel elist",
      );
}

function aboutSensor(sensor: BmcSensor, add: Add): void {
  const { id, kind } = sensor;
  const says =
    sensor.value === null
      ? (sensor.asserted ?? "critical")
      : `${sensor.value}${sensor.unit === null ? "" : ` ${sensor.unit}`}`;
  const step = "ipmitool sdr elist; ipmitool sel elist";
  if (kind === "supply")
    add("bmc_power_supply", id, "error", `The power supply sensor ${id} is critical (${says}).`, step);
  else if (kind === "fan") add("bmc_fan", id, "error", `The fan sensor ${id} is critical (${says}).`, step);
  else if (kind === "temperature")
    add("bmc_temperature", id, "error", `The temperature sensor ${id} is critical (${says}).`, step);
  else add("bmc_sensor", id, "error", `The sensor ${id} of the BMC is critical (${says}).`, step);
}

const SEVERITY: Record<BmcNews["what"], Severity> = {
  baseline: "info",
  critical: "error",
  cleared: "info",
  skipped: "warning",
};

/** The log's news since `before`; after a start those since the agent stopped, because its memory outlives it. */
export function bmcEvents(before: BmcData | null, after: BmcData): EventDraft[] {
  if (after.sel === null) return [];
  const { news, news_base } = after.sel;
  return untold(before?.sel?.news ?? null, news, news_base).map(({ seq, what, count, ...entry }) => ({
    type: `bmc.sel_${what}`,
    severity: SEVERITY[what],
    data: what === "critical" ? entry : { count },
  }));
}
