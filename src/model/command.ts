/** What a control API (or the control socket) asks this node to do, after parsing. */
export interface Command {
  readonly id: string;
  /** A control API's name, or `local`. */
  readonly source: string;
  readonly nodeId: string;
  /** Anything that is not `live` never touches hardware. */
  readonly mode: "live" | "test";
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly operationId: string | null;
  readonly epoch: string;
  readonly seq: number;
  /** Wall clock of the server, milliseconds since the epoch; null: the sender has no clock to go by (local). */
  readonly issuedAt: number | null;
  readonly expiresAt: number | null;
  /** Ed25519 over `signedText`, base64; null when it came unsigned. */
  readonly signature: string | null;
  /** RFC 8785 form of the command as it came, without its signature; null when it came unsigned. */
  readonly signedText: string | null;
}

/** States of the command journal; the last six are final. */
export const COMMAND_STATES = [
  "received",
  "accepted",
  "waiting",
  "running",
  "rebooting",
  "verifying",
  "succeeded",
  "failed",
  "cancelled",
  "refused",
  "expired",
  "rehearsed",
] as const;

export type CommandState = (typeof COMMAND_STATES)[number];

/** States in which nothing more becomes of a command. `rehearsed`: all was asked, nothing was done, and nothing is wrong. */
export const FINAL_STATES = [
  "succeeded",
  "failed",
  "cancelled",
  "refused",
  "expired",
  "rehearsed",
] as const satisfies readonly CommandState[];

export type FinalState = (typeof FINAL_STATES)[number];

const FINAL: ReadonlySet<CommandState> = new Set(FINAL_STATES);

/** Final states in which nothing was begun: doing the same command later does it for the first time. */
export const NEVER_BEGUN: readonly CommandState[] = ["refused", "expired", "rehearsed"];

export function isFinal(state: CommandState): boolean {
  return FINAL.has(state);
}

/** Why something is not done, or waits: a stable code, one sentence, what to type next. */
export interface Why {
  readonly code: string;
  readonly text: string;
  readonly nextStep: string | null;
}

/** Seconds. Who is at a terminal is told of a reboot no earlier before it, and the helper tells it of no other. */
export const ANNOUNCED_AHEAD_S = 3_600;
