/** What is wrong with the network now, and what happened to it. */
import type { ConditionDraft } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Network } from "./schema.ts";

/** A bond that lost a link still works, which is why nobody notices. */
export function networkConditions(data: Network): ConditionDraft[] {
  const found: ConditionDraft[] = [];
  for (const bond of data.interfaces.filter((item) => item.kind === "bond")) {
    const down = bond.members.filter(
      (name) => data.interfaces.find((item) => item.name === name)?.carrier === false,
    );
    if (down.length === 0) continue;
    found.push({
      code: "bond_degraded",
      subject: bond.name,
      severity: "warning",
      text: `The bond ${bond.name} runs on ${bond.members.length - down.length} of ${bond.members.length} links: no carrier on ${down.join(", ")}.`,
      nextStep: `Check the cable and the switch port of ${down[0]}.`,
    });
  }
  return found;
}

/** Carrier of a physical port gained or lost; counters and addresses speak for themselves in the section. */
export function networkChanges(before: Network | null, after: Network): EventDraft[] {
  const found: EventDraft[] = [];
  for (const item of after.interfaces) {
    const old = before?.interfaces.find((candidate) => candidate.name === item.name);
    if (
      !old ||
      item.kind !== "physical" ||
      old.carrier === item.carrier ||
      old.carrier === null ||
      item.carrier === null
    )
      continue;
    found.push({
      type: "network.carrier",
      severity: item.carrier ? "info" : "warning",
      data: { interface: item.name, carrier: item.carrier, master: item.master },
    });
  }
  return found;
}
