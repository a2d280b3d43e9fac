/**
 * `lldp`: the neighbours that lldpd has heard of. Its socket is open to root and the group _lldpd only, which
 * is why the helper asks.
 */
import * as v from "valibot";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Operation } from "../operation.ts";
import { neighborSchema, parseNeighbors } from "./neighbors.ts";

const TIMEOUT_MS = 10_000;
/** A program that hangs is killed before the operation's own time is over, so that it can say so. */
const PROGRAM_MS = 8_000;

export const lldpResult = v.object({ neighbors: v.array(neighborSchema) });
export type LldpResult = v.InferOutput<typeof lldpResult>;

/** @throws AgentError `lldp_lldpcli_missing`, `lldp_hang`, `lldp_not_allowed`, `lldp_not_running`, `lldp_no_answer` */
export const lldp: Operation<Record<never, never>, LldpResult> = {
  name: "lldp",
  args: v.strictObject({}),
  timeoutMs: TIMEOUT_MS,
  lanes: () => [{ name: "lldp", limit: 1 }],
  policy: null,
  async perform(_args, { run, signal }) {
    const argv = ["lldpcli", "-f", "json", "show", "neighbors"] as const;
    const result = await run(argv, { timeoutMs: PROGRAM_MS, signal }).catch((error: unknown) => {
      throw errorCode(error) === "program_missing"
        ? new AgentError(
            "lldp_lldpcli_missing",
            "The program lldpcli is not installed",
            "apt-get install lldpd",
            {
              cause: error,
            },
          )
        : error;
    });
    if (result.ended === "timed_out" || result.ended === "aborted")
      throw new AgentError(
        "lldp_hang",
        "The daemon lldpd did not answer within 8 s",
        "systemctl restart lldpd",
      );
    const neighbors = result.status === 0 ? parseNeighbors(result.stdout) : null;
    if (neighbors !== null) return { neighbors };
    if (/permission denied/i.test(result.stderr))
      throw new AgentError(
        "lldp_not_allowed",
        "The socket of lldpd may not be opened by this process",
        "ls -l /run/lldpd.socket",
      );
    if (/unable to connect/i.test(result.stderr))
      throw new AgentError("lldp_not_running", "The daemon lldpd does not run", "systemctl start lldpd");
    throw new AgentError(
      "lldp_no_answer",
      "The program lldpcli gave no usable answer",
      "lldpcli -f json show neighbors",
    );
  },
};
