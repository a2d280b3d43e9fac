/**
 * Section `cpu`: what the processors are, how busy, how hot, and whether they are held back. A minute apart:
 * shorter peaks are in load and pressure, which the kernel averages itself. What the hardware is gets looked
 * for again every ten minutes, or at once when CPUs went on- or offline.
 */
import type { HelperPort } from "../../helper/port.ts";
import { AgentError } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import type { Files } from "../../system/files.ts";
import type { CollectContext, Collector, TableView } from "../collector.ts";
import { pressureTolerances, readPressure } from "../linux/pressure.ts";
import { readWhole } from "../linux/text.ts";
import { cpuConditions } from "./conditions.ts";
import { cpuMetrics } from "./metrics.ts";
import { type CpuModel, readCpuModel } from "./model.ts";
import { openFirmware } from "./raspberry-firmware.ts";
import { type Cpu, cpuSchema, type Throttling } from "./schema.ts";
import { areTheSame, findSensors, readTemperatures, type SensorFile } from "./temperature.ts";
import { findThrottling, fromFlags, readThrottling, type ThrottlingSource } from "./throttling.ts";
import {
  type CpuTicks,
  choosePolicies,
  type FrequencyRange,
  parseLoad,
  parseTotalTicks,
  readCurrentMhz,
  readFrequencyRange,
  utilisationBetween,
} from "./usage.ts";

const LOOK_AGAIN_MS = 600_000;
/** All that is needed of /proc/stat, in bytes. */
const FIRST_LINE = 512;

interface Found {
  readonly at: number;
  readonly online: string | null;
  readonly model: CpuModel;
  readonly policies: readonly string[];
  readonly range: FrequencyRange;
  readonly sensors: readonly SensorFile[];
  readonly throttling: ThrottlingSource;
  readonly hasPressure: boolean;
}

/** @param helper for a Raspberry Pi's firmware; without it that is unknown */
export function cpuCollector(helper: HelperPort | null = null): Collector<Cpu> {
  const firmware = openFirmware(helper);
  let found: Found | null = null;
  let lastTicks: CpuTicks | null = null;
  let lastCounts: ReadonlyMap<string, number> = new Map();
  let lastDear: { at: number; value: Throttling } | null = null;

  /** The firmware first, by the helper; a file whose every read is a warning in the kernel's log seldom and last. */
  function readHeldBack(files: Files, source: ThrottlingSource, now: number): Throttling {
    const flags = firmware.flags();
    if (flags !== null) return fromFlags(flags);
    if (source.kind !== "get_throttled") return readThrottling(files, source, lastCounts);
    if (lastDear === null || now - lastDear.at > LOOK_AGAIN_MS)
      lastDear = { at: now, value: readThrottling(files, source, lastCounts) };
    return lastDear.value;
  }

  function read({ machine }: CollectContext): Cpu {
    const { files, clock } = machine;
    const online = files.text("/sys/devices/system/cpu/online");
    if (found === null || found.online !== online || clock.monotonic() - found.at > LOOK_AGAIN_MS)
      found = look(files, online, clock.monotonic());
    else if (!areTheSame(files, found.sensors)) found = { ...found, sensors: findSensors(files) };
    const { model, policies, range } = found;

    const ticks = parseTotalTicks(readWhole(files, "/proc/stat", FIRST_LINE));
    const utilisation = lastTicks === null || ticks === null ? null : utilisationBetween(lastTicks, ticks);
    lastTicks = ticks;
    // Load and temperatures alone would be called ok without a word about the processors themselves.
    if (ticks === null && !model.listed) {
      found = null; // not to be kept for ten minutes
      throw new AgentError(
        "cpu_unreadable",
        "Neither /proc/stat nor /proc/cpuinfo can be read or has the lines it should have, so nothing is known of the processors",
        "head -n 3 /proc/stat /proc/cpuinfo  # is there anything, also inside the unit?",
      );
    }

    const { temperatures, failed } = readTemperatures(files, found.sensors);
    const throttling = readHeldBack(files, found.throttling, clock.monotonic());
    lastCounts = new Map(throttling.packages.map(({ package: id, count }) => [id, count]));
    const current_mhz = policies.length > 0 ? readCurrentMhz(files, policies) : model.virtualMhz;

    return {
      model: model.model,
      vendor: model.vendor,
      microcode: model.microcode,
      sockets: model.sockets,
      cores: model.cores,
      threads: model.threads,
      frequency: policies.length === 0 && current_mhz === null ? null : { ...range, current_mhz },
      load: parseLoad(files.text("/proc/loadavg") ?? ""),
      utilisation,
      pressure: found.hasPressure ? readPressure(files, "cpu") : null,
      temperatures,
      sensors_failed: failed,
      throttling,
    };
  }

  return {
    name: "cpu",
    summary: "Processors: model, load, utilisation, pressure, frequency, temperatures, throttling.",
    everyMs: 60_000,
    timeoutMs: 5_000,
    get schema() {
      return cpuSchema;
    },
    volatile: {
      "load.*": { abs: 0.5, rel: 0.25 },
      // From null to numbers and back is no news either, so the whole object is named.
      utilisation: { abs: 0.1 },
      "frequency.current_mhz": { abs: 200, rel: 0.2 },
      "temperatures[sensor].celsius": { abs: 3 },
      "throttling.packages[package].count": { rel: 0.1 },
      ...pressureTolerances("pressure"),
    },
    sensitive: [],
    metrics: cpuMetrics,
    table: cpuTable,
    glance: ({ model }) => model ?? "model not told",
    conditions: cpuConditions,
    changes: cpuChanges,
    collect(context) {
      const { files, clock } = context.machine;
      const asked = firmware.ask(files, clock.monotonic(), context.signal);
      // Waiting for somebody is for the few that have somebody to wait for.
      return asked === null ? read(context) : asked.then(() => read(context));
    },
  };
}

function look(files: Files, online: string | null, at: number): Found {
  const model = readCpuModel(files);
  const policies = choosePolicies(files);
  return {
    at,
    online,
    model,
    policies,
    range: readFrequencyRange(files, policies),
    sensors: findSensors(files),
    throttling: findThrottling(files, model.packages),
    hasPressure: readPressure(files, "cpu") !== null,
  };
}

export function cpuChanges(before: Cpu | null, after: Cpu): EventDraft[] {
  if (before?.threads == null || after.threads === null || before.threads === after.threads) return [];
  return [
    {
      type: "cpu.threads_changed",
      severity: after.threads < before.threads ? "warning" : "info",
      data: { before: before.threads, after: after.threads },
    },
  ];
}

const cpuTable: TableView<Cpu> = {
  columns: ["what", "value"],
  rows(data) {
    const { load, utilisation, frequency, pressure } = data;
    const percent = (fraction: number): string => `${(fraction * 100).toFixed(0)} %`;
    return [
      ["model", data.model],
      ["vendor", data.vendor],
      [
        "sockets / cores / threads",
        [data.sockets, data.cores, data.threads].map((n) => n ?? "?").join(" / "),
      ],
      ["frequency", frequency?.current_mhz == null ? null : `${frequency.current_mhz} MHz`],
      ["load", load === null ? null : `${load.one} ${load.five} ${load.fifteen}`],
      ["busy", utilisation === null ? null : percent(1 - utilisation.idle - utilisation.iowait)],
      ["waiting for disks", utilisation === null ? null : percent(utilisation.iowait)],
      ["pressure (10 s)", pressure === null ? "unknown" : `${pressure.some.avg10} %`],
      ...data.temperatures.map(({ sensor, celsius }) => [sensor, `${celsius} °C`]),
      ...data.sensors_failed.map((sensor) => [sensor, "can't be read"]),
      ["throttling", data.throttling.text],
    ];
  },
};
