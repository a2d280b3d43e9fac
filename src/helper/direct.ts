/**
 * Direct mode: without systemd (a container, a developer's machine), root and `hardware = true` in the config, the
 * operations are carried out in this very process, with the same checks of policy, limits and ids.
 */
import { randomUUID } from "node:crypto";
import { AgentError } from "../model/errors.ts";
import { monotonic } from "../system/clock.ts";
import { decodeUntrusted, encodeFrame, frameReader, MAX_REQUEST_BYTES } from "./link/frame.ts";
import { readRequest, requestFor } from "./link/request.ts";
import { type HelperOptions, openParts } from "./parts.ts";
import type { HelperPort } from "./port.ts";

export interface DirectHelper extends HelperPort {
  /** No more timers; calls that run are given up. */
  close(): void;
}

/** @throws AgentError `helper_state` */
export function directHelper(options: HelperOptions): DirectHelper {
  const parts = openParts(options);
  const stopping = new AbortController();
  parts.begin();
  return {
    how: { kind: "direct" },
    async call(operation, args, signal, call = {}) {
      // Through the same frame as on the wire: what is refused there is refused here.
      const frame = encodeFrame(
        requestFor(operation, args, randomUUID(), monotonic(), call),
        MAX_REQUEST_BYTES,
      );
      const request = readRequest(
        decodeUntrusted(frameReader(MAX_REQUEST_BYTES).push(frame) ?? frame),
        monotonic(),
      );
      const gone = new AbortController();
      const givenUp = (): void =>
        gone.abort(new AgentError("helper_timeout", `${operation} was given up before it was done`));
      if (signal.aborted) givenUp();
      else signal.addEventListener("abort", givenUp, { once: true });
      try {
        return await parts.carryOut.perform(request, AbortSignal.any([gone.signal, stopping.signal]), null);
      } finally {
        signal.removeEventListener("abort", givenUp);
      }
    },
    close() {
      stopping.abort(new AgentError("helper_failed", "the agent is being stopped"));
      parts.close();
      parts.tellRest();
    },
  };
}
