/**
 * A Debian with the package installed and registered with a live key of a sandbox in this process, its state on a folder
 * of this host that outlives its boots; and what tests of commands ask and look at.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../scripts/paths.mjs";
import { isFinal } from "../../../src/model/command.ts";
import { type Sandbox, startSandbox } from "../../support/net/nodefoundry.ts";
import { type Booted, boot, labDeb, until } from "../nspawn.ts";

export const STATE = "/var/lib/foundry-agent";
export const POLICY = "/etc/foundry-agent/policy.toml";
const HELPER_STATE = "/var/lib/foundry-agent-helper";
const BOOT_ID = "/proc/sys/kernel/random/boot_id";
/** The host may have been started a minute ago, and a minute of grace is a minute of this test. */
const NO_DELAY = "[commands]\ngrace_s = 0\nsplay_s = 0\nuptime_guard_s = 0\nafter_boot_s = 15\n";
/**
 * nspawn lays a boot id of its own over that of /proc; systemd 252 gives a unit with ProtectProc= a new /proc without
 * it, which on a host is the same one. 257 leaves it where it is.
 */
const BOOT_ID_COPY = "/run/lab-boot-id";
const OWN_BOOT_ID = `[Service]\nBindReadOnlyPaths=${BOOT_ID_COPY}:${BOOT_ID}\n`;
const REBOOT = { method: "graceful", drain_osds: false };

interface Operation {
  readonly status: string;
  readonly message: string;
  readonly cause: { cause: string; from_boot_id: string; boot_id: string } | null;
  readonly finished_at: string | null;
  readonly result: { readonly regressed?: readonly { readonly text: string }[] } | null;
}

export interface Shown {
  readonly id: string;
  readonly state: string;
  readonly waiting: { code: string; text: string; next_step: string | null } | null;
  readonly error: { code: string; message: string; next_step: string | null } | null;
  readonly history: readonly { state: string }[];
}

let made: string | null = null;
/** Once for all: packing takes longer than a boot. */
function packageMade(): string {
  made ??= labDeb();
  return made;
}

/**
 * Boot one; resolves when it is registered. The policy is the shipped one.
 * @param state a folder of this host; what lies in it is the node's disk
 */
export async function openNode(suite: string, state: string) {
  const sandbox: Sandbox = await startSandbox({ nodeRequestsAMinute: 1_000_000, intervalS: 5 });
  const binds = { [STATE]: join(state, "main"), [HELPER_STATE]: join(state, "helper") };
  for (const folder of Object.values(binds)) mkdirSync(folder, { recursive: true });
  const system: Booted = await boot(suite, {
    binds,
    before(folder) {
      const units = suite === "bookworm" ? ["foundry-agent.service", "foundry-agent-helper.service"] : [];
      for (const unit of units) {
        const at = join(folder, "etc/systemd/system", `${unit}.d`);
        mkdirSync(at, { recursive: true });
        writeFileSync(join(at, "lab.conf"), OWN_BOOT_ID);
      }
      const copied = `C ${BOOT_ID_COPY} 0444 - - - ${BOOT_ID}\n`;
      writeFileSync(join(folder, "etc/tmpfiles.d/lab.conf"), copied);
      const config = join(folder, "etc/foundry-agent/conf.d");
      mkdirSync(config, { recursive: true });
      const text = `[agent]\nhardware = true\n[nodefoundry]\nurl = "${sandbox.url}"\n${NO_DELAY}`;
      writeFileSync(join(config, "lab.toml"), text);
      writeFileSync(join(folder, "root/key"), sandbox.keys.enrol, { mode: 0o600 });
    },
  }).catch(async (error: unknown) => {
    await sandbox.close();
    throw error;
  });

  async function ask(path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await fetch(sandbox.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${sandbox.keys.live}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return ((await answer.json()) as { data: Record<string, unknown> }).data;
  }

  async function close(): Promise<void> {
    await system.stop();
    await sandbox.close();
  }

  async function enrol(): Promise<string> {
    await system.ok("dpkg", "-i", await system.bring(packageMade()));
    const said = await system.ok("foundry-agent", "enroll", "--key-file", "/root/key", "--json");
    return (JSON.parse(said) as { node_id: string }).node_id;
  }
  const nodeId = await enrol().catch(async (error: unknown) => {
    await close();
    throw error;
  });

  async function shown(id: string): Promise<Shown | null> {
    const { status, stdout } = await system.run("foundry-agent", "commands", id, "--json");
    return status === 0 ? (JSON.parse(stdout) as Shown) : null;
  }

  return {
    system,
    shown,
    policy: (text: string | null) => {
      const path = system.root + POLICY;
      if (text === null) rmSync(path);
      else writeFileSync(path, text);
    },
    /** Have something done over the network. */
    async command(type: string, params: object = {}) {
      // nspawn gives a boot id of its own but this host's uptime: to the agent so much time has passed since its boot.
      const asked = await ask(`/v1/nodes/${nodeId}/commands`, { type, params, expires_in_s: 30 * 86_400 });
      return { id: String(asked.command_id), operation: String(asked.operation_id) };
    },
    async reboot() {
      const asked = await ask(`/v1/nodes/${nodeId}/reboot`, REBOOT);
      return { id: String(asked.command_id), operation: String(asked.operation_id) };
    },
    waits: async (id: string, code: string) =>
      await until(`${id} waits with ${code}`, async () => {
        const found = await shown(id);
        if (found !== null && found.waiting === null && found.error !== null)
          throw new Error(`it does not wait, it is ${found.state}: ${found.error.message}`);
        return found?.waiting?.code === code ? found.waiting : null;
      }),
    over: async (operation: string) =>
      await until(`${operation} is over`, async () => {
        const found = (await ask(`/v1/operations/${operation}`)) as unknown as Operation;
        return found.finished_at === null ? null : found;
      }),
    /** What the node told of a command, as the server keeps it. */
    async told(id: string) {
      const events = (await ask(`/v1/nodes/${nodeId}/events`)) as unknown as readonly {
        type: string;
        data: { command_id?: string; state: string; error: Shown["error"] };
      }[];
      return events.filter(({ data }) => data.command_id === id).map(({ data }) => data);
    },
    faults: sandbox.faults,
    /** Every event that the server knows of the node at this moment. */
    arrived: () => sandbox.inspect().events[nodeId] ?? [],
    /** Ids of the commands whose end the server waits for. */
    openCommands: () =>
      sandbox
        .inspect()
        .commands.filter(({ state }) => state === "queued" || !isFinal(state))
        .map(({ id }) => id),
    bootId: async () => (await system.ok("cat", BOOT_ID)).trim(),
    why: async (id: string) => (await system.ok("foundry-agent", "why", id)).replace(/\s+/g, " "),
    statusText: async () => await system.unit("foundry-agent", "StatusText"),
    /** Ids of the reboots that the helper has written down. */
    rebooted: async () =>
      [
        ...(await system.ok("sh", "-c", `cat ${HELPER_STATE}/*.json || true`)).matchAll(/"id":"([^"]+)"/g),
      ].map(([, id]) => id),
    close,
  };
}

export type LabNode = Awaited<ReturnType<typeof openNode>>;

/** An empty folder of this host for the state of a node. */
export function stateFolder(): string {
  mkdirSync(join(ROOT, "build/nspawn"), { recursive: true });
  return mkdtempSync(join(ROOT, "build/nspawn/state-"));
}
