/**
 * Asking a BMC: in-band through the helper, or out of band by running ipmitool here. One question after the
 * other, the slowest last; after a hang nothing more is asked, and then ever more seldom. What could not be
 * had is a problem of its part, so that the other parts stay.
 */
import * as v from "valibot";
import { type LanTarget, openIpmitool } from "../../helper/bmc/ipmitool.ts";
import {
  type BmcInfoResult,
  type BmcLanResult,
  type BmcSelResult,
  type BmcSensorsResult,
  bmcInfoResult,
  bmcLanResult,
  bmcSelResult,
  bmcSensorsResult,
  readBmcInfo,
  readBmcLan,
  readBmcSel,
  readBmcSensors,
  type SelArguments,
} from "../../helper/bmc/reads.ts";
import type { HelperPort } from "../../helper/port.ts";
import { AgentError, errorText } from "../../model/errors.ts";
import type { RunProgram } from "../../system/program.ts";
import type { BmcProblem } from "./schema.ts";

export interface BmcAsker {
  info(signal: AbortSignal): Promise<BmcInfoResult>;
  lan(signal: AbortSignal): Promise<BmcLanResult>;
  sel(args: SelArguments, signal: AbortSignal): Promise<BmcSelResult>;
  sensors(signal: AbortSignal): Promise<BmcSensorsResult>;
}

export type BmcPart = BmcProblem["part"];

/** In-band. Answers of the helper are parsed like those of any other process. */
export function helperAsker(helper: HelperPort): BmcAsker {
  async function ask<T>(
    operation: string,
    args: object,
    schema: v.GenericSchema<unknown, T>,
    signal: AbortSignal,
  ): Promise<T> {
    const parsed = v.safeParse(schema, await helper.call(operation, args, signal));
    if (parsed.success) return parsed.output;
    throw new AgentError(
      "helper_protocol",
      `The helper's answer to ${operation} has another shape than expected`,
      "systemctl restart foundry-agent-helper.socket  # after an upgrade",
    );
  }
  return {
    info: (signal) => ask("bmc.info", {}, bmcInfoResult, signal),
    lan: (signal) => ask("bmc.lan", {}, bmcLanResult, signal),
    sel: (args, signal) => ask("bmc.sel", args, bmcSelResult, signal),
    sensors: (signal) => ask("bmc.sensors", {}, bmcSensorsResult, signal),
  };
}

/** Out of band, from this process: it needs the network and no root. @param now monotonic, milliseconds */
export function lanAsker(target: LanTarget, run: RunProgram, now: () => number): BmcAsker {
  const open = (signal: AbortSignal) => openIpmitool({ run, signal, now, target });
  return {
    info: (signal) => readBmcInfo(open(signal), target),
    lan: (signal) => readBmcLan(open(signal), target),
    sel: (args, signal) => readBmcSel(open(signal), target, args),
    sensors: (signal) => readBmcSensors(open(signal), target),
  };
}

const HANGS = new Set(["bmc_hang", "helper_timeout"]);
/** What is wrong with the way to the BMC is wrong for every question. */
const OF_ALL = new Set(["bmc_ipmitool_missing", "bmc_not_allowed", "bmc_device_missing", "bmc_unreachable"]);

export interface Round {
  readonly problems: readonly BmcProblem[];
  readonly asked: ReadonlySet<BmcPart>;
  /** Then nothing more is asked in this round; neither when the way to the BMC is known to be closed. */
  readonly hung: boolean;
  /**
   * Null when the answer could not be had, which is noted.
   * @throws AgentError of the helper itself (`helper_absent`, `helper_failed`, …): that is no word on the BMC
   */
  ask<T extends { incomplete: readonly string[]; hung: boolean }>(
    part: BmcPart,
    question: () => Promise<T>,
  ): Promise<T | null>;
}

/** One round of questions. */
export function openRound(): Round {
  const problems: BmcProblem[] = [];
  const asked = new Set<BmcPart>();
  let hung = false;
  let closed = false;
  return {
    problems,
    asked,
    get hung() {
      return hung;
    },
    async ask(part, question) {
      if (hung || closed) return null;
      asked.add(part);
      try {
        const answer = await question();
        hung = answer.hung;
        if (answer.incomplete.length > 0) problems.push(halfAnswer(part, answer.incomplete));
        return answer;
      } catch (error) {
        if (!(error instanceof AgentError)) throw error;
        hung = HANGS.has(error.code);
        closed = OF_ALL.has(error.code) || (error.code === "bmc_no_answer" && part === "info");
        if (!hung && !error.code.startsWith("bmc_")) throw error;
        problems.push(problemOf(part, error));
        return null;
      }
    },
  };
}

function problemOf(part: BmcPart, error: AgentError): BmcProblem {
  return {
    part,
    code: HANGS.has(error.code) ? "bmc_hang" : error.code,
    text: errorText(error),
    next_step: error.nextStep,
  };
}

function halfAnswer(part: BmcPart, commands: readonly string[]): BmcProblem {
  return {
    part,
    code: "bmc_half_answer",
    text: `The BMC answered only part of: ${commands.join(", ")}`,
    next_step: `ipmitool ${commands[0]}`,
  };
}
