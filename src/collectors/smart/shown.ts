/**
 * What of the helper's facts the section shows. The texts of raw values only where they say more than the number:
 * several figures are packed into it, and alone it would be read as one.
 */
import type { SmartFacts, SmartReason } from "../../model/smart.ts";
import type { SmartShownFacts } from "./schema.ts";

const SHOWN_TESTS = 5;

/** The helper's facts as the section shows them. What is not shown is the asking's own: device, type, asleep. */
export function shownFacts(facts: SmartFacts): SmartShownFacts {
  const { device: _device, type: _type, asleep: _asleep, attributes, messages, self_tests, ...rest } = facts;
  return {
    ...rest,
    messages: [...messages],
    attributes: attributes.map((row) => ({
      ...row,
      raw_text: row.raw_text === String(row.raw) ? null : row.raw_text,
    })),
    self_tests: self_tests.slice(0, SHOWN_TESTS),
  };
}

export function copied(reasons: readonly SmartReason[]): SmartReason[] {
  return reasons.map((reason) => ({ ...reason }));
}
