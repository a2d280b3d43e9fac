/** The real helper, its programs and its writes made points; behind its socket or in the process of the rest. */
import * as v from "valibot";
import { directHelper } from "../../../src/helper/direct.ts";
import { openHelperServer } from "../../../src/helper/link/server.ts";
import type { Operation } from "../../../src/helper/operation.ts";
import type { HelperOptions } from "../../../src/helper/parts.ts";
import type { HelperPort } from "../../../src/helper/port.ts";
import { openFiles } from "../../../src/system/files.ts";
import { type RunProgram, runProgram } from "../../../src/system/program.ts";
import { watchHelperFiles } from "./disk.ts";
import type { Points } from "./points.ts";
import { type Job, places } from "./types.ts";

/** EXT4_SUPER_MAGIC of linux/magic.h: a disk. */
const EXT4 = 0xef53;

function options(job: Job, points: Points): HelperOptions {
  const at = places(job.world);
  const run: RunProgram = async (argv, given) => {
    const line = argv.slice(0, 2).join(" ");
    points.point(`helper: run ${line}`);
    const result = await runProgram(argv, given);
    points.point(`helper: after ${line}`);
    return result;
  };
  const act: Operation = {
    name: "act",
    args: v.strictObject({}),
    timeoutMs: 10_000,
    policy: "smart_test",
    lanes: () => [{ name: "act", limit: 1 }],
    async perform() {
      points.point("helper: act");
      points.say({ kind: "act" });
      points.point("helper: after act");
      return { acted: true };
    },
  };
  return {
    policyPath: at.policy,
    stateFolder: at.helperState,
    files: openFiles(at.root),
    fileSystemType: () => EXT4,
    audit: () => undefined,
    moreOperations: [act],
    run,
  };
}

export interface OpenHelper {
  readonly port: HelperPort;
  close(): void;
}

export function openDirect(job: Job, points: Points): OpenHelper {
  const unwatch = watchHelperFiles(job, points);
  const helper = directHelper(options(job, points));
  return {
    port: helper,
    close() {
      helper.close();
      unwatch();
    },
  };
}

/** @returns what ends it */
export async function serveHelper(job: Job, points: Points): Promise<() => Promise<void>> {
  const unwatch = watchHelperFiles(job, points);
  const listen = { path: places(job.world).socket };
  const server = await openHelperServer({ ...options(job, points), listen, idleExitMs: 600_000 });
  return async () => {
    await server.close();
    unwatch();
  };
}
