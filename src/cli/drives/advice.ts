/**
 * Each reason of a verdict for whoever stands before the machine: in a few words for the table, and what to do
 * about it. The reasons themselves are sentences of the section `smart`.
 */
import type { SmartReason } from "../../model/smart.ts";
import { clause, plural } from "../../model/text/sentence.ts";

/** By code; `{n}` is what the reason counts, `{s}` the s of more than one, `{a}` the attribute it is about. */
const WORDS: Readonly<Record<string, string>> = {
  smart_failed: "says it is failing",
  failure_predicted: "predicts its failure",
  attribute_failing: "attribute {a} failing",
  spare_low: "spare blocks low",
  reliability_degraded: "unreliable by errors",
  memory_region_unreliable: "memory region unreliable",
  read_only: "made itself read-only",
  backup_failed: "cache protection failed",
  uncorrectable_sectors: "{n} unreadable (own scan)",
  pending_sectors: "{n} unreadable sector{s}",
  reported_uncorrectable: "{n} error{s} reached host",
  reallocated_growing: "{n} bad sector{s}, growing",
  reallocated_sectors: "{n} bad sector{s} replaced",
  end_to_end_errors: "{n} error{s} inside it",
  spin_retries: "{n} failed spin-up{s}",
  media_errors: "{n} media error{s}",
  uncorrected_errors: "{n} uncorrected error{s}",
  grown_defects: "{n} grown defect{s}",
  attribute_failed_before: "attribute {a} was low",
  attribute_old_age: "attribute {a}: old age",
  self_test_failed: "self-test failed",
  worn_out: "worn out",
  wear_high: "nearly worn out",
  hot: "too hot or too cold",
  pending_defects: "{n} unreadable place{s}",
  helium_low: "low on helium",
  helium_falling: "loses helium",
  medium_warning: "warns of its medium",
  cache_unprotected: "cache not protected",
  enclosure_warning: "warns of its surroundings",
  firmware_warning: "warns of its firmware",
  drive_warns: "warns by itself",
  log_unreadable: "partly unreadable",
  no_own_verdict: "judged by counters only",
  wear_unclear: "wear not clear",
  type_not_passed_on: "type not passed on",
  command_timeouts_growing: "commands time out",
  check_cable: "check its cable",
  no_permission: "may not be opened",
  helper_absent: "no helper",
  type_unknown: "type not known",
  open_failed: "can't be opened",
  drive_hangs: "does not answer",
  helper_timeout: "does not answer",
  quarantined: "does not answer",
  smart_disabled: "SMART is switched off",
  pending: "not asked yet",
  unsupported: "tells nothing",
  no_verdict: "tells nothing",
};

/** A few words; those of the reason itself where the code is a new one. */
export function reasonWords({ code, detail, params: { count, attribute } = {} }: SmartReason): string {
  if (!Object.hasOwn(WORDS, code)) return clause(detail);
  return (WORDS[code] as string)
    .replace(/^\{n\} (.*)\{s\}/, (_all, noun: string) =>
      count === undefined ? `${noun}s` : plural(count, noun),
    )
    .replace("{n} ", count === undefined ? "" : `${count} `)
    .replace(" {a}", attribute === undefined ? "" : ` ${attribute}`);
}

export interface Advice {
  readonly text: string;
  /** What to type. */
  readonly command: string | null;
}

const REPLACE = "Move what is on it elsewhere while it can be read, then replace it.";
const PLAN = "Plan its replacement.";
const LOST = "Data could not be read at least once: look at its file systems, plan its replacement.";
const PERMISSION = ["Look how the helper fares:", "systemctl status foundry-agent-helper.socket"] as const;
const LONG_TEST = "foundry-agent smart-test {drive} long";
const RESEAT = "Look for its errors (journalctl -k), check cable and power, then replace it.";

/** By code; `{drive}` stands for what the drive is called on the command line. */
const ADVICE: Readonly<Record<string, string | readonly [text: string, command: string]>> = {
  smart_failed: REPLACE,
  failure_predicted: REPLACE,
  attribute_failing: REPLACE,
  spare_low: REPLACE,
  reliability_degraded: REPLACE,
  memory_region_unreliable: REPLACE,
  read_only: "It takes no data any more: copy what is on it and replace it.",
  backup_failed:
    "At a power loss the newest data would be lost: replace it, or take it out of use for writing.",

  uncorrectable_sectors: [`${REPLACE} A long self-test shows how bad it is:`, LONG_TEST],
  pending_sectors: ["Let it test itself, and replace it if there are still some afterwards:", LONG_TEST],
  reported_uncorrectable: LOST,
  reallocated_growing: "They grow, so plan its replacement soon.",
  reallocated_sectors: "Many. What decides is whether they grow: look again in some days.",
  end_to_end_errors: REPLACE,
  spin_retries: "Check its power supply; if it goes on, replace it before it does not start any more.",
  media_errors: LOST,
  uncorrected_errors: LOST,
  pending_defects: ["Let it test itself, and replace it if there are still some afterwards:", LONG_TEST],
  grown_defects: "A few that stay do no harm; when they grow, replace it.",
  attribute_failed_before: "It is above its limit again: keep an eye on it.",
  attribute_old_age: PLAN,
  self_test_failed: ["Test it once more, and if it fails again replace it:", LONG_TEST],
  worn_out: "It goes on without the maker's promise: plan its replacement.",
  wear_high: PLAN,
  hot: "Look at fans, filters and what blows on it. It is well again when it has its temperature.",
  helium_low: "It leaks: move what is on it elsewhere, then replace it.",
  helium_falling: "It may leak: look again in some days, and plan its replacement if it goes on.",
  medium_warning: ["Let it test itself, and replace it if that fails:", LONG_TEST],
  cache_unprotected: "Switch its write cache off, or take it out of use for what must outlive a power loss.",
  enclosure_warning: "Look at its enclosure: power, fans, the air around it.",
  firmware_warning: "Ask its maker for firmware that is signed and right for it.",
  drive_warns: "See what else it says of itself below.",
  log_unreadable: "Nothing: the rest of what it tells is judged.",
  no_own_verdict: "Nothing: its counters are judged.",
  wear_unclear: "See both numbers below; its maker's own tool knows which is right.",
  command_timeouts_growing: "Check power and cable; a drive that is only overloaded recovers by itself.",
  check_cable:
    "Change the cable or the slot, not the drive. The counter never goes down; it is well when it stands still for a week.",

  no_permission: PERMISSION,
  helper_absent: PERMISSION,
  type_unknown: [
    'Name its type below [collectors.smart] in a file of conf.d, for example types = ["/dev/{drive} sat"], then:',
    "foundry-agent reload",
  ],
  type_not_passed_on: [
    'Name another type for it below [collectors.smart] in a file of conf.d, for example types = ["/dev/{drive} sat"], then:',
    "foundry-agent reload",
  ],
  open_failed: RESEAT,
  drive_hangs: RESEAT,
  helper_timeout: RESEAT,
  quarantined: RESEAT,
  smart_disabled: ["Switch it on, as root:", "smartctl -s on /dev/{drive}"],
  pending: "Look again in a few seconds.",
  unsupported: "Nothing: behind this controller or bridge nobody can tell its health.",
  no_verdict: "Nothing: behind this controller or bridge nobody can tell its health.",
};

const BY_HAND = ["Try it by hand, as root:", "smartctl -x /dev/{drive}"] as const;

/** What to do about a reason, or null where there is nothing to say. */
export function adviceFor(code: string, drive: string): Advice | null {
  const known = Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
  const advice = code.startsWith("smartctl_") ? BY_HAND : known;
  if (advice === undefined) return null;
  const [text, command = null] = typeof advice === "string" ? [advice] : advice;
  const named = (words: string): string => words.replaceAll("{drive}", drive);
  return { text: named(text), command: command === null ? null : named(command) };
}
