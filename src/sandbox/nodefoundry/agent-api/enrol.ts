/** POST /v1/nodes: a machine registers, for the first time or again. */
import * as v from "valibot";
import type { Answer } from "../../http.ts";
import { openCommands } from "../account-api/commands.ts";
import { checkRegistration, takeOver } from "../account-api/instances.ts";
import { intervalS, waitS } from "../pace.ts";
import { type NodeRecord, rfc3339, type SeedNode } from "../state.ts";
import type { Call, World } from "../world.ts";
import { checkBody } from "./check.ts";
import { newId } from "./ids.ts";
import { issueToken } from "./tokens.ts";

const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max));

const EnrolRequest = v.object({
  machine_id: v.pipe(v.string(), v.regex(/^[0-9a-f]{32,128}$/, "expected 32 to 128 hex digits")),
  instance: text(128),
  fingerprint: v.pipe(v.array(text(200)), v.maxLength(64)),
  hostname: text(253),
  serial: v.nullable(v.pipe(v.string(), v.maxLength(200))),
  macs: v.pipe(v.array(text(64)), v.maxLength(256)),
  arch: text(32),
  os: v.pipe(v.string(), v.maxLength(200)),
  agent_version: text(64),
  state_lost: v.optional(v.boolean(), false),
});

/** 201 for a new node, 200 for a known one. */
export function enrol(call: Call): Answer {
  const { world, caller } = call;
  const given = checkBody(call, EnrolRequest);
  const known = Object.values(world.state.nodes).find((node) => node.machineId === given.machine_id);
  if (known) checkRegistration(world, known, given);
  const node = known ?? newNode(world, given.hostname);
  takeOver(node, given.instance);
  // Reports are counted anew with each registration.
  if (node.sync !== null) node.sync = { ...node.sync, seq: 0 };
  node.machineId = given.machine_id;
  if (known?.adoptNext) {
    node.conflict = null;
    node.adoptNext = false;
  }
  // An unprivileged start sees less of the board than the one before: what is known is kept.
  if (given.fingerprint.length > 0) node.fingerprint = given.fingerprint;
  node.hostname = given.hostname;
  node.serial = given.serial;
  node.macs = given.macs;
  node.arch = given.arch;
  node.os = given.os;
  node.agentVersion = given.agent_version;
  node.mode = caller.kind === "account" && caller.key === "test" ? "test" : "live";
  world.state.nodes[node.id] = node;
  world.log(`${node.id} ${known ? "registered again" : "registered"}: ${node.hostname} (${node.mode})`);
  return {
    status: known ? 200 : 201,
    body: {
      data: {
        id: node.id,
        hostname: node.hostname,
        status: node.clusterId === null ? "pending" : "online",
        cluster_id: node.clusterId,
        mode: node.mode,
        node_token: issueToken(node),
        now: rfc3339(world.now()),
        sync: { interval_s: intervalS(world), wait_s: waitS(world) },
        open_commands: openCommands(world, node),
      },
    },
  };
}

/** A node without an agent behind it. */
export function addSeedNode(world: World, seed: SeedNode): NodeRecord {
  const node = { ...newNode(world, seed.hostname), seed, mode: "test" as const };
  world.state.nodes[node.id] = node;
  return node;
}

function newNode(world: World, hostname: string): NodeRecord {
  return {
    id: newId("node"),
    machineId: null,
    instance: null,
    earlierInstances: [],
    fingerprint: [],
    hostname,
    serial: null,
    macs: [],
    arch: "",
    os: "",
    agentVersion: "",
    mode: "live",
    status: "online",
    clusterId: null,
    createdAt: world.now(),
    tokens: [],
    rotateToken: false,
    adoptNext: false,
    conflict: null,
    sync: null,
    hashes: {},
    sections: {},
    volatile: {},
    resyncAsked: [],
    events: [],
    noout: [],
    diagnostics: {},
    seed: null,
  };
}
