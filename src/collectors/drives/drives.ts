/**
 * Every physical drive: who it is, where it sits, what is on it and how it fares; and those that are gone.
 *
 * Three parts with three costs. What is static is read when the kernel says that a device changed
 * (scan/scan.ts). What changes is read at each run from the kernel's memory. What the drive itself has to
 * answer, temperature and space, is asked last and bounded (ask.ts), so that a sick drive costs its
 * own two fields and nothing else.
 */
import { AgentError } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";
import { type CollectContext, type Collector, type NoData, noData } from "../collector.ts";
import { historyKeeper } from "../told-once.ts";
import { askTemperature, NO_SENSOR, type Temperature } from "./ask.ts";
import { driveConditions, driveEvents } from "./conditions.ts";
import { loadOf } from "./memory/expected.ts";
import { type DriveMemory, learnKeys, parseDriveMemory, sharedOf } from "./memory/kept.ts";
import { driveMetrics } from "./metrics.ts";
import { missingOf, remember } from "./missing.ts";
import type { Scan, ScannedDrive } from "./scan/assemble.ts";
import { type DriveKeys, driveKeys } from "./scan/keys.ts";
import { driveScanner } from "./scan/scan.ts";
import {
  type Drive,
  type DriveHolder,
  type DriveIo,
  type DrivesData,
  drivesSchema,
  type MdArray,
  type Pool,
} from "./schema.ts";
import { stateOf } from "./states.ts";
import { driveTable } from "./table.ts";
import { cleanText } from "./text.ts";
import { totalsOf } from "./totals.ts";
import { readArrays } from "./use/arrays.ts";
import { addIo, readIo } from "./use/io.ts";
import { readStranded } from "./use/stranded.ts";
import { type MountTable, mountReader, readUse } from "./use/use.ts";

// Controllers and drives still spin up after a start; before that nothing is called missing.
const SETTLING_S = 180;

/** @param keys shared with the section `smart`, so that a drive has one key in both */
export function drivesCollector(keys: DriveKeys = driveKeys()): Collector<DrivesData> {
  const scanner = driveScanner(keys);
  const readMounts = mountReader();
  const told = historyKeeper(parseDriveMemory);
  let learned = false;
  let remembered: {
    memory: DriveMemory;
    kept: unknown;
    scan: Scan;
    loads: string;
    settling: boolean;
  } | null = null;

  /** Compare with the memory, only when something to be remembered changed, and write only what is new. */
  function keepMemory(context: CollectContext, scan: Scan, drives: readonly Drive[]): DriveMemory {
    const kept = context.memory.get();
    const loads = drives.map(loadOf).join("\n");
    if (
      remembered?.scan === scan &&
      remembered.kept === kept &&
      remembered.loads === loads &&
      !remembered.settling
    )
      return remembered.memory;
    const before = told.read(context.memory);
    const settling = isSettling(context.machine.files);
    const now = new Date(context.machine.clock.now()).toISOString();
    const memory = { ...remember(before, drives, settling, now), ...sharedOf(keys) };
    told.keep(context.memory, before, memory);
    remembered = { memory, kept: context.memory.get(), scan, loads, settling };
    return memory;
  }

  async function collect(context: CollectContext): Promise<DrivesData | NoData> {
    const { files, clock } = context.machine;
    if (files.presence("/sys/block") === "denied")
      return noData("The folder /sys/block may not be looked into.");
    if (!learned) learnKeys(keys, parseDriveMemory(context.memory.get()));
    learned = true;
    const scan = scanner.scan(files, clock.monotonic(), context.options.drivetemp === true);
    if (!isBelievable(files, scan) && (parseDriveMemory(context.memory.get())?.drives.length ?? 0) > 0)
      throw new AgentError(
        "block_devices_unreadable",
        "/sys/block shows no block device at all, though drives were there before",
        "ls /sys/block",
      );
    const table = readMounts(files);
    const arrays = readArrays(files, scan.stacked);
    const { drives, pools } = await readDrives(files, scan, arrays, table, context.signal);
    const memory = keepMemory(context, scan, drives);
    const missing = missingOf(memory);
    if (drives.length === 0 && missing.length === 0)
      return memory.drives.length === 0
        ? noData("No drives are visible here, as usual in a container.")
        : { ...noData("The drives that were here before have not come up yet."), pending: true };
    return {
      drives,
      totals: totalsOf(drives),
      arrays,
      pools,
      stranded: readStranded(files, scan, table.mounts, pools),
      missing,
      history: [...memory.history],
      history_base: told.base(),
    };
  }

  return {
    name: "drives",
    summary:
      "Every physical drive with its place, paths, use, counters and temperature, and those that are gone.",
    everyMs: 60_000,
    timeoutMs: 30_000,
    get schema() {
      return drivesSchema;
    },
    volatile: {
      "drives[id].io.*": { rel: 0.1 },
      "drives[id].io.in_flight": { abs: 32 },
      "drives[id].temperature_c": { abs: 2 },
      "drives[id].mounts[mountpoint].used_bytes": { rel: 0.02 },
      "drives[id].mounts[mountpoint].available_bytes": { rel: 0.02 },
      "drives[id].mounts[mountpoint].files": { rel: 0.1 },
      "drives[id].mounts[mountpoint].files_free": { rel: 0.1 },
      "arrays[name].sync_done_bytes": { rel: 0.1 },
      "drives[id].swap[device].used_bytes": { rel: 0.1 },
      history_base: {},
    },
    sensitive: [
      "drives[id].id",
      "drives[id].serial",
      "drives[id].wwn",
      "drives[id].enclosure",
      "drives[id].paths[name].address",
      "drives[id].paths[name].by_path",
      "drives[id].mmc.cid",
      "missing[id].id",
      "missing[id].serial",
      "missing[id].enclosure",
      "history[seq].id",
      "history[seq].serial",
      "history[seq].enclosure",
      "history[seq].replaced_by",
      "history[seq].from_enclosure",
    ],
    metrics: driveMetrics,
    table: driveTable,
    glance: ({ drives }) => drives.map(({ name }) => name).join(", ") || "no drives",
    conditions: driveConditions,
    changes: driveEvents,
    collect,
  };
}

async function readDrives(
  files: Files,
  scan: Scan,
  arrays: readonly MdArray[],
  table: MountTable,
  signal: AbortSignal,
): Promise<Pick<DrivesData, "drives" | "pools">> {
  const counters = readIo(files, scan.counted);
  const degraded = new Map(arrays.map((array) => [array.name, array.degraded]));
  const temperatures = new Map<ScannedDrive, Temperature>();
  for (const drive of scan.drives) {
    if (drive.sensor === null) continue;
    temperatures.set(drive, await askTemperature(files, drive.sensor, drive.facts.name, signal));
  }
  const use = await readUse(files, scan, table, signal);
  const silent = new Set(files.slow.quarantined());
  const drives = scan.drives.map((drive): Drive => {
    const { facts, group } = drive;
    const paths = drive.paths.map(({ stateFile, ...path }) => ({
      ...path,
      state: stateFile === null ? null : cleanText(files.text(stateFile)),
    }));
    const temperature = temperatures.get(drive) ?? NO_SENSOR;
    let io: DriveIo | null = null;
    for (const { name } of group.devices) {
      const own = counters.get(name);
      if (own) io = addIo(io, own);
    }
    return {
      ...facts,
      holders: [
        ...facts.holders.map((it) =>
          it.kind === "md" ? { ...it, degraded: degraded.get(it.name) ?? null } : it,
        ),
        ...poolsOn(scan, drive, use.pools),
      ],
      state: stateOf(paths),
      answering: !silent.has(facts.name) && temperature.problem !== "timeout",
      paths,
      mounts: [...(use.mounts.get(drive) ?? [])],
      swap: [...(use.swap.get(drive) ?? [])],
      io,
      temperature_c: temperature.celsius,
      temperature_problem: temperature.problem,
    };
  });
  return { drives, pools: [...use.pools] };
}

/** The ZFS pools that a drive is a member of; btrfs and bcachefs are told by their mounts. */
function poolsOn(scan: Scan, drive: ScannedDrive, pools: readonly Pool[]): DriveHolder[] {
  return pools.flatMap(({ kind, name, devices }) => {
    const on = devices.find((device) => scan.owners.get(device)?.includes(drive));
    if (kind !== "zfs" || on === undefined) return [];
    return [{ name, kind, label: name, level: null, degraded: null, on, size_bytes: null }];
  });
}

/** An empty /sys/block is believed where the rest of /sys is there too: not in a container that shows half of it. */
function isBelievable(files: Files, scan: Scan): boolean {
  return scan.blockCount > 0 || (scan.seq !== null && files.presence("/sys/block") === "yes");
}

/** The first minutes after the machine's start, by /proc/uptime (seconds). */
function isSettling(files: Files): boolean {
  const uptime = Number.parseFloat(files.text("/proc/uptime") ?? "");
  return Number.isFinite(uptime) && uptime < SETTLING_S;
}
