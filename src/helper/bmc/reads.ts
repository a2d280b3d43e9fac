/**
 * The four readings of a BMC. Each keeps what it got: a BMC that answers half is common, and half an answer
 * is worth more than none. `incomplete` names the ipmitool commands of which something is missing.
 */
import * as v from "valibot";
import { chassisSchema, controllerSchema, parseChassis, parseController, parseRestartCause } from "./info.ts";
import { type Ipmitool, type IpmitoolAnswer, type LanTarget, noAnswer } from "./ipmitool.ts";
import { bmcLanSchema, isWholeLan, parseLan } from "./lan.ts";
import { newerThan, parseSel, parseSelInfo, type SelMark, selMarkSchema, selRecordSchema } from "./sel.ts";
import { parseSensors, sensorReadingSchema } from "./sensors.ts";

const incomplete = v.array(v.pipe(v.string(), v.maxLength(64)));
/** The budget ran out on the way: ask again later, not sooner. */
const hung = v.boolean();

/** lan null: this BMC has no LAN channel (a board without BMC network). */
export const bmcLanResult = v.object({ lan: v.nullable(bmcLanSchema), incomplete, hung });
export const bmcInfoResult = v.object({
  controller: v.nullable(controllerSchema),
  chassis: v.nullable(chassisSchema),
  restart_cause: v.nullable(v.pipe(v.string(), v.maxLength(128))),
  incomplete,
  hung,
});
export const bmcSensorsResult = v.object({ sensors: v.array(sensorReadingSchema), incomplete, hung });
export const bmcSelResult = v.object({
  entries: v.nullable(v.number()),
  percent_used: v.nullable(v.number()),
  overflow: v.nullable(v.boolean()),
  /** Give it back at the next call. */
  state: v.pipe(v.string(), v.maxLength(256)),
  unchanged: v.boolean(),
  /** Newer than what was asked for, in the log's order. */
  records: v.array(selRecordSchema),
  /** There may be more new ones than `records`: the log grew by more than was asked for. */
  gap: v.boolean(),
  restarted: v.boolean(),
  /** The newest of the log; null: it is empty. */
  last: v.nullable(selRecordSchema),
  incomplete,
  hung,
});

export type BmcLanResult = v.InferOutput<typeof bmcLanResult>;
export type BmcInfoResult = v.InferOutput<typeof bmcInfoResult>;
export type BmcSensorsResult = v.InferOutput<typeof bmcSensorsResult>;
export type BmcSelResult = v.InferOutput<typeof bmcSelResult>;

const MAX_SEL_RECORDS = 200;

export const selArguments = v.strictObject({
  /** The last record known; null: all are new. */
  after: v.nullable(selMarkSchema),
  /** What the call before gave as `state`; null: look in any case. */
  state: v.nullable(v.pipe(v.string(), v.maxLength(256))),
  /** How many of the newest records to look at. */
  limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SEL_RECORDS)),
});
export type SelArguments = { after: SelMark | null; state: string | null; limit: number };

/** @throws AgentError as `noAnswer` gives it when nothing at all came */
export async function readBmcLan(ipmitool: Ipmitool, target: LanTarget | null): Promise<BmcLanResult> {
  const answer = await ipmitool("lan", "print");
  const lan = parseLan(answer.stdout);
  if (lan === null) {
    if (!answer.hung && /invalid channel/i.test(answer.stderr)) return { lan, incomplete: [], hung: false };
    throw noAnswer(answer, target);
  }
  const whole = isWholeLan(answer.stdout) && !answer.hung;
  return { lan, incomplete: whole ? [] : ["lan print"], hung: answer.hung };
}

/** @throws AgentError as `noAnswer` gives it when nothing at all came */
export async function readBmcInfo(ipmitool: Ipmitool, target: LanTarget | null): Promise<BmcInfoResult> {
  const info = await ipmitool("mc", "info");
  const controller = parseController(info.stdout);
  // What can't say who it is is not asked on.
  if (controller === null && !info.ok) throw noAnswer(info, target);
  const status = await ipmitool("chassis", "status");
  const chassis = parseChassis(status.stdout);
  if (controller === null && chassis === null) throw noAnswer(status.hung ? status : info, target);
  const cause = await ipmitool("chassis", "restart_cause");
  return {
    controller,
    chassis,
    restart_cause: parseRestartCause(cause.stdout),
    incomplete: [
      ...(info.ok && controller?.firmware != null ? [] : ["mc info"]),
      ...(status.ok && chassis?.power_on != null ? [] : ["chassis status"]),
      // Optional in IPMI: "Invalid command" is an answer.
      ...(cause.hung ? ["chassis restart_cause"] : []),
    ],
    hung: info.hung || status.hung || cause.hung,
  };
}

/** @throws AgentError as `noAnswer` gives it when nothing at all came */
export async function readBmcSensors(
  ipmitool: Ipmitool,
  target: LanTarget | null,
): Promise<BmcSensorsResult> {
  const answer = await ipmitool("-c", "sdr", "elist");
  const { sensors, strange } = parseSensors(answer.stdout);
  // An empty repository is an answer; garbage is none.
  if (sensors.length === 0 && (!answer.ok || strange > 0)) throw noAnswer(answer, target);
  return {
    sensors,
    incomplete: answer.ok ? [] : ["sdr elist"],
    hung: answer.hung,
  };
}

/** @throws AgentError as `noAnswer` gives it when nothing at all came */
export async function readBmcSel(
  ipmitool: Ipmitool,
  target: LanTarget | null,
  { after, state, limit }: SelArguments,
): Promise<BmcSelResult> {
  const about = await ipmitool("sel", "info");
  const info = parseSelInfo(about.stdout);
  if (info === null) throw noAnswer(about, target);
  const facts = { entries: info.entries, percent_used: info.percentUsed, overflow: info.overflow };
  const none = { records: [], gap: false, restarted: false, last: null, incomplete: [], hung: false };
  if (info.state === state) return { ...facts, ...none, state, unchanged: true };
  if (info.entries === 0)
    return { ...facts, ...none, state: info.state, unchanged: false, restarted: after !== null };

  const answer = await ipmitool("-c", "sel", "elist", "last", String(limit));
  const { records } = parseSel(answer.stdout);
  const isWhole = answer.ok && records.length > 0;
  if (records.length === 0 && !isEmptyLog(answer)) throw noAnswer(answer, target);
  const newer = newerThan(records, after, info.entries !== null && info.entries <= records.length);
  // Half a list without the record looked for does not prove that the log began anew.
  const isDoubtful = newer.restarted && !isWhole;
  return {
    ...facts,
    // Half a log is looked at again, even when nothing is added to it.
    state: isWhole ? info.state : "-",
    unchanged: false,
    records: isDoubtful ? [] : newer.records.slice(-limit),
    gap: newer.gap,
    restarted: newer.restarted && isWhole,
    last: isDoubtful ? null : (records.at(-1) ?? null),
    incomplete: isWhole ? [] : ["sel elist"],
    hung: answer.hung,
  };
}

function isEmptyLog({ ok, stdout, stderr }: IpmitoolAnswer): boolean {
  return ok && /SEL has no entries/i.test(stdout + stderr);
}
