/** What the two sockets (status server) may ask of the daemon; agent.ts builds it. */
import type { AnyCollector } from "../collectors/index.ts";
import type { Ack } from "../collectors/smart/acks/acks.ts";
import type { LocalRequest } from "../commands/executor/types.ts";
import type { GateVerdict, Hold } from "../commands/gates/gate.ts";
import type { CommandRecord, HistoryEntry } from "../commands/record.ts";
import type { CheckResult, ControlStatus } from "../control/control-api.ts";
import type { Located } from "../helper/locate/locate.ts";
import type { Condition } from "../model/condition.ts";
import type { AgentEvent } from "../model/event.ts";
import type { NodeStatus, Report, Section } from "../model/report.ts";
import type { StoredCommand } from "../store/types.ts";
import type { LiveFamilies } from "./metrics/live/live.ts";

export interface ApiStatus extends ControlStatus {
  readonly name: string;
  readonly lastSyncAt: number | null;
  readonly lastError: { code: string; text: string; at: number } | null;
  readonly nextDueAt: number | null;
  /** closed: working; open: failing, waiting before the next try. */
  readonly breaker: "closed" | "open";
  readonly failures: number;
  readonly intervalS: number;
  readonly pendingEvents: number;
  readonly sentBytesThisMonth: number;
  readonly receivedBytesThisMonth: number;
  readonly requestsThisMonth: number;
}

export interface CollectorStatus {
  readonly name: string;
  readonly state: Section["state"] | "pending";
  readonly everyMs: number;
  readonly durationMs: number | null;
  readonly runs: number;
  readonly failures: number;
  readonly lastRunAt: number | null;
  readonly nextRunAt: number | null;
}

/** Whether a command from the network could change this host, and by which switches. */
export interface Armed {
  /** `remote` is on, hardware may be touched, and a control API is registered with a live key. */
  readonly armed: boolean;
  /** Of the policy; `unusable`: missing or wrong, so nothing from the network is carried out. */
  readonly remote: "off" | "rehearse" | "on" | "unusable";
  /** `hardware` of the configuration. */
  readonly hardware: boolean;
  /** The least strict of the control APIs. */
  readonly mode: "live" | "test" | "read-only" | null;
  /** Whether commands must be signed; null: the policy can't be used. */
  readonly signed: boolean | null;
}

export interface AgentStatus {
  readonly version: string;
  readonly startedAt: number;
  readonly bootId: string;
  readonly hostname: string;
  readonly nodeId: string | null;
  readonly mode: "live" | "test" | "read-only" | null;
  readonly localOnly: boolean;
  readonly status: NodeStatus;
  readonly hardware: boolean;
  readonly armed: Armed;
  /** metered: rounds are far apart, and commands arrive with them only. */
  readonly networkProfile: "normal" | "metered";
  readonly stateFolder: string;
  readonly conditions: readonly Condition[];
  /** What is absent since the start and may still come: `what` is "whether lldpd runs". */
  readonly notYetKnown: readonly {
    readonly code: string;
    readonly subject?: string;
    readonly what: string;
  }[];
  readonly controlApis: readonly ApiStatus[];
  readonly collectors: readonly CollectorStatus[];
  readonly spool: { events: number; bytes: number; dropped: number };
  /** What is being carried out: running, rebooting, verifying. */
  readonly runningCommand: CommandRecord | null;
  /** Accepted and not begun, in their order, with the reason. */
  readonly waitingCommands: readonly CommandRecord[];
  readonly hold: Hold | null;
}

/** A device and how to speak to it: `/dev/bus/0`, `megaraid,3`. */
export interface SmartWayName {
  readonly device: string;
  readonly type: string;
}

/** Exactly one of serial, wwn and name; `for_s`: seconds until it goes off by itself. */
export type LocateWish = (
  | { readonly serial: string }
  | { readonly wwn: string }
  | { readonly name: string }
) & { readonly on: boolean; readonly for_s?: number };

export interface AgentView {
  status(): AgentStatus;
  report(): Report;
  /** Texts from files that not every user may read: in no sentence that everybody may. */
  confidential(): readonly string[];
  /** `name` → hash of what is stable in the section, as control APIs confirm it. */
  hashes(): Readonly<Record<string, string>>;
  collectors(): readonly AnyCollector[];
  /** What is read for this scrape; of sections that are switched on. */
  live(): LiveFamilies;
  /** As a control API would get it. @throws AgentError `no_such_api`. */
  preview(api: string): string;
  eventsSince(id: string, limit: number): AgentEvent[];
  /** Called for each new event; returns the unsubscriber. */
  onEvent(listener: (event: AgentEvent) => void): () => void;
  commands(limit: number): StoredCommand[];
  command(id: string): StoredCommand | null;
  /** All there is of one command; null when it is not known, or only as a row without a story. */
  commandRecord(id: string): CommandRecord | null;
  /** Oldest first. */
  commandHistory(id: string): HistoryEntry[];
  /** Take a command of somebody on this host into the journal. @throws AgentError the code it is refused with */
  submitCommand(request: LocalRequest): CommandRecord;
  /** @param by who wants it, for history and sentences. @throws AgentError `no_such_command`, `too_late` */
  cancelCommand(id: string, by: string): CommandRecord;
  /** What is missed since the reboot `id` is meant to be so. @param by who says so. @throws AgentError `nothing_to_ack` */
  ackReboot(id: string, by: string): void;
  /** Every gate with its verdict; nothing is written or done. @throws AgentError `unsupported`, `bad_params` */
  dryRunCommand(request: LocalRequest): Promise<readonly GateVerdict[]>;
  /** Every command from the network waits until `release`, over restarts. */
  hold(hold: { reason: string; by: string; until: number | null }): Hold;
  /** @returns what was held, or null */
  release(by: string): Hold | null;
  /** Run one collector now. @throws AgentError `no_such_collector`. */
  collect(name: string): Promise<Section>;
  /** One round with each control API (or one) now; resolves when answered. */
  sync(api?: string): Promise<{ name: string; ok: boolean; text: string; nextStep: string | null }[]>;
  /** Read the configuration again. */
  reload(): Promise<{ ok: boolean; problems: string[] }>;
  /** Drop a missing drive from memory. @throws AgentError `no_such_drive`. */
  forgetDrive(serial: string): Promise<void>;
  /**
   * Today's counters of a drive are known and accepted: no warning until one grows or another reason comes.
   * @param wish `id` as in the section smart; `codes` of reasons, null: all there are
   * @throws AgentError `ack_…`: there is nothing to accept, it is failing, or it can't be written down
   */
  ackDrive(wish: {
    readonly id: string;
    readonly codes: readonly string[] | null;
    readonly note: string | null;
    readonly by: string;
  }): Promise<Ack>;
  /** @param names of the drive, the first one that something was accepted of counts. @returns null: nothing was */
  unackDrive(names: readonly string[], by: string): Promise<Ack | null>;
  /** smartctl's own JSON of one drive, asked for now and kept nowhere. @throws AgentError as `smart.read` */
  smartJson(way: SmartWayName): Promise<unknown>;
  /** What `locate` and `selfTest` ask first. @throws AgentError `refused_mode`, `refused_hardware` */
  mayTouchHardware(): Promise<void>;
  /** Let the light on a drive's slot blink, or end it. @throws AgentError `refused_hardware`, `refused_mode`, or as `drive.locate` */
  locate(wish: LocateWish): Promise<Located>;
  /**
   * Start or end a self-test; the section smart is collected anew after it, not waited for.
   * @returns how many minutes it takes, as far as the drive says
   * @throws AgentError `refused_hardware`, `refused_mode`, or as `smart.test`
   */
  selfTest(way: SmartWayName, test: "short" | "long" | "abort"): Promise<{ minutes: number | null }>;
  /**
   * Make a diagnostics bundle (.tar.gz) under <state_dir>/diagnostics, where at most 3 are kept.
   * @param id what it is named by; the time when left out
   * @throws AgentError `diagnostics_no_space`, `diagnostics_not_writable`, `diagnostics_too_large`
   */
  diagnostics(id?: string): Promise<{ path: string; bytes: number; sha256: string }>;
  check(api?: string): Promise<{ name: string; results: CheckResult[] }[]>;
  /** @param api null: the one that such a key can be for. @throws AgentError `no_such_api`, `api_needed`, `no_enrolment`, or as ControlApi.enroll */
  enroll(
    api: string | null,
    key: string,
    options: { name?: string },
  ): Promise<{ nodeId: string; mode: string; nodeName: string | null }>;
  /** An operator says: this board is still the same node (a changed mainboard); or it is not after all (`undo`). @throws AgentError `nothing_to_adopt` */
  adopt(undo: boolean): Promise<void>;
  resetIdentity(): Promise<void>;
  leave(api?: string): Promise<void>;
  /** healthz: true, or why not. Never false for an unreachable control API. */
  healthy(): { ok: boolean; reason: string | null };
}
