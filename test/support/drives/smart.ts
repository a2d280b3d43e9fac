/** What the tests of SMART share: own captures, facts with everything unknown, a helper in this process. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import type { Operation } from "../../../src/helper/operation.ts";
import type { HelperPort } from "../../../src/helper/port.ts";
import { factsOfJson } from "../../../src/helper/smart/json.ts";
import { smartRead } from "../../../src/helper/smart/read.ts";
import { smartScan } from "../../../src/helper/smart/scan.ts";
import { smartTest } from "../../../src/helper/smart/test.ts";
import type { SmartAttribute, SmartFacts, SmartNvme, SmartScsi } from "../../../src/model/smart.ts";
import { hostClock } from "../../../src/system/clock.ts";
import type { Files } from "../../../src/system/files.ts";
import { runProgram } from "../../../src/system/program.ts";
import { temporaryFolder } from "../machine/tree.ts";

export const FIXTURES = new URL("../../fixtures/smart/", import.meta.url).pathname;

/** Own captures: `vm-lab/smartctl-x-sda.json` → text. */
export function ownCaptures(): [string, string][] {
  return readdirSync(FIXTURES, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => [name, readFileSync(join(FIXTURES, name), "utf8")]);
}

export function capture(name: string): string {
  return readFileSync(join(FIXTURES, `${name}.json`), "utf8");
}

/** Facts of a drive that said nothing but that it is well; `more` on top. */
export function facts(more: Partial<SmartFacts> = {}): SmartFacts {
  return { ...factsOfJson({ smartctl: { exit_status: 0 } }, 0), protocol: "ATA", passed: true, ...more };
}

/** What smartctl calls an attribute that its database has no other name for (drivedb.h, "DEFAULT"). */
const USUAL: Readonly<Record<number, string>> = {
  1: "Raw_Read_Error_Rate",
  3: "Spin_Up_Time",
  4: "Start_Stop_Count",
  5: "Reallocated_Sector_Ct",
  9: "Power_On_Hours",
  10: "Spin_Retry_Count",
  22: "Helium_Level",
  184: "End-to-End_Error",
  187: "Reported_Uncorrect",
  188: "Command_Timeout",
  190: "Airflow_Temperature_Cel",
  194: "Temperature_Celsius",
  197: "Current_Pending_Sector",
  198: "Offline_Uncorrectable",
  199: "UDMA_CRC_Error_Count",
};

export function usualName(id: number): string {
  return USUAL[id] ?? "Unknown_Attribute";
}

export function attribute(id: number, more: Partial<SmartAttribute> = {}): SmartAttribute {
  return {
    id,
    name: usualName(id),
    value: 100,
    worst: 100,
    thresh: 0,
    when_failed: null,
    prefail: false,
    flags: "-O--CK",
    raw: 0,
    raw_text: null,
    ...more,
  };
}

/** A SAS drive that says it is well. */
export function scsi(more: Partial<SmartScsi>, rest: Partial<SmartFacts> = {}): SmartFacts {
  return facts({
    protocol: "SCSI",
    scsi: {
      asc: null,
      ascq: null,
      ie_text: null,
      grown_defects: 0,
      pending_defects: null,
      read_uncorrected: 0,
      write_uncorrected: 0,
      verify_uncorrected: null,
      read_rereads: 0,
      write_rewrites: 0,
      ...more,
    },
    ...rest,
  });
}

export function nvme(more: Partial<SmartNvme> = {}): SmartNvme {
  return {
    critical_warning: 0,
    available_spare_percent: 100,
    spare_threshold_percent: 10,
    percentage_used: 1,
    media_errors: 0,
    error_log_entries: 0,
    unsafe_shutdowns: 0,
    warning_temperature_minutes: 0,
    critical_temperature_minutes: 0,
    ...more,
  };
}

/** A folder first in PATH with a program `smartctl`, a shell script of `lines`; until the test is over. */
export function fakeSmartctl(lines: string): string {
  const folder = temporaryFolder();
  const before = process.env.PATH;
  process.env.PATH = `${folder}:${before}`;
  onTestFinished(() => {
    process.env.PATH = before;
  });
  writeFileSync(join(folder, "smartctl"), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(folder, "smartctl"), 0o755);
  return folder;
}

export const smartOperations = [smartScan, smartRead, smartTest] as unknown as readonly Operation[];

/** More than any of them takes, on whatever machine. */
export const LONG_MS = 20_000;

/**
 * The operations carried out in this process with real programs, as direct mode does: at most `lane.limit` at
 * a time is the caller's matter here. A program gets at most what `limitMs` says of its command line.
 */
export function inProcessHelper(
  files: Files,
  limitMs: (argv: readonly string[]) => number = () => LONG_MS,
): HelperPort & { calls: string[] } {
  const kept = new Map<string, unknown>();
  const calls: string[] = [];
  return {
    calls,
    how: { kind: "direct" },
    async call(name, args, signal) {
      calls.push(`${name} ${JSON.stringify(args)}`);
      const operation = smartOperations.find((one) => one.name === name);
      if (operation === undefined) throw new Error(`no operation ${name}`);
      return await operation.perform(v.parse(operation.args, args), {
        files,
        clock: hostClock(),
        kept,
        signal,
        signed: null,
        leftMs: () => LONG_MS,
        begun: () => undefined,
        step: () => undefined,
        run: (argv, options) =>
          runProgram(argv, { ...options, timeoutMs: Math.min(limitMs(argv), options.timeoutMs) }),
      });
    },
  };
}

/** Folder of donated drives beside the checkout, which may not be copied; null where it is not. */
export function donatedDrives(): string | null {
  const folder =
    process.env.SMART_CORPUS ?? new URL("../../../shared/corpus/smart/", import.meta.url).pathname;
  return existsSync(folder) ? folder : null;
}
