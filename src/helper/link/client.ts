/** The port of the main process to the helper behind its socket: one connection a call, closed when it is over. */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { AgentError, errorCode } from "../../model/errors.ts";
import { monotonic } from "../../system/clock.ts";
import type { HelperPort } from "../port.ts";
import { decodeBody, encodeFrame, frameReader, MAX_ANSWER_BYTES, MAX_REQUEST_BYTES } from "./frame.ts";
import { fromWireError, readAnswer, requestFor } from "./request.ts";

/**
 * In a folder of root's: systemd makes it and then gives it to the agent's user by name, and whoever may replace it in
 * between would be given what he put there.
 */
export const HELPER_SOCKET = "/run/foundry-agent-helper.sock";
/** How much longer than the deadline the answer "not in time" itself may take; starting the helper included. */
const ANSWER_MS = 10_000;

/** @param options.answerMs how long after the deadline an answer is still waited for; 10 s */
export function socketHelper(options: { path: string; answerMs?: number }): HelperPort {
  const { path, answerMs = ANSWER_MS } = options;
  return {
    how: { kind: "socket" },
    async call(operation, args, signal, call = {}) {
      if (signal.aborted) throw notWaited(operation);
      const request = requestFor(operation, args, randomUUID(), monotonic(), call);
      const frame = encodeFrame(request, MAX_REQUEST_BYTES);
      const withinMs = request.deadline_ms + answerMs;
      const answer = readAnswer(decodeBody(await exchange(path, frame, withinMs, operation, signal)));
      if (answer.ok) return answer.result;
      throw fromWireError(answer.error);
    },
  };
}

/** Send the request, wait for the one frame of the answer. The connection is gone when this is over. */
function exchange(
  path: string,
  request: Buffer,
  withinMs: number,
  operation: string,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const reader = frameReader(MAX_ANSWER_BYTES);
    let received = 0;
    const socket = connect(path);
    const timer = setTimeout(() => {
      fail(new AgentError("helper_timeout", `the helper did not answer ${operation} in time`, JOURNAL));
    }, withinMs);
    const aborted = (): void => fail(notWaited(operation));
    signal.addEventListener("abort", aborted, { once: true });

    function over(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.destroy();
    }
    function fail(error: unknown): void {
      over();
      reject(error);
    }
    socket.once("connect", () => socket.write(request));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      try {
        const body = reader.push(chunk);
        if (body === null) return;
        over();
        resolve(body);
      } catch (error) {
        fail(error);
      }
    });
    // Without a whole frame by now; what resolved or failed before stays as it is.
    socket.on("error", (error) => fail(unreachable(path, error)));
    socket.on("close", () => fail(received === 0 ? endedEarly(operation) : cutOff(operation)));
  });
}

const JOURNAL = "journalctl -u foundry-agent-helper";

function unreachable(path: string, error: unknown): AgentError {
  const code = errorCode(error);
  const cause = { cause: error };
  const start = "systemctl enable --now foundry-agent-helper.socket";
  if (code === "ENOENT" || code === "ENOTDIR")
    return new AgentError("helper_absent", `the helper's socket ${path} is not there`, start, cause);
  if (code === "ECONNREFUSED" || code === "ENOTSOCK" || code === "EPROTOTYPE")
    return new AgentError("helper_absent", `nobody listens on the helper's socket ${path}`, start, cause);
  if (code === "EACCES" || code === "EPERM")
    return new AgentError(
      "helper_absent",
      `the helper's socket ${path} may not be opened by this user`,
      "run the agent as the service does: systemctl start foundry-agent",
      cause,
    );
  if (code === "EAGAIN")
    return new AgentError("helper_busy", "too many calls wait at the helper's socket", null, cause);
  return new AgentError("helper_failed", `the helper can't be asked (${code})`, JOURNAL, cause);
}

function endedEarly(operation: string): AgentError {
  return new AgentError("helper_failed", `the helper ended before it answered ${operation}`, JOURNAL);
}

function cutOff(operation: string): AgentError {
  return new AgentError("helper_protocol", `the helper's answer to ${operation} was cut off`, JOURNAL);
}

function notWaited(operation: string): AgentError {
  return new AgentError("helper_timeout", `${operation} was given up before the helper answered`);
}
