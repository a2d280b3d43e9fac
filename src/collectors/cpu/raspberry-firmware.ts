/**
 * What a Raspberry Pi's firmware says of under-voltage and heat, where the kernel does not pass it on: /dev/vcio
 * is root's, so the helper asks. Every ten minutes: its flags remember what was since boot, and each question
 * starts a process or two.
 */
import * as v from "valibot";
import type { HelperPort } from "../../helper/port.ts";
import { AgentError } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";

const EVERY_MS = 600_000;
const answer = v.object({ flags: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff)) });

export interface Firmware {
  /** The last known flags are good for now: null while nothing is known. */
  flags(): number | null;
  /** The question that is due, or null: nobody to ask, nothing there, or asked not long ago. Never rejects. */
  ask(files: Files, now: number, signal: AbortSignal): Promise<void> | null;
}

export function openFirmware(helper: HelperPort | null): Firmware {
  let flags: number | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;

  async function question(port: HelperPort, signal: AbortSignal): Promise<void> {
    try {
      const parsed = v.safeParse(answer, await port.call("throttled", {}, signal));
      flags = parsed.success ? parsed.output.flags : null;
    } catch (error) {
      // Not known is said as not known; a helper that does not answer has a condition of its own.
      if (!(error instanceof AgentError)) throw error;
      flags = null;
    }
  }

  return {
    flags: () => flags,
    ask(files, now, signal) {
      if (helper === null || helper.how.kind === "none" || now - askedAt < EVERY_MS) return null;
      if (files.presence("/dev/vcio") !== "yes") return null;
      askedAt = now;
      return question(helper, signal);
    },
  };
}
