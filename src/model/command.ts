/** What a control API (or the control socket) asks this node to do, after parsing. */
export interface Command {
  readonly id: string;
  /** `nodefoundry`, `local`, … */
  readonly source: string;
  readonly nodeId: string;
  /** Anything that is not `live` never touches hardware. */
  readonly mode: "live" | "test";
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly operationId: string | null;
  readonly epoch: string;
  readonly seq: number;
  /** Wall clock of the server, milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly signature: string | null;
}

/** States of the command journal; the last five are final. */
export type CommandState =
  | "received"
  | "accepted"
  | "waiting"
  | "running"
  | "rebooting"
  | "verifying"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "refused"
  | "expired";
