/** What the driver of the crash matrix tells the processes it kills. */

export type CommandKind = "reboot" | "two_steps" | "marked_reboot";
/** Of the first life: answers arrive, get lost on the way back, or there is no server. */
export type ServerMode = "arrives" | "answer_lost" | "gone";
/** protocol: until something of the command has arrived at the server; always: at each start, whatever it knows. */
export type Redelivery = "protocol" | "always";
export type Role = "main" | "helper";
/** What goes wrong on purpose, to see that the matrix sees it. */
export type Mutant = "none" | "unsynced_journal" | "late_intent" | "calls_again";

export interface Kill {
  /** Name of the point, or how many points after the start of the process. */
  readonly at: string | number;
  readonly victims: readonly Role[];
}

export interface Job {
  readonly role: Role;
  /** Both in one process, as in direct mode. */
  readonly together: boolean;
  /** Folder of everything: the root of the host, the states, the log. */
  readonly world: string;
  readonly kind: CommandKind;
  readonly server: ServerMode;
  readonly redelivery: Redelivery;
  /** 1 is the first. */
  readonly life: number;
  readonly kill: Kill | null;
  /** Keep copies of what is fsynced, for a loss of the rest. */
  readonly copies: boolean;
  readonly mutant: Mutant;
}

/** One line of the world's log, in the order in which things happened. */
export type LogLine =
  /** A program asked the host to reboot, on this boot. */
  | { readonly kind: "reboot"; readonly boot: string }
  /** The second step of `two_steps` was done. */
  | { readonly kind: "act" }
  /** The store has promised to keep it. */
  | { readonly kind: "promised"; readonly id: string; readonly state: string | null }
  | {
      readonly kind: "arrived";
      readonly id: string;
      readonly type: string;
      readonly data: Readonly<Record<string, unknown>>;
    }
  /** The command was handed to the executor. @see again: its end had been told and taken note of */
  | { readonly kind: "delivered"; readonly again: boolean }
  | { readonly kind: "point"; readonly role: Role; readonly name: string; readonly life: number }
  | { readonly kind: "killed"; readonly at: string }
  /** The host is up again. */
  | { readonly kind: "boot"; readonly boot: string }
  /** The host went down, as it was asked to. */
  | { readonly kind: "down" };

export const COMMAND_ID = "cmd_matrix";
export const SOURCE = "nodefoundry";

/** Where things are in a world. */
export const places = (world: string) => ({
  root: `${world}/root`,
  bootId: `${world}/root/proc/sys/kernel/random/boot_id`,
  uptime: `${world}/root/proc/uptime`,
  programs: `${world}/bin`,
  /** Somebody has asked the host to reboot, on this boot. */
  stopping: `${world}/stopping`,
  /** The change that has to be taken back. */
  mark: `${world}/mark`,
  log: `${world}/log`,
  state: `${world}/state`,
  helperState: `${world}/helper`,
  policy: `${world}/policy.toml`,
  socket: `${world}/helper.sock`,
  /** Copies of what is fsynced: `main.N` and `helper.N`, and which N counts. */
  synced: `${world}/synced`,
  pid: (role: Role) => `${world}/${role}.pid`,
});
