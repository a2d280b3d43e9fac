/**
 * Section `sensors`: what hardware monitors measure besides the processors and the drives: fans, voltages, power,
 * current, temperatures of boards and network cards. Behind many of them a slow bus or a firmware answers, so they are
 * asked once a minute, one after the other in the slow lane, and not when somebody scrapes.
 */
import { AgentError, errorCode } from "../../../model/errors.ts";
import { NEVER_NEWS } from "../../../model/facets.ts";
import { plural } from "../../../model/text/sentence.ts";
import type { Files } from "../../../system/files.ts";
import { type CollectContext, type Collector, type NoData, noData, type TableView } from "../../collector.ts";
import { type Found, findAll, HWMON, scaled } from "./find.ts";
import { sensorMetrics } from "./metrics.ts";
import { type Sensor, type Sensors, sensorsSchema } from "./schema.ts";

const LOOK_AGAIN_MS = 600_000;
const UNITS: Readonly<Record<Sensor["kind"], string>> = {
  temp: "°C",
  fan: "rpm",
  in: "V",
  curr: "A",
  power: "W",
  energy: "J",
};

export function sensorsCollector(): Collector<Sensors> {
  let known: { at: number; names: string; all: ReturnType<typeof findAll> } | null = null;

  async function collect({ machine: { files, clock }, signal }: CollectContext): Promise<Sensors | NoData> {
    // Two chips that changed their numbers have the same list, so their names are in it.
    const names = files
      .list(HWMON)
      .map((entry) => `${entry} ${files.text(`${HWMON}/${entry}/name`)}`)
      .join("\n");
    if (known === null || known.names !== names || clock.monotonic() - known.at > LOOK_AGAIN_MS)
      known = { at: clock.monotonic(), names, all: findAll(files) };
    const { found, leftOut } = known.all;
    if (found.length === 0)
      return noData("This machine has no hardware monitor besides those of its processors and drives.");
    const sensors: Sensor[] = [];
    for (const one of found) sensors.push(await read(files, one, signal));
    if (sensors.some(({ problem }) => problem === "ENOENT")) known = null;
    return { sensors, left_out: leftOut };
  }

  return {
    name: "sensors",
    summary: "Fans, voltages, power and temperatures besides those of processors and drives.",
    everyMs: 60_000,
    timeoutMs: 30_000,
    get schema() {
      return sensorsSchema;
    },
    volatile: {
      "sensors[id].value": NEVER_NEWS,
      "sensors[id].alarm": NEVER_NEWS,
      "sensors[id].problem": NEVER_NEWS,
    },
    sensitive: [],
    metrics: sensorMetrics,
    table: sensorTable,
    glance: ({ sensors }) => plural(sensors.length, "sensor"),
    collect,
  };
}

async function read(files: Files, found: Found, signal: AbortSignal): Promise<Sensor> {
  const { valueFile, alarmFile, faultFile, sleepFile, ...fixed } = found;
  const ask = async (file: string): Promise<number> => Number(await files.slow.read(file, fixed.chip));
  const flag = async (file: string | null): Promise<boolean | null> => {
    const told = file === null ? null : await ask(file).catch(() => null);
    return told === null || Number.isNaN(told) ? null : told !== 0;
  };
  const nothing = { value: null, alarm: null, fault: null };
  try {
    if (signal.aborted) return { ...fixed, ...nothing, problem: "stopped" };
    // A graphics card that sleeps would be woken by the question.
    if (files.text(sleepFile) === "suspended") return { ...fixed, ...nothing, problem: "asleep" };
    const value = scaled(fixed.kind, await ask(valueFile));
    if (value === null) throw new AgentError("not_a_number", `${valueFile} holds no number`);
    return { ...fixed, value, alarm: await flag(alarmFile), fault: await flag(faultFile), problem: null };
  } catch (error) {
    const fault = errorCode(error) === "timeout" ? null : await flag(faultFile);
    return { ...fixed, ...nothing, fault, problem: errorCode(error) };
  }
}

const sensorTable: TableView<Sensors> = {
  columns: ["chip", "sensor", "value", "limits"],
  rows: ({ sensors }) =>
    sensors.map(({ chip, chip_name, sensor, label, kind, value, problem, min, max, critical }) => {
      const limits = [
        min === null ? [] : `at least ${min}`,
        max === null ? [] : `at most ${max}`,
        critical === null ? [] : `critical ${critical}`,
      ].flat();
      return [
        chip_name ?? chip,
        label ?? sensor,
        value === null ? `no value (${problem})` : `${value} ${UNITS[kind]}`,
        limits.join(", ") || null,
      ];
    }),
};
