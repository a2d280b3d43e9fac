/** kill -9 at any moment: what the store promised is there, what was acknowledged stays so, nothing is corrupt. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { repeat } from "../support/budget.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const PROGRAM = fileURLToPath(new URL("./store-writer.ts", import.meta.url));
const ROUNDS = 30;
const STATES = ["received", "accepted", "running", "succeeded"];

/** Lines until the writer is killed: after `lines` of them, wherever it is by then. */
async function killedWriter(folder: string, round: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, folder, String(round * 7_919 + 1), String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once("close", (_, signal) => resolve(signal)),
  );
  const said: string[] = [];
  // The last line may be cut; a line is only believed with its end, and readline gives the rest as a line too.
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line);
    if (said.length === lines) child.kill("SIGKILL");
  });
  expect(await ended).toBe("SIGKILL");
  return text.slice(0, text.lastIndexOf("\n")).split("\n");
}

it(`${ROUNDS} rounds of writing and SIGKILL`, async () => {
  const folder = temporaryFolder();
  const durable = new Set<string>();
  const maybeAcked = new Set<string>();
  const acked = new Set<string>();
  /** Command id → index of the state it has at least. */
  const commands = new Map<string, number>();
  const maybe = new Map<string, number>();
  /** Command id and state → id of the event that tells it. */
  const telling = new Map<string, string>();
  let value = 0;
  let maybeValue = 0;
  let lastId = "";
  const totals = { lines: 0, durable: 0, acked: 0 };

  const rounds = await repeat(ROUNDS, async (round) => {
    const lines = 10 + ((round * 37) % 160);
    const said = await killedWriter(folder, round, lines);
    expect(said[0]).toBe(`ready ok ${round === 0}`);
    totals.lines += said.length;
    for (const line of said) {
      const [what, ...words] = line.split(" ") as [string, ...string[]];
      const [id, state] = words as [string, string];
      if (what === "durable") for (const one of words) durable.add(one);
      else if (what === "acking") for (const one of words) maybeAcked.add(one);
      else if (what === "acked") for (const one of words) acked.add(one);
      else if (what === "inserting") maybe.set(id, 0);
      else if (what === "inserted") commands.set(id, 0);
      else if (what === "setting") maybe.set(id, STATES.indexOf(state));
      else if (what === "set") {
        commands.set(id, STATES.indexOf(state));
        telling.set(`${id} ${state}`, words[2] as string);
      } else if (what === "valuing") maybeValue = Number(id);
      else if (what === "value") value = Number(id);
    }

    const store = openStore(folder, { clock: { now: () => Date.now(), monotonic: () => performance.now() } });
    store.setSubscribers(["a"]);
    expect([store.mode, store.problem, store.fresh]).toEqual(["ok", null, false]);
    const pending = new Set(store.pendingEvents("a", 99_999).map((event) => event.id));
    for (const id of durable) if (!maybeAcked.has(id)) expect(pending.has(id) ? id : `lost ${id}`).toBe(id);
    for (const id of acked) expect(pending.has(id) ? `back ${id}` : id).toBe(id);
    for (const [id, least] of commands) {
      const found = store.command(id);
      const at = STATES.indexOf(found?.state ?? "");
      expect(at).toBeGreaterThanOrEqual(least);
      expect(at).toBeLessThanOrEqual(maybe.get(id) ?? -1);
    }
    // State and event are one: a state that is there has been told.
    const told = store
      .eventsSince("", 99_999)
      .filter((event) => event.type === "command.state")
      .map((event) => `${event.data.command_id} ${event.data.state}`);
    for (const [id] of [...commands].slice(-3)) {
      const found = store.command(id);
      const news = `${id} ${found?.state}`;
      // What was acknowledged may be gone from the history by now.
      if (found === null || found.state === "received" || maybeAcked.has(telling.get(news) ?? "")) continue;
      expect(told).toContain(news);
    }
    const n = Number(store.values("test").get("n") ?? 0);
    expect(n).toBeGreaterThanOrEqual(value);
    expect(n).toBeLessThanOrEqual(maybeValue);
    value = n;
    const ids = store.eventsSince("", 99_999).map((event) => event.id);
    expect(ids).toEqual([...new Set(ids)].sort());
    const [fresh] = store.appendEvents([{ type: "test", severity: "warning", data: {} }], 5);
    expect(String(fresh?.id) > String(ids.at(-1) ?? "") && String(fresh?.id) > lastId).toBe(true);
    lastId = String(fresh?.id);
    durable.add(lastId);
    store.close();

    const db = new DatabaseSync(join(folder, "state.db"));
    expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  });
  totals.durable = durable.size;
  totals.acked = acked.size;
  // The rounds did something: a writer that stands still would pass everything above.
  expect(totals.durable).toBeGreaterThan(rounds * 10);
  expect(totals.acked).toBeGreaterThan(rounds * 3);
  expect(commands.size).toBeGreaterThan(rounds);
});
