/**
 * Rounds of asking all drives, through the helper: which there are, by which way each is asked, and what came
 * of it so far. A round goes on by itself when nobody waits for its end.
 */
import type { HelperPort } from "../../../helper/port.ts";
import { AgentError, errorCode, errorText } from "../../../model/errors.ts";
import type { SmartFacts, SmartReadAnswer, SmartScanAnswer } from "../../../model/smart.ts";
import type { Clock } from "../../../system/clock.ts";
import type { Files } from "../../../system/files.ts";
import type { DriveKeys } from "../../drives/scan/keys.ts";
import { isSameDrive } from "../../drives/scan/same-drive.ts";
import { hasData } from "../entry.ts";
import { type SmartOutcome, smartAsker } from "./ask.ts";
import { factsIdentity, type Known, leadToOne, type SmartIdentity } from "./identity.ts";
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
  /** What is known of the drive at its end. */
  knownOf(way: SmartWay): Known;
  isQuarantined(way: SmartWay): boolean;
  /** Time-outs in a row. */
  hangs(way: SmartWay): number;
}

export interface SmartRoundsOptions {
  readonly helper: HelperPort;
  readonly overrides: readonly SmartOverride[];
  readonly keys: DriveKeys;
  readonly clock: Clock;
  readonly patienceMs: number;
  /** An answer came after its round. */
  readonly onLate: () => void;
}

export function smartRounds(options: SmartRoundsOptions): SmartRounds {
  const { helper, overrides, keys, clock, patienceMs, onLate } = options;
  /** What drives said of themselves, by way. */
  const said = new Map<string, SmartIdentity>();
  /** The id by sysfs that a way had last. */
  const ids = new Map<string, string>();
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
      (way) => ({ way, sys: way.sys, own: null }),
    ).flatMap((group) => {
      const asked = group.filter(willing);
      // One path is enough where the kernel tells all; else each says whether it leads to the same drive.
      return group.every(({ sys }) => sys?.serial != null) ? asked.slice(0, 1) : asked;
    });
    await asker.round(direct, (way) => read(way, signal), until);
    const answered = direct.filter(({ key }) => outcomes.get(key)?.facts != null).map(knownOf);
    const others = ways.filter((way) => {
      const known = knownOf(way);
      return way.sys === null && willing(way) && !answered.some((one) => leadToOne(one, known));
    });
    await asker.round(others, (way) => read(way, signal), until);
  }

  function knownOf(way: SmartWay): Known {
    const facts = outcomes.get(way.key)?.facts ?? null;
    const now = facts !== null && hasData(facts) ? factsIdentity(facts) : null;
    // What it said before counts only where sysfs can't tell that it is another drive by now.
    const before = way.sys === null ? (said.get(way.key) ?? null) : null;
    const own = now === null ? before : before === null ? now : completed(now, before);
    if (own !== null) said.set(way.key, own);
    return { way, sys: way.sys, own };
  }

  /** A drive that took the place of another inherits neither its quarantine nor its answer, nor what it said. */
  function forgetOther({ key, sys }: SmartWay): void {
    const before = ids.get(key);
    if (sys?.id == null) return;
    ids.set(key, sys.id);
    if (before === undefined || before === sys.id) return;
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
      const ways = waysOf(files, found, overrides, types, keys);
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
    knownOf,
    isQuarantined: ({ key }) => asker.isQuarantined(key),
    hangs: ({ key }) => asker.hangs(key),
  };
}

/** Some tell their serial number or WWN only sometimes. */
function completed(now: SmartIdentity, before: SmartIdentity): SmartIdentity {
  if (!isSameDrive(now, before)) return now;
  return { ...now, wwn: now.wwn ?? before.wwn, serial: now.serial ?? before.serial };
}

function garbled(operation: string): AgentError {
  return new AgentError(
    "helper_protocol",
    `the helper answered ${operation} with something else than it is to`,
    "systemctl status foundry-agent-helper.socket",
  );
}
