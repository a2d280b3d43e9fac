/**
 * The Debian package on an emulated machine, registered with a control plane over TLS, and allowed to reboot as often as
 * a test wants.
 */
import { execFile } from "node:child_process";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../support/net/nodefoundry.ts";
import { certificate, certificatePath } from "../support/net/tls.ts";
import { configure, installPackage, keepJournal } from "./install-package.ts";
import { setTrap, trapSnapped } from "./trap.ts";
import { until } from "./until.ts";
import { bootVm, type Vm } from "./vm.ts";

const LIFE_SECONDS = 1_800;
const SYNC = "/v1/nodes/*/sync";
/** systemd's catalog (sd-messages.h): a unit is being started; it was ended and will be started again. */
const STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5";
const RESTART_SCHEDULED = "5eb03494b6584870a536b337290809b3";

const FINAL = new Set(["succeeded", "failed", "cancelled", "refused", "expired", "rehearsed"]);

type Command = SandboxSnapshot["commands"][number];
type Operation = SandboxSnapshot["operations"][number];

export interface Asked {
  readonly operation: string;
  readonly command: string;
}

/** A line of the helper's log: a call's end, or a step of it. */
export interface HelperCall {
  readonly audit: string;
  readonly id: string;
  readonly outcome: string;
  readonly message?: string;
}

export interface RebootLab {
  readonly vm: Vm;
  readonly sandbox: Sandbox;
  /** One call of the control API by curl, with the account's key. @returns `data` of its answer */
  curl(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Ask for a reboot by curl. */
  ask(method: "graceful" | "hard"): Promise<Asked>;
  /** Resolves once a round of the agent has met this fault, so that no long poll of it is open. */
  nothingGetsThrough(): Promise<void>;
  /** Resolves when the server has sent the command out. */
  delivered(asked: Asked): Promise<void>;
  /** Resolves when the server has the operation's end. */
  finished(asked: Asked): Promise<{ operation: Operation; command: Command }>;
  /** Events of this type that the node told, in their order. */
  told(type: string): readonly SandboxSnapshot["events"][string][number][];
  /** Every final state that it told of a command, in the order in which it did. */
  ends(asked: Asked): unknown[];
  /** Wait for something, seconds at most. @throws Error that names it */
  until<T>(what: string, seconds: number, probe: () => Promise<T | null> | T | null): Promise<T>;
  /** The next line of the agent's log with this text in it has a line of shell run. Ready when it resolves. */
  trap(text: string, doing: string): Promise<void>;
  /** Resolves when the trap has snapped and what it does is done. */
  trapped(): Promise<void>;
  /** What systemd did with the agent on a boot. */
  starts(boot: string): Promise<{ starts: number; restarts: number }>;
  /** What the helper's own log has of a boot. */
  helperCalls(boot: string): Promise<HelperCall[]>;
  close(): Promise<void>;
}

/** Boot, install, register; resolves when the server has heard from the node. */
export async function openRebootLab(): Promise<RebootLab> {
  const sandbox = await startSandbox({
    tls: certificate("server"),
    nodeRequestsAMinute: 600,
    intervalS: 10,
    waitS: 5,
  });
  const port = Number(new URL(sandbox.url).port);
  let vm: Vm | null = null;
  try {
    vm = await bootVm({ reaches: port, lifeSeconds: LIFE_SECONDS });
    await keepJournal(vm);
    await installPackage(vm);
    await configure(vm, sandbox.keys.enrol);
    return await openLab(vm, sandbox);
  } catch (error) {
    await vm?.stop();
    await sandbox.close();
    throw error;
  }
}

async function openLab(vm: Vm, sandbox: Sandbox): Promise<RebootLab> {
  const node = await until("the node to be registered and heard of", 120, () => {
    const [found] = sandbox.inspect().nodes;
    return found?.sync ? found.id : null;
  });

  async function curl(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const args = ["-sS", "--fail-with-body", "--max-time", "20", "--cacert", certificatePath("ca")];
    const sent = body === undefined ? [] : ["-d", JSON.stringify(body)];
    const answer = await new Promise<string>((resolve, reject) => {
      const process = execFile(
        "curl",
        [...args, "-H", "@-", "-X", method, ...sent, `${sandbox.url}${path}`],
        (error, stdout, stderr) =>
          error === null ? resolve(stdout) : reject(new Error(`curl ${method} ${path}: ${stderr}${stdout}`)),
      );
      // From its standard input, not for everybody to see among its arguments.
      process.stdin?.end(`Authorization: Bearer ${sandbox.keys.live}\n`);
    });
    return (JSON.parse(answer) as { data: Record<string, unknown> }).data;
  }

  const commandOf = ({ command }: Asked) => sandbox.inspect().commands.find(({ id }) => id === command);

  const told: RebootLab["told"] = (type) =>
    (sandbox.inspect().events[node] ?? []).filter((event) => event.type === type);

  return {
    vm,
    sandbox,
    curl,
    until,
    told,
    ends: ({ command }) =>
      told("command.state")
        .filter(({ data }) => data.command_id === command)
        .map(({ data }) => data.state)
        .filter((state) => FINAL.has(String(state))),
    async ask(method) {
      const body = { method, drain_osds: false };
      const answer = await curl("POST", `/v1/nodes/${node}/reboot`, body);
      return { operation: String(answer.operation_id), command: String(answer.command_id) };
    },
    async nothingGetsThrough() {
      const count = 1_000_000;
      const id = sandbox.faults.set({ kind: "503", path: SYNC, count });
      await until("a round of the agent to be refused", 60, () =>
        sandbox.faults.list().find((fault) => fault.id === id)?.count === count ? null : true,
      );
    },
    delivered: async (asked) => {
      await until("the command to be sent out", 60, () => (commandOf(asked)?.delivered ? true : null));
    },
    finished: (asked) =>
      until(`the end of ${asked.command}`, 180, () => {
        const operation = sandbox.inspect().operations.find(({ id }) => id === asked.operation);
        const command = commandOf(asked);
        return command && operation && operation.finishedAt !== null ? { operation, command } : null;
      }),
    trap: (text, doing) => setTrap(vm, text, doing),
    trapped: () => trapSnapped(vm),
    async starts(boot) {
      const count = async (message: string): Promise<number> =>
        Number(
          await vm.ok(
            `journalctl -q -b ${plain(boot)} -o cat UNIT=foundry-agent.service MESSAGE_ID=${message} | wc -l`,
          ),
        );
      return { starts: await count(STARTING), restarts: await count(RESTART_SCHEDULED) };
    },
    async helperCalls(boot) {
      const lines = await vm.ok(`journalctl -q -b ${plain(boot)} -o cat -u foundry-agent-helper`);
      return lines.split("\n").flatMap((line): HelperCall[] => {
        const [, audit, how, message] = /^([a-z_.]+): (\w+)(?:: (.*?))?(?= \w+=|$)/.exec(line) ?? [];
        if (audit === undefined || how === undefined) return [];
        const [, id = ""] = / id=(\S+)/.exec(line) ?? [];
        const outcome = how === "done" ? "ok" : how;
        return [{ audit, id, outcome, ...(message !== undefined && { message }) }];
      });
    },
    async close() {
      await vm.stop();
      await sandbox.close();
    },
  };
}

/** As journalctl takes and writes them. */
export const plain = (bootId: string): string => bootId.replaceAll("-", "");
