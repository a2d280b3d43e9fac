/**
 * What `network.profile = "metered"` means, in words made of the figures that hold (rhythm.ts): for the configuration,
 * its documents and `config show`. Nobody writes one of them by hand.
 */
import { plural } from "../model/text/sentence.ts";
import { intervalS, LIMITS, type Profile, startRhythm } from "./rhythm.ts";

/** Tolerances of what counts as news are this much wider on a metered network. */
export const METERED_WIDENS = 4;
/** Of a diagnostics bundle on a metered network. */
export const METERED_UPLOAD_BYTES = 1024 * 1024;

const minutes = (seconds: number): string => plural(seconds / 60, "minute");

export const METERED_DOC =
  `metered: for mobile links. No long polls; a round every ${minutes(LIMITS.meteredDefaultS)}, or every interval_s but ` +
  `not below ${minutes(LIMITS.meteredFloorS)}, so a command may take as long to arrive. Changes count when they are ` +
  `${METERED_WIDENS} times as large, and no bundle above ${METERED_UPLOAD_BYTES / 2 ** 20} MiB is uploaded.`;

/** What holds without interval_s. */
export const INTERVAL_ABSENT = `what the server wishes, ${LIMITS.defaultIntervalS} at first; ${LIMITS.meteredDefaultS} on a metered network`;

/** @param given interval_s of a control API, seconds; null: none @returns what holds instead, or null: what is given */
export function intervalNote(profile: Profile, given: number | null): string | null {
  const holds = intervalS(startRhythm(profile, given));
  return profile === "normal" || holds === given ? null : `${holds} on a metered network`;
}
