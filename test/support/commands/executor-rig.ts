/** An executor on a real store, with a host whose boot, uptime, helper and gates a test decides on. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Picture } from "../../../src/commands/after-boot/picture.ts";
import { openExecutor } from "../../../src/commands/executor/executor.ts";
import type { GatePort, HostPort } from "../../../src/commands/executor/ports.ts";
import type { Delivery, Executor } from "../../../src/commands/executor/types.ts";
import type { GateVerdict } from "../../../src/commands/gates/gate.ts";
import { COMMAND_TYPES } from "../../../src/commands/index.ts";
import type { CallOptions, HelperPort } from "../../../src/helper/port.ts";
import type { Command } from "../../../src/model/command.ts";
import type { ConditionDraft } from "../../../src/model/condition.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { openHoldFile } from "../../../src/store/hold-file.ts";
import { openStore } from "../../../src/store/store.ts";
import type { Store } from "../../../src/store/types.ts";
import { temporaryFolder } from "../machine/tree.ts";
import { type Life, mortal } from "../store/mortal.ts";
import { type HandClock, handClock, START } from "../store/store.ts";
import { type Recorded, recordedLog } from "../text/log.ts";

export interface Host {
  bootId: string;
  uptimeMs: number;
  /** What root does; by operation. Nothing there: nobody is root. */
  operations: Record<
    string,
    (args: object, id: string | undefined, signal: AbortSignal, about: CallOptions | undefined) => unknown
  >;
  gates: readonly GateVerdict[];
  readonly calls: { operation: string; args: object; id: string | undefined }[];
  conditions: readonly ConditionDraft[];
  /** What a look sees now; null: nobody wants the node to be looked at. */
  seen: Picture | null;
  readonly looks: ("note" | "look")[];
  /** What was kept of the last look after a boot. */
  kept: { readonly id: string; readonly regressed: readonly string[] } | null;
  way: "firmware" | "kexec" | null;
}

export interface RigOptions {
  /** What the executor gets in the store's place: to see what is written, or to break it. */
  readonly through?: (store: Store) => Store;
  /** In the place of what the rig gives the executor. */
  readonly pause?: HostPort["pause"];
  readonly gates?: Partial<GatePort>;
}

export interface Rig {
  readonly host: Host;
  readonly clock: HandClock;
  /** What was logged, by every life. */
  readonly lines: Recorded["lines"];
  folder: string;
  store: Store;
  executor: Executor;
  /** The agent ends and is started again, on the boot that `host` says. @param between what happens to its folder meanwhile */
  restart(between?: (folder: string) => void): Promise<void>;
  /** As by SIGKILL, at this very moment: what is on the disk now is all that is left of it. */
  kill(): void;
  /** Started again after a `kill`. lost: the state is gone too. */
  revive(state: "kept" | "lost"): Promise<void>;
  end(): Promise<void>;
  /** One delivery from nodefoundry at the server's time START. */
  deliver(given: Partial<Delivery>): string[];
  /** `command.state` events of an id, oldest first: state, or `state!code` with an error. */
  told(id: string): string[];
  state(id: string): string | undefined;
}

export function rig(
  host: Partial<Host> = {},
  { through = (store) => store, pause, gates = {} }: RigOptions = {},
): Rig {
  /** What a kill left on the disk. */
  let left = "";
  const folders: string[] = [];
  /** Of the present life, as soon as it can do anything. */
  let present: { readonly folder: string; readonly executor: Executor };
  let life: Life = { dead: false };
  const { log, lines } = recordedLog();
  const clock = handClock();
  const all: Host = {
    bootId: "boot-1",
    uptimeMs: 1_000_000,
    operations: {},
    gates: [],
    calls: [],
    conditions: [],
    seen: null,
    looks: [],
    kept: null,
    way: null,
    ...host,
  };

  const helperOf = (life: Life): HelperPort => ({
    how: { kind: "socket" },
    async call(operation, args, signal, about) {
      if (life.dead) throw new AgentError("helper_timeout", "this process was killed");
      all.calls.push({ operation, args, id: about?.id });
      const act = all.operations[operation];
      if (act === undefined)
        throw new AgentError("helper_absent", "nobody listens on the helper's socket", "systemctl start it");
      const gone = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new AgentError("helper_timeout", "given up")), {
          once: true,
        });
      });
      // Also where nobody waits for it any more.
      gone.catch(() => undefined);
      return await Promise.race([act(args, about?.id, signal, about), gone]);
    },
  });

  function start(folder: string): Pick<Rig, "store" | "executor" | "folder"> {
    const born: Life = { dead: false };
    life = born;
    const store = openStore(folder, { clock });
    store.setSubscribers(["nodefoundry"]);
    const helper = helperOf(born);
    const executor = openExecutor({
      types: COMMAND_TYPES,
      state: {
        journal: mortal(through(store), born),
        values: mortal(store.values("commands"), born),
        durable: () => store.mode === "ok",
        memory: mortal(store.memory("commands.server_time"), born),
        holds: mortal(openHoldFile(folder), born),
        lost: { get: () => store.lost, set: store.keepLost, sources: () => ["nodefoundry"] },
      },
      host: {
        bootId: all.bootId,
        uptimeMs: () => all.uptimeMs,
        clock,
        way: () => all.way,
        ...(pause && { pause }),
      },
      gates: {
        settings: () => ({ graceS: 0, splayS: 0 }),
        policy: () => ({ policy: null, problem: null, file: "policy.toml" }),
        nodeId: () => "node_1",
        signature: () => null,
        verdicts: async () => all.gates,
        ...gates,
      },
      hands: { helper: () => helper, undo: {} },
      afterBoot: {
        async note() {
          all.looks.push("note");
          return all.seen;
        },
        async look() {
          all.looks.push("look");
          return all.seen ?? { seen: [], items: [], settled: true };
        },
        boundMs: () => (all.seen === null ? 0 : 180_000),
        keep(id, { regressed }) {
          all.kept = { id, regressed: regressed.map(({ name }) => name) };
        },
      },
      tell: {
        log,
        report: async () => undefined,
        conditions: (conditions) => {
          all.conditions = conditions;
        },
      },
    });
    present = { folder, executor };
    executor.start({
      acts: {
        collect: async (sections) => ({ collected: sections ?? [], failed: [] }),
        smartWay: (device) => ({ device: `/dev/${device}`, type: "sat" }),
        diagnostics: async () => ({}),
      },
      changed: () => undefined,
    });
    return { store, executor, folder };
  }

  async function end(): Promise<void> {
    try {
      await made.executor.stop();
    } catch (error) {
      if (!life.dead) throw error;
    }
    made.store.close();
  }

  const firstFolder = temporaryFolder();
  folders.push(firstFolder);
  const made: Rig = {
    host: all,
    clock,
    lines,
    ...start(firstFolder),
    async restart(between) {
      await end();
      between?.(made.folder);
      Object.assign(made, start(made.folder));
    },
    kill() {
      if (life.dead) return;
      left = mkdtempSync(join(tmpdir(), "foundry-test-"));
      folders.push(left);
      cpSync(present.folder, left, { recursive: true, filter: (path) => !path.endsWith("lock.db") });
      life.dead = true;
      // Only so that it lets go of what it waits for: nothing it does has an effect any more.
      present.executor.stop().catch(() => undefined);
    },
    async revive(state) {
      await end();
      if (state === "lost") rmSync(left, { recursive: true });
      Object.assign(made, start(left));
    },
    async end() {
      await end();
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
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
  onTestFinished(made.end);
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
