/**
 * Rounds of asking all drives, through the helper: which there are, by which way each is asked, and what came
 * of it so far. A round goes on by itself when nobody waits for its end.
 */
import type { HelperPort } from "../../../helper/port.ts";
import { AgentError, errorCode, errorText } from "../../../model/errors.ts";
import type { SmartFacts, SmartReadAnswer, SmartScanAnswer } from "../../../model/smart.ts";
import type { Clock } from "../../../system/clock.ts";
import type { Files } from "../../../system/files.ts";
import { hasData } from "../entry.ts";
import { type SmartOutcome, smartAsker } from "./ask.ts";
import { factsIdentity, mergedIdentity, type SmartIdentity } from "./identity.ts";
import { grouped, type SmartOverride, type SmartWay, waysOf } from "./ways.ts";

/** A round that is cut off by the collector's time-out gives nothing; so it ends before. */
const ROUND_MS = 4 * 60_000;
const PARALLEL = 4;
const SCAN_AGAIN_MS = 24 * 60 * 60_000;

/** What is known so far of the round that runs or ran last. */
export interface SmartRound {
  /** null: not known yet which devices there are. */
  readonly ways: readonly SmartWay[] | null;
  readonly outcomes: ReadonlyMap<string, SmartOutcome>;
  /** Wall clock when it began, milliseconds. */
  readonly since: number;
  /** The same by the monotonic clock. */
  readonly begunAt: number;
  readonly smartctlVersion: string | null;
  readonly scanHangs: boolean;
  /** Why there is no list of devices. */
  readonly failure: AgentError | null;
}

export interface SmartRounds {
  /** Begin a round, or join the one that runs. Resolves at its end; never rejects, see `failure`. */
  refresh(files: Files, signal: AbortSignal): Promise<void>;
  running(): boolean;
  state(): SmartRound;
  identityOf(way: SmartWay): SmartIdentity;
  isQuarantined(way: SmartWay): boolean;
  /** Time-outs in a row. */
  hangs(way: SmartWay): number;
}

export interface SmartRoundsOptions {
  readonly helper: HelperPort;
  readonly overrides: readonly SmartOverride[];
  readonly clock: Clock;
  readonly patienceMs: number;
  /** An answer came after its round. */
  readonly onLate: () => void;
}

export function smartRounds(options: SmartRoundsOptions): SmartRounds {
  const { helper, overrides, clock, patienceMs, onLate } = options;
  const identities = new Map<string, SmartIdentity>();
  const types = new Map<string, string>();
  const late = new Map<string, SmartOutcome>();
  let outcomes = new Map<string, SmartOutcome>();
  let round: Omit<SmartRound, "outcomes" | "scanHangs"> = {
    ways: null,
    since: 0,
    begunAt: Number.NEGATIVE_INFINITY,
    smartctlVersion: null,
    failure: null,
  };
  let scanHungAt: number | null = null;
  let running: Promise<void> | null = null;

  const asker = smartAsker({
    clock,
    parallel: PARALLEL,
    patienceMs,
    onOutcome(key, outcome, isLate) {
      outcomes.set(key, outcome);
      if (!isLate) return;
      late.set(key, outcome);
      onLate();
    },
  });

  async function scan(signal: AbortSignal): Promise<SmartScanAnswer> {
    const now = clock.monotonic();
    const open = scanHungAt === null || now - scanHungAt >= SCAN_AGAIN_MS;
    const answer = (await helper.call("smart.scan", open ? {} : { open: false }, signal)) as SmartScanAnswer;
    if (!Array.isArray(answer?.devices)) throw garbled("smart.scan");
    if (open) scanHungAt = answer.opened ? null : now;
    if (answer.opened) for (const { name, type } of answer.devices) types.set(name, type);
    return answer;
  }

  async function read(
    { device, type }: { device: string; type: string },
    signal: AbortSignal,
  ): Promise<SmartFacts> {
    const answer = (await helper.call("smart.read", { device, type }, signal)) as SmartReadAnswer;
    if (!Array.isArray(answer?.facts?.attributes)) throw garbled("smart.read");
    return answer.facts;
  }

  /** Ask each drive by one way; members of a controller only when no direct way led to them in this round. */
  async function ask(ways: readonly SmartWay[], signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, AbortSignal.timeout(ROUND_MS)]);
    const willing = (way: SmartWay): boolean => way.openError === null && !asker.isQuarantined(way.key);
    const direct = grouped(
      ways.filter(({ sys }) => sys !== null),
      (way) => mergedIdentity(way.sys, null),
    ).flatMap((group) => group.ways.find(willing) ?? []);
    await asker.round(direct, (way) => read(way, signal), until);
    const answered = direct.filter(({ key }) => outcomes.get(key)?.facts != null).map(identityOf);
    const others = ways.filter((way) => {
      const before = identities.get(way.key);
      const twice = before?.id != null && answered.some(({ id }) => id === before.id);
      return way.sys === null && willing(way) && !twice;
    });
    await asker.round(others, (way) => read(way, signal), until);
  }

  function identityOf(way: SmartWay): SmartIdentity {
    const facts = outcomes.get(way.key)?.facts ?? null;
    // What it said before counts only where sysfs can't tell that it is another drive by now.
    const own = facts !== null && hasData(facts) ? factsIdentity(facts) : null;
    const before = way.sys === null ? (identities.get(way.key) ?? null) : null;
    const identity = mergedIdentity(way.sys, own ?? before);
    identities.set(way.key, identity);
    return identity;
  }

  /** A drive that took the place of another inherits neither its quarantine nor its answer. */
  function forgetOther({ key, sys }: SmartWay): void {
    const before = identities.get(key)?.id ?? null;
    if (sys?.id == null || before === null || before === sys.id) return;
    asker.forget(key);
    outcomes.delete(key);
  }

  async function run(files: Files, signal: AbortSignal): Promise<void> {
    // What came after the last round counts until the drive answers anew.
    outcomes = new Map(late);
    late.clear();
    round = { ...round, since: clock.now(), begunAt: clock.monotonic(), failure: null };
    try {
      const found = await scan(signal);
      const ways = waysOf(files, found, overrides, types);
      for (const way of ways) forgetOther(way);
      round = { ...round, ways, smartctlVersion: found.smartctl_version };
      await ask(ways, signal);
    } catch (error) {
      const failure =
        error instanceof AgentError ? error : new AgentError(errorCode(error), errorText(error));
      round = { ...round, failure };
    }
  }

  return {
    async refresh(files, signal) {
      running ??= run(files, signal).finally(() => {
        running = null;
      });
      await running;
    },
    running: () => running !== null,
    state: () => ({ ...round, outcomes, scanHangs: scanHungAt !== null }),
    identityOf,
    isQuarantined: ({ key }) => asker.isQuarantined(key),
    hangs: ({ key }) => asker.hangs(key),
  };
}

function garbled(operation: string): AgentError {
  return new AgentError(
    "helper_protocol",
    `the helper answered ${operation} with something else than it is to`,
    "systemctl status foundry-agent-helper.socket",
  );
}
