/**
 * What must hold whatever happens, said a second time and simply: maps, no word taken from the agent's own code. It is
 * told what the agent writes, asks and does, at that moment, and notes what is wrong.
 */
import type { Flaw } from "./stream.ts";

export interface Spec {
  readonly id: string;
  readonly type: string;
  readonly params: unknown;
  readonly flaw: Flaw;
  readonly mode: "live" | "test";
  readonly seq: number;
  readonly epoch: string;
  readonly issuedAt: number | null;
  readonly expiresAt: number | null;
}

export interface Row {
  readonly id: string;
  readonly spec: Spec | null;
  readonly source: string;
  state: string;
  code: string | null;
  begun: boolean;
  /** The boot it was on when it was about to go down. */
  boot: string | null;
  calls: number;
}

/** What can be seen of the world from outside the agent. */
export interface Outside {
  serverNow: number;
  wallNow(): number;
  bootId(): string;
  goingDown(): string | null;
  /** The server has said its time in this life of the agent. */
  timeKnown: boolean;
  /** The helper was not well once, somebody ended the agent, or a shutdown was taken back. */
  trouble: boolean;
  absentOnce: boolean;
  /** On the wire at this moment. */
  offers: readonly Spec[];
  closing: ReadonlyMap<string, string>;
}

const FINAL = new Set(["succeeded", "failed", "cancelled", "refused", "expired", "rehearsed"]);
const LATER: Readonly<Record<string, readonly string[]>> = {
  accepted: ["waiting", "running", "cancelled", "refused", "expired"],
  waiting: ["waiting", "running", "cancelled", "refused", "expired"],
  running: ["accepted", "running", "rebooting", "succeeded", "failed", "cancelled"],
  rebooting: ["rebooting", "verifying", "failed"],
  verifying: ["verifying", "succeeded"],
};
const HARDWARE = new Set(["reboot", "smart_test", "locate"]);
const ACTIVE = new Set(["running", "rebooting", "verifying"]);

export const isOver = (state: string): boolean => FINAL.has(state);
const answer = (state: string, code: string | null): string => (code === null ? state : `${state}!${code}`);

export function referenceModel(outside: Outside) {
  const wrong: string[] = [];
  const rows = new Map<string, Row>();
  /** What was taken from the server, by epoch. */
  let taken: Spec[] = [];
  /** Ids of which the node knew something that it has lost: what was begun for them goes on all the same. */
  const lost = new Set<string>();
  /** Ids that somebody wanted cancelled. */
  const wanted = new Set<string>();
  /** Of each id: what the server heard last, and what it took for the end. */
  const heard = new Map<string, string>();
  const ends = new Map<string, string>();
  const looks = new Map<string, { inhibited: boolean; at: number; sure: boolean }>();
  let hold: { until: number | null } | null = null;

  const held = (): boolean => hold !== null && (hold.until === null || outside.wallNow() < hold.until);

  /** The one answer that a new command must get; where nobody knows the time it may also be taken. */
  function judge({ flaw, seq, epoch, issuedAt, expiresAt }: Spec): string {
    const now = outside.serverNow;
    if (flaw === "unsupported" || flaw === "bad_params") return `refused!${flaw}`;
    if (expiresAt !== null && expiresAt <= now) return "expired!expired";
    if (issuedAt !== null && issuedAt > now + 300_000) return "refused!from_the_future";
    const isAfter = (one: Spec): boolean =>
      one.epoch === epoch && one.seq > seq && (one.issuedAt ?? 0) >= (issuedAt ?? 0);
    if (taken.some((one) => isAfter(one) && (one.issuedAt ?? 0) <= now + 300_000))
      return "refused!out_of_order";
    return flaw === "ok" ? "accepted" : `refused!${flaw}`;
  }

  function inserted(id: string, source: string, got: string, asked: string): void {
    if (rows.has(id)) wrong.push(`${id} was taken twice`);
    if (ends.has(id)) wrong.push(`${id} was told as ${ends.get(id)} and then taken`);
    const [state = "", code = null] = got.split("!");
    const { seq, type, params, mode } = JSON.parse(asked) as Spec;
    const spec = outside.offers.find(
      (one) =>
        one.id === id &&
        one.seq === seq &&
        one.type === type &&
        one.mode === mode &&
        // Of what is not carried out they are not kept.
        (state !== "accepted" || JSON.stringify(one.params) === JSON.stringify(params)),
    );
    if (source === "local") {
      rows.set(id, row(id, { ...(JSON.parse(asked) as Spec), flaw: "ok" }, source, state, code));
      return;
    }
    if (spec === undefined) {
      const expected = outside.closing.get(id);
      if (expected !== got) wrong.push(`${id} is closed as ${got}, not as ${expected}`);
    } else {
      const expected = judge(spec);
      const unsure =
        !outside.timeKnown &&
        (got === "accepted" || got === "refused!out_of_order" || got === "refused!bad_signature");
      if (got !== expected && !unsure) wrong.push(`${id} is answered with ${got}, not with ${expected}`);
      // Only what was taken counts for the order.
      if (state === "accepted") taken.push(spec);
    }
    rows.set(id, row(id, spec ?? null, source, state, code));
  }

  function moved(id: string, state: string, code: string | null): void {
    const one = rows.get(id);
    if (one === undefined) return void wrong.push(`${id} has no row and is ${state}`);
    const say = (what: string): void => void wrong.push(`${id} (${one.spec?.type}): ${what}`);
    if (!LATER[one.state]?.includes(state)) say(`${one.state} → ${state}`);
    if (state === "running" && one.state !== "running") begins(one, say);
    if (state === "rebooting" && one.state === "running") one.boot = outside.bootId();
    if (state === "verifying" && one.spec?.mode === "live" && one.boot === outside.bootId())
      say(`proven on the boot it began on, ${one.boot}`);
    if (isOver(state)) endsAs(one, state, code, say);
    one.state = state;
    one.code = code;
  }

  function begins(one: Row, say: (what: string) => void): void {
    one.begun = true;
    if (one.source !== "local" && held()) say("begun while held");
    const look = looks.get(one.id);
    if (look === undefined) say("begun without a look at the gates");
    // A test leaves the host alone, so what the host is at does not stop it.
    if (look?.inhibited === true && one.spec?.type === "reboot" && one.spec.mode === "live")
      say("begun though inhibited");
    const { expiresAt = null } = one.spec ?? {};
    if (look?.sure === true && expiresAt !== null && expiresAt <= look.at) say("begun though expired");
    // One of which only the server knew is settled next; it touches nothing.
    for (const other of rows.values())
      if (other.id !== one.id && ACTIVE.has(other.state) && other.spec !== null)
        say(`begun while ${other.id} is ${other.state}`);
  }

  function endsAs(one: Row, state: string, code: string | null, say: (what: string) => void): void {
    const { spec } = one;
    const live = spec?.mode === "live" && HARDWARE.has(spec.type);
    if (state === "cancelled" && !wanted.has(one.id)) say("cancelled, and nobody wanted that");
    if (state === "expired" && (spec?.expiresAt == null || spec.expiresAt > outside.serverNow))
      say("expired too early");
    if (state === "refused") {
      const force = (spec?.params as { force?: unknown } | undefined)?.force === true;
      // Taken while nobody knew what time it is.
      const early = code === "from_the_future" && (spec?.issuedAt ?? 0) > outside.serverNow + 300_000;
      const may =
        early ||
        (code === "force_not_allowed" && force) ||
        (code === "no_helper" && live && outside.absentOnce);
      if (!may) say(`refused with ${code}`);
    }
    if (state === "failed" && !(live && outside.trouble)) say(`failed with ${code} though all was well`);
    if (state === "failed" && outside.goingDown() === one.id && !lost.has(one.id))
      say("failed while the host goes down for it");
  }

  return {
    wrong,
    rows,
    wanted,
    heard,
    held,
    inserted,
    moved,
    /** The agent asks the helper to touch something. */
    called(operation: string, id: string, source: string | undefined): void {
      const one = rows.get(id);
      if (one === undefined) return void wrong.push(`${operation} for ${id}, which is not in the journal`);
      const at = operation === "reboot" ? "rebooting" : "running";
      if (one.state !== at) wrong.push(`${operation} for ${id}, which is ${one.state}`);
      if (one.spec?.mode !== "live") wrong.push(`${operation} for ${id}, which is a test`);
      if (one.source !== source) wrong.push(`${operation} for ${id} on behalf of ${source}`);
      one.calls++;
      if (operation === "reboot" && one.calls > 1) wrong.push(`the reboot of ${id} was asked for twice`);
    },
    /** The host goes down, or something else was really done. */
    acted(operation: string, id: string): void {
      const one = rows.get(id);
      if (one !== undefined && !lost.has(id) && isOver(one.state) && one.state !== "succeeded")
        wrong.push(`${operation} of ${id}, which was ${one.state}`);
    },
    looked(id: string, ownHold: boolean, inhibited: boolean): void {
      if (ownHold !== held()) wrong.push(`the agent thinks it is ${ownHold ? "held" : "free"}`);
      looks.set(id, { inhibited, at: outside.serverNow, sure: outside.timeKnown });
    },
    setHold(to: typeof hold): void {
      hold = to;
    },
    /** The server reads an event. */
    hears(id: string, state: string, code: string | null): void {
      const now = answer(state, isOver(state) ? code : null);
      const end = ends.get(id);
      if (end !== undefined && end !== now) wrong.push(`${id} was told as ${end} and then as ${now}`);
      heard.set(id, state);
      if (isOver(state)) ends.set(id, now);
    },
    /** A server repeats what it has heard nothing of; the wire repeats what the node still knows. */
    mayOffer: (id: string): boolean => rows.has(id) || !heard.has(id),
    stateLost(): void {
      for (const id of rows.keys()) lost.add(id);
      rows.clear();
      taken = [];
      looks.clear();
      hold = null;
    },
    /** When all is well again and time has passed. */
    settled(acts: ReadonlyMap<string, number>): void {
      for (const one of rows.values()) {
        const done = acts.get(one.id) ?? 0;
        const what = `${one.id} (${one.source} ${one.spec?.mode} ${one.spec?.type})`;
        if (!isOver(one.state)) wrong.push(`${what} is still ${one.state}`);
        else if (one.source !== "local" && ends.get(one.id) !== answer(one.state, one.code))
          wrong.push(`${what} is ${answer(one.state, one.code)}, told as ${ends.get(one.id)}`);
        if (done > 1) wrong.push(`${what} was done ${done} times`);
        if (done > 0 && (!one.begun || one.spec?.mode !== "live") && !lost.has(one.id))
          wrong.push(`${what} was done though it never began`);
        const touches = one.spec?.type === "smart_test" || one.spec?.type === "locate";
        if (touches && one.spec?.mode === "live" && one.state === "succeeded" && done !== 1)
          wrong.push(`${what} succeeded, and nothing was done`);
      }
    },
  };
}

export type Model = ReturnType<typeof referenceModel>;

function row(id: string, spec: Spec | null, source: string, state: string, code: string | null): Row {
  return { id, spec, source, state, code, begun: false, boot: null, calls: 0 };
}
