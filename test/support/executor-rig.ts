/** An executor on a real store, with a host whose boot, uptime, helper and gates a test decides on. */
import { onTestFinished } from "vitest";
import { openStore } from "../../src/agent/store.ts";
import type { Store } from "../../src/agent/store-types.ts";
import { openExecutor } from "../../src/commands/executor.ts";
import type { Delivery, Executor } from "../../src/commands/executor-types.ts";
import type { GateVerdict } from "../../src/commands/gate.ts";
import { COMMAND_TYPES } from "../../src/commands/index.ts";
import type { HelperPort } from "../../src/helper/port.ts";
import type { Command } from "../../src/model/command.ts";
import type { ConditionDraft } from "../../src/model/condition.ts";
import { AgentError } from "../../src/model/errors.ts";
import { recordedLog } from "./log.ts";
import { type HandClock, handClock, START } from "./store.ts";
import { temporaryFolder } from "./tree.ts";

export interface Host {
  bootId: string;
  uptimeMs: number;
  /** What root does; by operation. Nothing there: nobody is root. */
  operations: Record<string, (args: object, id: string | undefined) => unknown>;
  gates: readonly GateVerdict[];
  readonly calls: { operation: string; args: object; id: string | undefined }[];
  conditions: readonly ConditionDraft[];
}

export interface Rig {
  readonly host: Host;
  readonly clock: HandClock;
  readonly folder: string;
  store: Store;
  executor: Executor;
  /** The agent ends and is started again, on the boot that `host` says. */
  restart(): Promise<void>;
  /** One delivery from nodefoundry at the server's time START. */
  deliver(given: Partial<Delivery>): string[];
  /** `command.state` events of an id, oldest first: state, or `state!code` with an error. */
  told(id: string): string[];
  state(id: string): string | undefined;
}

export function rig(host: Partial<Host> = {}): Rig {
  const folder = temporaryFolder();
  const clock = handClock();
  const all: Host = {
    bootId: "boot-1",
    uptimeMs: 1_000_000,
    operations: {},
    gates: [],
    calls: [],
    conditions: [],
    ...host,
  };

  const helper: HelperPort = {
    how: { kind: "socket" },
    async call(operation, args, signal, about) {
      all.calls.push({ operation, args, id: about?.id });
      const act = all.operations[operation];
      if (act === undefined)
        throw new AgentError("helper_absent", "nobody listens on the helper's socket", "systemctl start it");
      const gone = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new AgentError("helper_timeout", "given up")), {
          once: true,
        });
      });
      return await Promise.race([act(args, about?.id), gone]);
    },
  };

  function start(): { store: Store; executor: Executor } {
    const store = openStore(folder, { clock });
    store.setSubscribers(["nodefoundry"]);
    const executor = openExecutor({
      store,
      values: store.values("commands"),
      memory: store.memory("commands.server_time"),
      types: COMMAND_TYPES,
      clock,
      bootId: all.bootId,
      uptimeMs: () => all.uptimeMs,
      log: recordedLog().log,
      settings: () => ({ graceS: 0, splayS: 0 }),
      helper: () => helper,
      policy: () => ({ policy: null, problem: null }),
      nodeId: () => "node_1",
      signature: () => null,
      gates: async () => all.gates,
      acts: {
        collect: async (sections) => ({ collected: sections ?? [], failed: [] }),
        smartWay: (device) => ({ device: `/dev/${device}`, type: "sat" }),
        diagnostics: async () => ({}),
      },
      undoActions: {},
      report: async () => undefined,
      conditions: (conditions) => {
        all.conditions = conditions;
      },
      changed: () => undefined,
    });
    executor.start();
    return { store, executor };
  }

  async function end(): Promise<void> {
    await made.executor.stop();
    made.store.close();
  }

  const made: Rig = {
    host: all,
    clock,
    folder,
    ...start(),
    async restart() {
      await end();
      Object.assign(made, start());
    },
    deliver: (given) =>
      made.executor.deliver({
        source: "nodefoundry",
        commands: [],
        cancel: [],
        openCommands: [],
        rejected: [],
        serverNow: START,
        ...given,
      }),
    told: (id) =>
      made.store
        .eventsSince("", 1_000)
        .filter(({ type, data }) => type === "command.state" && data.command_id === id)
        .map(({ data }) => {
          const error = data.error as { code: string } | undefined;
          return error === undefined ? String(data.state) : `${String(data.state)}!${error.code}`;
        }),
    state: (id) => made.store.command(id)?.state,
  };
  onTestFinished(end);
  return made;
}

let numbers = 0;

/** A reboot for this node, live, good for an hour from START. */
export function command(id: string, more: Partial<Command> = {}): Command {
  return {
    id,
    source: "nodefoundry",
    nodeId: "node_1",
    mode: "live",
    type: "reboot",
    params: { drain_osds: false },
    operationId: null,
    epoch: "e1",
    seq: ++numbers,
    issuedAt: START,
    expiresAt: START + 3_600_000,
    signature: null,
    signedText: null,
    ...more,
  };
}
