/**
 * Writes to a store for ever and prints, line by line, what it may be held to after a SIGKILL:
 *
 *   append ID          about to become durable
 *   durable ID…        on the disk by the store's promise
 *   acking ID…         about to be acknowledged · acked ID… acknowledged and flushed
 *   inserting ID · inserted ID · setting ID STATE · set ID STATE EVENT
 *   value N            set returned
 */
import { writeSync } from "node:fs";
import type { CommandState } from "../../src/model/command.ts";
import type { EventDraft } from "../../src/model/event.ts";
import { openStore } from "../../src/store/store.ts";

const [folder, seedText, round] = process.argv.slice(2) as [string, string, string];
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const store = openStore(folder, { clock, limits: { history: 40 } });
store.setSubscribers(["a"]);
const next = generator(Number(seedText));
const say = (...words: string[]): void => void writeSync(1, `${words.join(" ")}\n`);
say("ready", store.mode, String(store.fresh));

let waiting: string[] = [];
let acking: string[] = [];
let commands = 0;
let value = Number(store.values("test").get("n") ?? 0);

for (;;) {
  const dice = next(10);
  if (dice < 4) append();
  else if (dice < 6) acknowledge();
  else if (dice < 7) flush();
  else if (dice < 9) command();
  else {
    value++;
    say("valuing", String(value));
    store.values("test").set("n", String(value));
    say("value", String(value));
  }
}

function append(): void {
  const drafts = Array.from({ length: 1 + next(5) }, (): EventDraft => {
    const severity = next(3) === 0 ? "warning" : "info";
    return { type: "test", severity, data: { text: "x".repeat(next(3_000)) } };
  });
  const events = store.appendEvents(drafts, clock.now());
  waiting.push(...events.map((event) => event?.id ?? ""));
  if (events.some((event) => event.severity === "warning")) durable();
}

function durable(): void {
  if (waiting.length > 0) say("durable", ...waiting);
  waiting = [];
}

function acknowledge(): void {
  const picked = store
    .pendingEvents("a", 1 + next(30))
    .map((event) => event?.id ?? "")
    .filter(() => next(4) > 0);
  if (picked.length === 0) return;
  say("acking", ...picked);
  store.acknowledgeEvents("a", picked);
  acking.push(...picked);
}

function flush(): void {
  store.flush(clock.now(), true);
  durable();
  if (acking.length > 0) say("acked", ...acking);
  acking = [];
}

function command(): void {
  const id = `cmd_${round}_${commands++}`;
  say("inserting", id);
  store.insertCommand({
    id,
    source: "nodefoundry",
    epoch: "e",
    type: "reboot",
    state: "received",
    receivedAt: clock.now(),
    command: JSON.stringify({ id }),
    error: null,
  });
  say("inserted", id);
  for (const state of ["accepted", "running", "succeeded"] satisfies CommandState[]) {
    say("setting", id, state);
    const draft: EventDraft = { type: "command.state", severity: "info", data: { command_id: id, state } };
    const event = store.setCommandState(id, { state: state, error: null }, draft, null, clock.now());
    say("set", id, state, event?.id ?? "");
    durable();
    say("durable", event?.id ?? "");
  }
}

/** Numerical Recipes' linear congruential generator: good enough to vary, the same for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
