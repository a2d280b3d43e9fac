/**
 * POST /v1/nodes/{id}/sync: everything periodic in one call. Sections by hash, volatile values, events,
 * commands and cancels; held open (long poll) only when there is nothing to say on either side.
 */
import * as v from "valibot";
import { type Answer, ApiError } from "../../http.ts";
import { commandOnWire, dueCommands } from "../account-api/commands.ts";
import { checkInstance } from "../account-api/instances.ts";
import { intervalS, waitS } from "../pace.ts";
import { lookup, type NodeRecord, rfc3339 } from "../state.ts";
import { type Call, type World, waitForNews, wake } from "../world.ts";
import { checkBody } from "./check.ts";
import { applyEvent } from "./command-events.ts";
import { issueToken, useToken } from "./tokens.ts";

const KEPT_EVENTS = 10_000;

const sectionName = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/, "expected a section's name"));
/** Asked first, because valibot's record takes arrays too. */
const anyObject = v.custom<Record<string, unknown>>(
  (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  "expected an object",
);
const time = v.pipe(v.string(), v.isoTimestamp());
const scalar = v.union([v.string(), v.number(), v.boolean(), v.null()]);

const SyncRequest = v.object({
  instance: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  boot_id: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  sent_at: time,
  agent_version: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  next_due_s: v.pipe(v.number(), v.minValue(0), v.maxValue(31 * 86_400)),
  status: v.picklist(["online", "degraded", "draining", "rebooting", "maintenance", "held"]),
  hashes: v.pipe(anyObject, v.record(sectionName, v.pipe(v.string(), v.minLength(1), v.maxLength(128)))),
  sections: v.optional(v.pipe(anyObject, v.record(sectionName, anyObject)), {}),
  volatile: v.optional(
    v.pipe(anyObject, v.record(sectionName, v.pipe(anyObject, v.record(v.string(), scalar)))),
    {},
  ),
  events: v.optional(
    v.pipe(
      v.array(
        v.object({
          id: v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, "expected a ULID")),
          at: time,
          type: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_.]{0,63}$/, "expected an event type")),
          severity: v.picklist(["info", "warning", "error"]),
          data: anyObject,
        }),
      ),
      v.maxLength(500),
    ),
    [],
  ),
  wait_s: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(300)), 0),
});
type SyncRequest = v.InferOutput<typeof SyncRequest>;

export async function sync(call: Call): Promise<Answer> {
  const { world, caller } = call;
  if (caller.kind !== "node") throw new TypeError("sync is a node-token route");
  const { node, tokenHash } = caller;
  const said = checkBody(call, SyncRequest);
  checkInstance(world, node, said.instance, tokenHash);
  useToken(node, tokenHash);
  // One sync in flight: a poll that is still held belongs to a request the agent has given up.
  wake(world, node.id);
  mergeReport(world, node, said);
  storeEvents(world, node, said);
  const empty = Object.keys(said.sections).length === 0 && said.events.length === 0;
  if (empty && said.wait_s > 0 && !hasNews(world, node)) {
    await waitForNews(world, node.id, Math.min(said.wait_s, waitS(world)) * 1000, call.request.gone);
  }
  // Nobody there to tell: what would go out now must not count as delivered.
  if (call.request.gone.aborted) throw new ApiError(503, "unavailable", "The poll was given up.");
  // The state may have been replaced by a restore meanwhile.
  const now = lookup(world.state.nodes, node.id);
  if (!now) throw new ApiError(404, "node_not_found", `There is no node ${node.id}; register again.`);
  return { status: 200, body: { data: buildAnswer(world, now, said) } };
}

/** The last state wins; an older seq of the same instance changes nothing. */
function mergeReport(world: World, node: NodeRecord, said: SyncRequest): void {
  if (node.sync?.instance === said.instance && said.seq < node.sync.seq) return;
  const now = world.now();
  node.sync = {
    instance: said.instance,
    seq: said.seq,
    bootId: said.boot_id,
    at: now,
    nextDueS: said.next_due_s,
  };
  node.agentVersion = said.agent_version;
  node.status = said.status;
  node.hashes = said.hashes;
  for (const [name, data] of Object.entries(said.sections)) {
    node.sections[name] = { hash: said.hashes[name] ?? null, data, receivedAt: now };
    delete node.volatile[name];
  }
  for (const name of Object.keys(node.sections)) {
    if (Object.hasOwn(said.hashes, name) || Object.hasOwn(said.sections, name)) continue;
    delete node.sections[name];
    delete node.volatile[name];
  }
  for (const [name, values] of Object.entries(said.volatile)) {
    node.volatile[name] = { ...node.volatile[name], ...values };
  }
  node.resyncAsked = node.resyncAsked.filter((name) => !Object.hasOwn(said.sections, name));
}

/** Order-free and deduplicated by id, so events of a sync that is otherwise too old are kept as well. */
function storeEvents(world: World, node: NodeRecord, said: SyncRequest): void {
  if (said.events.length === 0) return;
  const known = new Set(node.events.map((event) => event.id));
  for (const event of said.events) {
    if (known.has(event.id)) continue;
    known.add(event.id);
    node.events.push(event);
    applyEvent(world, node, event);
  }
  node.events.sort((a, b) => (a.id < b.id ? -1 : 1));
  node.events.splice(0, Math.max(0, node.events.length - KEPT_EVENTS));
}

/** Sections whose content the server does not have under the hash the agent names, or that were asked for. */
function wantedSections(node: NodeRecord): string[] {
  const unknown = Object.entries(node.hashes).filter(
    ([name, hash]) => lookup(node.sections, name)?.hash !== hash,
  );
  const asked = node.resyncAsked.filter((name) => Object.hasOwn(node.hashes, name));
  return [...new Set([...unknown.map(([name]) => name), ...asked])].sort();
}

function hasNews(world: World, node: NodeRecord): boolean {
  const { commands, cancel } = dueCommands(world, node);
  return commands.length > 0 || cancel.length > 0 || node.rotateToken || wantedSections(node).length > 0;
}

function buildAnswer(world: World, node: NodeRecord, said: SyncRequest): Record<string, unknown> {
  const { commands, cancel } = dueCommands(world, node);
  for (const command of commands) {
    command.delivered = true;
    command.fromBootId = said.boot_id;
  }
  return {
    now: rfc3339(world.now()),
    // Above the seq that was sent: that sync was older than one already here and was not merged.
    ack_seq: node.sync?.seq ?? said.seq,
    acked_events: said.events.map((event) => event.id),
    resync: wantedSections(node),
    epoch: world.state.epoch,
    commands: commands.map(commandOnWire),
    cancel,
    interval_s: intervalS(world),
    ...(node.rotateToken ? { node_token: issueToken(node) } : {}),
  };
}
