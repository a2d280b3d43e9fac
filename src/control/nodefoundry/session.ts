/**
 * What this node was given at its registration, durable before it is first used. The token before it stays
 * until the new one has worked: an answer lost, a write lost or a server restored from a backup never
 * locks the node out.
 */
import * as v from "valibot";
import { OpenCommandWire } from "../command-document.ts";
import type { KeyValue, OpenCommand } from "../control-api.ts";

const SessionText = v.object({
  /** Origin of the server that gave it: a token goes to nobody else, also when the configured URL changes. */
  origin: v.optional(v.string()),
  nodeId: v.string(),
  token: v.string(),
  previousToken: v.nullable(v.string()),
  mode: v.picklist(["live", "test"]),
  /** Longest wait the server wants, seconds; null: it did not say. */
  waitS: v.nullable(v.number()),
  /** No sync has succeeded since the registration: the server may have nothing of this node. */
  fresh: v.boolean(),
  /** Found open at the registration, not yet handed over to the agent. */
  openCommands: v.array(
    v.object({
      id: v.string(),
      type: v.string(),
      state: OpenCommandWire.entries.state,
      fromBootId: v.nullable(v.string()),
    }),
  ),
});

export interface Session {
  readonly nodeId: string;
  readonly token: string;
  readonly previousToken: string | null;
  readonly mode: "live" | "test";
  readonly waitS: number | null;
  readonly fresh: boolean;
  readonly openCommands: readonly OpenCommand[];
}

export interface Sessions {
  /** Read anew each time: a reset or an identity set aside takes it away under us. */
  get(): Session | null;
  /** Committed and fsynced on return. */
  put(session: Session | null): void;
  /** Id of the last registration, also after leaving. */
  lastNode(): string | null;
  /** Template of the name given to `enroll`, for the registrations to come. */
  name(): string | null;
  setName(template: string | null): void;
  /** An operator took this node out: no key in a file brings it back, only `enroll`. */
  left(): boolean;
  setLeft(left: boolean): void;
}

/** @param url the configured server; a session with another one is not seen, and is there again when the URL is */
export function openSessions(values: KeyValue, url: string): Sessions {
  const own = URL.canParse(url) ? new URL(url).origin : url;
  return {
    get() {
      const text = values.get("session");
      if (text === null) return null;
      try {
        const { origin, ...session } = v.parse(SessionText, JSON.parse(text));
        return origin === undefined || origin === own ? session : null;
      } catch {
        return null; // of another version, or damaged: registering again mends both
      }
    },
    put(session) {
      if (session !== null) values.set("node", session.nodeId);
      values.set("session", session === null ? null : JSON.stringify({ ...session, origin: own }));
    },
    lastNode: () => values.get("node"),
    name: () => values.get("name"),
    setName: (template) => values.set("name", template),
    left: () => values.get("left") !== null,
    setLeft: (left) => values.set("left", left ? "yes" : null),
  };
}
