/**
 * The world around the state machine as a value: disks, processes, host, server and what may still go wrong. Small on
 * purpose: time is three ticks, a message is there or not, and only what somebody can tell apart is kept.
 */
import { type Plan, REBOOT_STEP } from "../../../src/commands/command-type.ts";
import type { Asked, Progress } from "../../../src/commands/record.ts";
import type { FinalState } from "../../../src/model/command.ts";

/** Where the main process is, named after what it does next. Between two of these it can be killed. */
export type Point =
  | "dead"
  /** The loop of executor.ts: what is in the journal decides. */
  | "top"
  /** carryOn() of executor.ts, after its own transition to `running`. */
  | "carry"
  /** Steps of a command: the undo record, the change, the transition. */
  /** verify.ts, after the boot. */
  | "seeing"
  | "undo"
  | "act"
  | "acted"
  | "act_failed"
  /** reboot-flow.ts. */
  | "report"
  | "call"
  | "awaiting"
  | "answered_taken"
  | "answered_refused"
  | "answered_unknown"
  | "watch"
  | "looking"
  | "looked_stays"
  | "looked_possible"
  | "new_boot";

/** Where the helper is, in the order of changes.ts. */
export type HelperPoint =
  | "dead"
  | "idle"
  | "open"
  | "there_1"
  | "begin"
  | "there_2"
  | "withdraw"
  | "spawn"
  | "running"
  | "end_done"
  | "end_failed";

export interface World {
  /** The last committed record; null: not taken yet. */
  readonly record: Progress | null;
  readonly main: Point;
  /** Finals whose event is in the spool; r: a refusal that is in memory only, because nothing could be written. */
  readonly spool: "" | FinalState | "memory_refused";
  readonly acknowledged: boolean;
  /** What the server was told as the end. */
  readonly told: "" | FinalState;
  readonly deliveries: number;
  /** Somebody asked the server to cancel it. */
  readonly cancelAsked: boolean;
  /** 0: before the call deadline, 1: after it, 2: SETTLE_MS later, when every program was ended. */
  readonly clock: 0 | 1 | 2;
  /** The request is in the socket. */
  readonly message: boolean;
  /** The answer of the helper for a main process that waits. */
  readonly answer: "" | "taken" | "refused" | "unknown";
  /** The main process that sent the request is still connected. */
  readonly connected: boolean;
  readonly helper: HelperPoint;
  readonly helperRecord: "" | "begun" | "done" | "failed";
  /** `systemctl reboot` runs; also without the helper that started it. */
  readonly program: boolean;
  /** What the look has seen so far. */
  readonly seenShutdown: boolean;
  /** The look before this one said that nothing is under way. */
  readonly quiet: boolean;
  readonly boot: number;
  readonly shutdown: "" | "command" | "other";
  /** How often `systemctl reboot` was taken for this id. */
  readonly acts: number;
  /** How often the host went down because of it. */
  readonly reboots: number;
  /** The other command: a change with its undo record, and work that must not be done twice. */
  readonly undo: boolean;
  readonly undone: boolean;
  readonly changed: boolean;
  readonly works: number;
  readonly faults: number;
}

export interface Scenario {
  readonly name: string;
  readonly mode: "live" | "test";
  readonly reboot: boolean;
}

export const MAX_FAULTS = 3;
export const MAX_DELIVERIES = 3;

export const START: World = {
  record: null,
  main: "top",
  spool: "",
  acknowledged: false,
  told: "",
  deliveries: 0,
  cancelAsked: false,
  clock: 0,
  message: false,
  answer: "",
  connected: false,
  helper: "dead",
  helperRecord: "",
  program: false,
  seenShutdown: false,
  quiet: false,
  boot: 0,
  shutdown: "",
  acts: 0,
  reboots: 0,
  undo: false,
  undone: false,
  changed: false,
  works: 0,
  faults: 0,
};

export const REBOOT_PLAN: Plan = { steps: [REBOOT_STEP], isIdempotent: (step) => step === REBOOT_STEP };
/** `set` makes a change that is to be taken back, `work` must not be done twice; neither is idempotent. */
export const WORK_PLAN: Plan = { steps: ["set", "work"], isIdempotent: () => false };

export const ASKED: Asked = {
  id: "cmd_1",
  source: "nodefoundry",
  nodeId: "node_1",
  mode: "live",
  type: "reboot",
  params: {},
  operationId: "op_1",
  epoch: "e1",
  seq: 1,
  issuedAt: null,
  expiresAt: null,
  signature: null,
  signedText: null,
  receivedAt: 0,
  by: null,
  reason: null,
};

const recordKeys = new WeakMap<Progress, string>();

/** Everything in which two records of one command can differ. */
function recordKey(record: Progress | null): string {
  if (record === null) return "-";
  let key = recordKeys.get(record);
  if (key === undefined) {
    const { state, step, why, reboot, cancelledBy, result } = record;
    key = [
      state,
      step ?? "",
      why?.code ?? "",
      reboot === null ? "" : `${reboot.fromBootId}${reboot.answer}`,
      cancelledBy ?? "",
      JSON.stringify(result),
    ].join("/");
    recordKeys.set(record, key);
  }
  return key;
}

/** The same text for the same world. */
export function keyOf(world: World): string {
  let key = recordKey(world.record);
  for (const name of NAMES) {
    const value = world[name];
    key += typeof value === "boolean" ? (value ? "|t" : "|f") : `|${value}`;
  }
  return key;
}

const NAMES = Object.keys(START).filter((name) => name !== "record") as Exclude<keyof World, "record">[];
