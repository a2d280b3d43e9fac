/**
 * Rounds with one control API: at most one request in flight, at the pace that control/rhythm.ts sets.
 *
 * An empty round may be held open by the server (long poll). Something urgent ends it early: nothing is
 * lost by that, since nothing was in it, and a baseline only moves when an answer came.
 */
import type { SyncInput, SyncOutcome } from "../../control/control-api.ts";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import { plural } from "../../model/text/sentence.ts";
import { EARLIEST_TIME } from "../../system/clock.ts";
import type { SectionState } from "./ledger.ts";
import type { LoopStatus, RoundResult, SyncLoop, SyncLoopOptions } from "./sync-types.ts";

const AFTER_RELOAD_MS = 500;
const EVENTS_A_ROUND = 100;
/** A condition only after this many failures in a row: one lost round is no news. */
const FAILURES_TO_TELL = 2;
/** What a round sent that came to nothing. */
const NOTHING = { nextStep: null, sections: [], events: 0 };
/** Why a round was ended whose answer must not count. */
const FORGOTTEN = new AgentError("forgotten", "this node is another one now");

interface Prepared {
  readonly input: SyncInput;
  readonly full: readonly SectionState[];
}

export function openSyncLoop(options: SyncLoopOptions): SyncLoop {
  const { api, pace, ledger, store, health, clock, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let dueAt: number | null = null;
  let round: { promise: Promise<RoundResult>; abort: AbortController; waiting: boolean } | null = null;
  /** Over restarts too: how long nobody has heard of this node is no less then. */
  const kept = store.memory(`sync.${api.name}`, true);
  let lastSyncAt: number | null = options.before?.lastSyncAt ?? timeOf(kept.get());
  let lastError: LoopStatus["lastError"] = null;
  let wakeWanted = false;
  /** The last round came at once because sections were asked for: a server that never has enough must not make it two. */
  let resyncing = false;
  /** Nothing is sent, so nothing is urgent. */
  let readOnly = false;
  let started = false;
  let stopped = false;
  /** Rounds began already: the place in the interval is taken. */
  let begun = options.before !== null;

  function prepare(waitS: number): Prepared {
    const confirmed = store.confirmedHashes(api.name);
    const states = ledger.states();
    const full = [...states.values()].filter((state) => confirmed.get(state.section.name) !== state.hash);
    const names = new Set(full.map((state) => state.section.name));
    const events = store.pendingEvents(api.name, EVENTS_A_ROUND);
    const empty = full.length === 0 && events.length === 0;
    const input: SyncInput = {
      report: options.report(),
      status: options.nodeStatus(),
      hashes: ledger.hashes(),
      changed: Object.fromEntries(full.map((state) => [state.section.name, state.section])),
      volatile: ledger.drifted(api.name, names),
      events,
      nextDueS: pace.nextDueS(),
      waitS: empty ? waitS : 0,
    };
    return { input, full };
  }

  function begin(mayWait: boolean): Promise<RoundResult> {
    clearTimeout(timer);
    wakeWanted = false;
    begun = true;
    pace.began();
    const { input, full } = prepare(mayWait ? pace.waitS() : 0);
    const abort = new AbortController();
    const promise = api
      .sync(input, abort.signal)
      .then((outcome) => {
        // It came in the same moment as the order to forget: an answer to somebody this node is no more.
        if (abort.signal.reason === FORGOTTEN) throw FORGOTTEN;
        return succeeded(outcome, input, full);
      })
      // Also what goes wrong with an answer: the next round comes, whatever was in this one.
      .catch((error: unknown) => failed(error, input, abort.signal))
      .finally(() => {
        round = null;
      });
    dueAt = clock.now() + input.waitS * 1000;
    round = { promise, abort, waiting: input.waitS > 0 };
    return promise;
  }

  function succeeded(outcome: SyncOutcome, input: SyncInput, full: readonly SectionState[]): RoundResult {
    const now = clock.now();
    lastSyncAt = now;
    kept.set(now);
    lastError = null;
    health.clear("reporting_failed", api.name);
    if (outcome.confirmed) {
      store.setConfirmedHashes(api.name, input.hashes);
      ledger.delivered(api.name, full, input.volatile);
    }
    const states = ledger.states();
    const wanted = outcome.resync.filter((name) => states.has(name));
    if (wanted.length > 0) {
      const asked = Object.fromEntries(wanted.map((name) => [name, ""]));
      store.setConfirmedHashes(api.name, {
        ...Object.fromEntries(store.confirmedHashes(api.name)),
        ...asked,
      });
    }
    store.acknowledgeEvents(api.name, outcome.ackedEvents);
    const fresh = options.deliver(api.name, outcome);
    readOnly = outcome.readOnly;
    resyncing = wanted.length > 0 && !resyncing;
    const more =
      fresh.length > 0 ||
      resyncing ||
      (input.events.length === EVENTS_A_ROUND && outcome.ackedEvents.length > 0);
    const delay = pace.succeeded({
      waitedS: input.waitS,
      intervalS: outcome.intervalS,
      more,
      pollable: !readOnly,
      ofCommands: input.events.some(({ type }) => type === "command.state"),
    });
    options.onSynced(outcome);
    arm(delay);
    const sections = readOnly ? [] : Object.keys(input.changed);
    return {
      ok: true,
      text: accepted(outcome, sections, input.events.length),
      nextStep: null,
      sections,
      events: input.events.length,
    };
  }

  function failed(error: unknown, input: SyncInput, { aborted, reason }: AbortSignal): RoundResult {
    if (aborted) {
      arm(reason === FORGOTTEN ? 0 : (pace.wokenMs() ?? 0));
      return { ...NOTHING, ok: false, text: "ended early" };
    }
    const [code, text] = [errorCode(error), errorText(error)];
    const step = error instanceof AgentError ? error.nextStep : null;
    const result = { ...NOTHING, ok: false, text, nextStep: step };
    const delay = pace.failed(error, input.waitS);
    arm(delay);
    if (code === "not_enrolled") {
      // What went wrong while it was registered is over.
      lastError = null;
      health.clear("reporting_failed", api.name);
      return result;
    }
    lastError = { code, text, at: clock.now() };
    if (error instanceof AgentError) log.debug({ api: api.name, code }, `round failed: ${text}`);
    else log.error({ api: api.name, err: error }, "round failed by a mistake of the agent's own");
    if (pace.status().failures >= FAILURES_TO_TELL) {
      const nextStep = step ?? `foundry-agent check ${api.name}`;
      health.raise({
        code: "reporting_failed",
        subject: api.name,
        severity: "warning",
        text: `Reports don't reach ${api.name}: ${text}`,
        nextStep,
      });
    }
    return result;
  }

  function arm(delayMs: number): void {
    if (stopped) return;
    clearTimeout(timer);
    const delay = wakeWanted && !readOnly ? Math.min(delayMs, pace.wokenMs() ?? delayMs) : delayMs;
    dueAt = clock.now() + delay;
    timer = setTimeout(() => void begin(true), delay);
  }

  return {
    api,
    pace,
    start() {
      started = true;
      arm(options.before ? AFTER_RELOAD_MS : pace.firstDelayMs());
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      round?.abort.abort(new AgentError("stopping", "the agent is stopping"));
      await round?.promise;
    },
    wake(command) {
      // After a power cut a whole rack starts with something to tell: each waits for its place all the same.
      if (!begun && !command) return;
      wakeWanted = true;
      if (readOnly) return;
      if (round?.waiting) round.abort.abort(new AgentError("woken", "something urgent is to be reported"));
      else if (round === null && started) {
        const delay = pace.wokenMs();
        if (delay !== null) arm(delay);
      }
    },
    async now() {
      // Several may ask at once; each waits for its turn.
      while (round !== null) {
        if (round.waiting) round.abort.abort(new AgentError("woken", "a round was asked for"));
        await round.promise;
      }
      // Not beside the round of the loop that a reload puts in the place of this one.
      if (stopped) return { ...NOTHING, ok: false, text: "the configuration is being read again" };
      return await begin(false);
    },
    forget() {
      readOnly = false;
      // Said by, and to, somebody that this node is no more.
      lastSyncAt = null;
      kept.set(null);
      lastError = null;
      health.endCleared();
      ledger.forget(api.name);
      store.setConfirmedHashes(api.name, {});
      if (round !== null) round.abort.abort(FORGOTTEN);
      else if (started) arm(0);
    },
    status: () => ({ lastSyncAt, lastError, nextDueAt: dueAt }),
    input: (waitS) => prepare(waitS).input,
  };
}

/** null for what is no time: a clock that stood in 1970 told it, or a flipped bit. */
function timeOf(value: unknown): number | null {
  return typeof value === "number" && value >= EARLIEST_TIME ? value : null;
}

function accepted(outcome: SyncOutcome, sections: readonly string[], events: number): string {
  if (outcome.readOnly) return "compared, nothing sent (read-only)";
  const parts = [
    sections.length === 0
      ? "no section had news"
      : `${plural(sections.length, "section")} (${sections.join(", ")})`,
    ...(events === 0 ? [] : [plural(events, "event")]),
    ...(outcome.commands.length === 0 ? [] : [`${plural(outcome.commands.length, "command")} received`]),
  ];
  return `accepted: ${parts.join(", ")}`;
}
