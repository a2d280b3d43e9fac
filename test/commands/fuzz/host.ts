/**
 * A host for random streams: a helper that is well, gone, refuses, lies or hangs, shutdowns that take their time, and
 * time that only passes when the stream says so. Like the real helper it knows ids, over boots too.
 */
import type { CallOptions } from "../../../src/helper/port.ts";
import { AgentError } from "../../../src/model/errors.ts";

/** unknown: nothing was done, and nobody says so; unknown_done: it was done. slow: it begins only when the stream says. */
export const HELPER_MODES = [
  "well",
  "absent",
  "refusing",
  "failing",
  "unknown",
  "unknown_done",
  "slow",
] as const;
export type HelperMode = (typeof HELPER_MODES)[number];

/** Operations that touch something. */
const HARDWARE = ["reboot", "smart.test", "drive.locate"] as const;

interface Held {
  readonly operation: string;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly deadline: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface FuzzHost {
  readonly operations: Record<
    string,
    (args: object, id: string | undefined, signal: AbortSignal, about: CallOptions | undefined) => unknown
  >;
  mode: HelperMode;
  /** The id for which the host is going down. */
  readonly goingDown: string | null;
  /** How often something was really done for an id. */
  readonly acts: ReadonlyMap<string, number>;
  /** What it has in its hands is begun, if it still may be. */
  goOn(): void;
  /** Somebody takes the shutdown back. */
  giveUp(): void;
  /** For the executor's waits. */
  pause(ms: number): Promise<void>;
  /** To be called when uptime has moved on. */
  timePassed(): void;
  /** The agent ended: its waits are over. */
  agentEnded(): void;
  /** The host is on another boot. */
  booted(): void;
}

export function fuzzHost(
  uptimeMs: () => number,
  called: (operation: string, id: string, source: string | undefined) => void,
  acted: (operation: string, id: string) => void,
): FuzzHost {
  /** The helper's own record, which is not lost with the agent's state. */
  const known = new Map<string, "begun" | "done" | "failed">();
  const acts = new Map<string, number>();
  let held: Held | null = null;
  let goingDown: string | null = null;
  let pauses: { at: number; end: () => void }[] = [];

  function act(operation: string, id: string): unknown {
    known.set(id, "done");
    acts.set(id, (acts.get(id) ?? 0) + 1);
    acted(operation, id);
    if (operation === "reboot") goingDown = id;
    return {};
  }

  function change(
    operation: string,
    id: string | undefined,
    signal: AbortSignal,
    about: CallOptions | undefined,
  ): unknown {
    called(operation, String(id), about?.source);
    if (id === undefined) throw new AgentError("helper_refused", "a change needs an id");
    if (host.mode === "absent") throw new AgentError("helper_absent", "nobody listens");
    if (host.mode === "refusing") throw new AgentError("helper_refused", "not allowed");
    const before = known.get(id);
    if (before === "done" && operation !== "reboot") return {};
    if (before !== undefined) throw new AgentError("outcome_unknown", "this id was begun before");
    if (host.mode === "failing") {
      known.set(id, "failed");
      throw new AgentError(operation === "reboot" ? "reboot_failed" : "helper_failed", "it came to nothing");
    }
    if (host.mode === "unknown") throw new AgentError("helper_timeout", "no answer");
    if (host.mode === "unknown_done") {
      act(operation, id);
      throw new AgentError("helper_protocol", "garbage");
    }
    if (host.mode === "well") return act(operation, id);
    const deadline = uptimeMs() + (about?.deadlineMs ?? 0);
    return new Promise((resolve, reject) => {
      held = { operation, id, signal, deadline, resolve, reject };
    });
  }

  const isWanted = (one: Held): boolean => !one.signal.aborted && uptimeMs() < one.deadline;

  function look(args: object): unknown {
    if (host.mode === "absent") throw new AgentError("helper_absent", "nobody listens");
    const { id } = args as { id: string | null };
    const state = id === null ? undefined : known.get(id);
    return {
      known: state === undefined ? null : { state, steps: ["systemctl reboot"] },
      in_flight: held !== null && isWanted(held),
      shutdown: { scheduled: false, under_way: goingDown !== null },
      doubt: null,
    };
  }

  const host: FuzzHost = {
    operations: {
      ...Object.fromEntries(
        HARDWARE.map((name) => [
          name,
          (_args: object, id: string | undefined, signal: AbortSignal, about: CallOptions | undefined) =>
            change(name, id, signal, about),
        ]),
      ),
      "reboot.look": look,
      "reboot.announce": () => ({}),
    },
    mode: "well",
    get goingDown() {
      return goingDown;
    },
    acts,
    goOn() {
      const one = held;
      held = null;
      if (one === null) return;
      if (isWanted(one)) one.resolve(act(one.operation, one.id));
      else one.reject(new AgentError("helper_timeout", "too late, not begun"));
    },
    giveUp() {
      goingDown = null;
    },
    pause: (ms) =>
      new Promise((resolve) => {
        pauses.push({ at: uptimeMs() + ms, end: resolve });
      }),
    timePassed() {
      if (held !== null && !isWanted(held)) host.goOn();
      for (const { at, end } of pauses) if (at <= uptimeMs()) end();
      pauses = pauses.filter(({ at }) => at > uptimeMs());
    },
    agentEnded() {
      for (const { end } of pauses) end();
      pauses = [];
    },
    booted() {
      held = null;
      goingDown = null;
    },
  };
  return host;
}
