/**
 * That what this node knew is lost, kept in the database that took its place until somebody settles it: written in the
 * transaction that makes that database, so that no moment is left in which it could pass for a new one.
 */
import * as v from "valibot";
import type { Lost } from "../../commands/gates/gate.ts";
import type { Database } from "./database.ts";
import type { Loss } from "./earlier-life.ts";

const KEY = "lost";

/** Made when there is something to read, which is seldom. */
const lostText = () =>
  v.object({
    at: v.number(),
    text: v.string(),
    wasReplaced: v.boolean(),
    commandsOpen: v.boolean(),
    settledBy: v.array(v.string()),
  });

// biome-ignore format: a table is read by its columns
const TEXTS: Readonly<Record<Loss, (path: string, beside: string) => string>> = {
  gone:          (path, beside) => `${path} is gone, and ${beside} beside it says that there was one`,
  empty:         (path, beside) => `${path} was empty, and ${beside} beside it says that it was not`,
  damaged:       (path) => `${path} was damaged`,
  not_a_file:    (path) => `${path} was no file any more`,
  foreign_owner: (path) => `${path} belonged to another user, who may have written it`,
  unreadable:    (path) => `${path} can't be read`,
  restored:      (path) => `${path} is an older one than was written last, as from a backup`,
  other:         (path) => `${path} is another one than was written last`,
};

/** @param beside what else was found, for the sentence; null: nothing */
export function lostNow(loss: Loss, path: string, beside: string | null, now: number): Lost {
  const wasReplaced = loss === "restored" || loss === "other";
  const text = TEXTS[loss](path, beside ?? "what stands");
  return { at: Math.trunc(now), text, wasReplaced, commandsOpen: wasReplaced, settledBy: [] };
}

/** Call it in a transaction. @param lost null: it is settled */
export function keepLost(db: Database, lost: Lost | null): void {
  if (lost === null) db.run("DELETE FROM meta WHERE key = ?", KEY);
  else db.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", KEY, JSON.stringify(lost));
}

/** What can't be read is a loss: somebody wrote that there was one. */
export function lostIn(db: Database): Lost | null {
  const text = db.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", KEY)?.value;
  if (text === undefined) return null;
  try {
    return v.parse(lostText(), JSON.parse(text));
  } catch {
    return {
      at: 0,
      text: "what is known of it can't be read",
      wasReplaced: true,
      commandsOpen: false,
      settledBy: [],
    };
  }
}
