/**
 * `throttled`: what a Raspberry Pi's firmware says about its supply and heat. `vcgencmd get_throttled` prints
 * `throttled=0x50005`; bits 0 to 3 are now (under-voltage, frequency capped, throttled, soft temperature limit),
 * 16 to 19 the same since boot (Raspberry Pi documentation, vcgencmd). It needs /dev/vcio, which only root and
 * the group video may open and Debian's own kernel does not have: then nothing is known, which is not "fine".
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { Operation } from "../operation.ts";

export interface Throttled {
  /** All bits as the firmware gave them. */
  readonly flags: number;
}

const DEVICE = "/dev/vcio";

/** The bits, or null when the text is not what the program prints on success. */
export function parseThrottled(text: string): number | null {
  const found = /^throttled=0x([0-9a-f]{1,8})$/i.exec(text.trim());
  return found ? Number.parseInt(found[1] as string, 16) : null;
}

/** @throws AgentError (on perform) `throttled_unsupported`, `throttled_unreadable`, `program_missing` */
export const throttledOperation: Operation<Record<string, never>, Throttled> = {
  name: "throttled",
  args: v.strictObject({}) as Operation<Record<string, never>>["args"],
  timeoutMs: 10_000,
  policy: null,
  lanes: () => [{ name: "firmware", limit: 1 }],
  async perform(_args, { files, run, signal }) {
    if (files.presence(DEVICE) === "no")
      throw new AgentError("throttled_unsupported", `there is no ${DEVICE}, so the firmware can't be asked`);
    const { stdout, status } = await run(["vcgencmd", "get_throttled"], { timeoutMs: 5_000, signal });
    const flags = status === 0 ? parseThrottled(stdout) : null;
    if (flags === null)
      throw new AgentError(
        "throttled_unreadable",
        "vcgencmd did not say how the firmware is",
        "vcgencmd get_throttled",
      );
    return { flags };
  },
};
