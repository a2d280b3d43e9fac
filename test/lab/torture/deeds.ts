/** What is done to the node and its server, how often, and by what name it is counted. */
import type { FaultSpec } from "../../../src/sandbox/faults.ts";
import type { LabNode } from "../commands/node.ts";
import type { Ledger } from "./ledger.ts";

export interface Scene {
  readonly node: LabNode;
  readonly ledger: Ledger;
  /** In [0, 1). */
  readonly random: () => number;
  hasBackup: boolean;
  restores: number;
}

export interface Deed {
  readonly weight: number;
  /** @returns what it counts as; null when there was nothing to do */
  act(scene: Scene): Promise<string | null>;
}

const DAEMON = "foundry-agent.service";
const HELPER = "foundry-agent-helper.service";
const SYNC = "/v1/nodes/*/sync";
/** A server that says another epoch more often is told of what ended a day later. */
const RESTORES_TOLD_A_DAY = 3;

const FAULTS: readonly FaultSpec[] = [
  { kind: "503" },
  { kind: "429" },
  { kind: "status", status: 500 },
  { kind: "status", status: 401, code: "invalid_token" },
  { kind: "slow", delay_ms: 3_000 },
  { kind: "html" },
  { kind: "broken_json" },
  { kind: "truncated" },
  { kind: "endless" },
  { kind: "large" },
  { kind: "drop_before" },
  { kind: "drop_after" },
  { kind: "drop_after" },
];

/** Nobody minds when a part is just dead, or the host is going down. */
const kill = (...units: string[]) => ["systemctl", "kill", "--signal=KILL", "--kill-whom=main", ...units];

export const DEEDS: readonly Deed[] = [
  {
    weight: 5,
    async act({ node }) {
      const { status } = await node.system.run(...kill(DAEMON));
      return status === 0 ? "kills of the daemon" : null;
    },
  },
  {
    weight: 3,
    async act({ node }) {
      const { status } = await node.system.run(...kill(HELPER));
      return status === 0 ? "kills of the helper" : null;
    },
  },
  {
    weight: 1,
    async act({ node }) {
      const { status } = await node.system.run(...kill(DAEMON, HELPER));
      return status === 0 ? "kills of both" : null;
    },
  },
  {
    weight: 6,
    async act({ node, random }) {
      const fault = FAULTS[Math.floor(random() * FAULTS.length)] as FaultSpec;
      node.faults.set({ ...fault, path: SYNC, count: 1 + Math.floor(random() * 3) });
      return "server faults";
    },
  },
  {
    weight: 2,
    async act({ node }) {
      node.faults.clear();
      return null;
    },
  },
  {
    weight: 2,
    async act(scene) {
      scene.node.faults.snapshot();
      scene.hasBackup = true;
      return "backups";
    },
  },
  {
    weight: 1,
    async act(scene) {
      if (!scene.hasBackup || scene.restores === RESTORES_TOLD_A_DAY) return null;
      scene.restores++;
      // What had arrived is kept here: the server forgets it.
      scene.ledger.look();
      scene.node.faults.restore();
      return "restores";
    },
  },
  {
    weight: 3,
    async act({ node, ledger }) {
      const { id } = await node.reboot();
      ledger.asked(id, "reboot");
      return "reboots asked for over the network";
    },
  },
  {
    weight: 4,
    async act({ node, ledger }) {
      const { id } = await node.command("collect", { sections: ["cpu"] });
      ledger.asked(id, "collect");
      return "collections asked for";
    },
  },
  {
    weight: 1,
    async act({ node, ledger }) {
      const { id } = await node.command("wipe", { osd_ids: [1], confirm: true });
      ledger.asked(id, "wipe");
      return "wipes asked for";
    },
  },
  {
    weight: 1,
    async act({ node, ledger }) {
      const asked = ["foundry-agent", "reboot", "--no-drain", "--yes", "--json"];
      const { status, stdout } = await node.system.run(...asked);
      if (status !== 0) return null;
      ledger.asked((JSON.parse(stdout) as { id: string }).id, "reboot");
      return "reboots asked for by root";
    },
  },
  {
    weight: 1,
    async act({ node, ledger, random }) {
      const ids = ledger.open();
      const id = ids[Math.floor(random() * ids.length)];
      if (id === undefined) return null;
      const { status } = await node.system.run("foundry-agent", "commands", "cancel", id);
      return status === 0 ? "cancels" : null;
    },
  },
  {
    weight: 1,
    async act({ node }) {
      const { status } = await node.system.run(
        "foundry-agent",
        "hold",
        "--for",
        "20s",
        "--reason",
        "torture",
      );
      return status === 0 ? "holds" : null;
    },
  },
  {
    weight: 2,
    async act({ node }) {
      await node.system.run("foundry-agent", "sync");
      return null;
    },
  },
];
