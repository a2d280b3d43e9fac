/** What can be wrong with the section `cpu`. */
import type { ConditionDraft } from "../../model/condition.ts";
import type { Cpu } from "./schema.ts";

/** This near to the critical temperature a processor is about to slow down or switch off. */
const NEAR_CRITICAL = 5;

export function cpuConditions(data: Cpu): ConditionDraft[] {
  const found: ConditionDraft[] = [];
  for (const { sensor, celsius, critical_celsius } of data.temperatures)
    if (critical_celsius !== null && critical_celsius > 0 && celsius >= critical_celsius - NEAR_CRITICAL)
      found.push({
        code: "cpu_too_hot",
        subject: sensor,
        severity: celsius >= critical_celsius ? "error" : "warning",
        text: `The processor is within ${NEAR_CRITICAL} °C of the ${critical_celsius} °C it must not reach, or beyond (${sensor}).`,
        nextStep: "Check fans, heat sink and air flow.",
      });
  const { throttling } = data;
  if (throttling.under_voltage.now === true)
    found.push({
      code: "under_voltage",
      severity: "error",
      text: "The supply voltage of the board is too low right now.",
      nextStep:
        "Use the board's own power supply and a short cable; unplug what draws power from its USB ports.",
    });
  else if (throttling.under_voltage.since_boot === true)
    found.push({
      code: "under_voltage_since_boot",
      severity: "warning",
      text: "The supply voltage of the board was too low at some time since boot.",
      nextStep: "Use the board's own power supply and a short cable; the mark is gone after a reboot.",
    });
  if (throttling.state === "active" && throttling.under_voltage.now !== true)
    found.push({
      code: "cpu_throttled",
      severity: "warning",
      text: `The processor is held back. ${throttling.text}`,
      nextStep: "Check fans, heat sink and air flow.",
    });
  if (data.sensors_failed.length > 0)
    found.push({
      code: "cpu_sensors_failed",
      severity: "info",
      text: `Temperature sensors can't be read: ${data.sensors_failed.slice(0, 4).join(", ")}.`,
      nextStep: null,
    });
  return found;
}
