/**
 * Asking the cluster costs a Python process a call, so only the map and the health are asked each time; the hierarchy
 * again when the map is another, space and versions once an hour. Loaded with the first question.
 */
import * as answers from "../../ceph/command/answers.ts";
import { type CephCommand, cephCommand } from "../../ceph/command/ceph-command.ts";
import type { CephAccess } from "../../ceph/command/failure.ts";
import { type CrushTree, crushTree } from "../../ceph/map/tree.ts";
import { AgentError } from "../../model/errors.ts";
import type { RunProgram } from "../../system/program.ts";
import type { Answers } from "./picture.ts";

/** Less than an hour by what the schedule's jitter may take away. */
const HOLDS_MS = 3_500_000;

/** The manager is away, or answers in another shape than any known. */
const WITHOUT_SPACE = new Set(["ceph_silent", "ceph_answer", "ceph_answer_too_long"]);

/** @param now milliseconds that never jump @throws AgentError as `CephCommand.ask` */
export type Asker = (now: number, signal: AbortSignal) => Promise<Answers>;

export function openAsker(access: CephAccess, run: RunProgram): Asker {
  const ceph = cephCommand(access, run);
  let hierarchy: { readonly fsid: string; readonly epoch: number; readonly tree: CrushTree } | null = null;
  let hourly: Pick<Answers, "df" | "versions"> | null = null;
  let hourlyAt = Number.NEGATIVE_INFINITY;

  return async (now, signal) => {
    const dump = await ceph.ask(["osd", "dump"], answers.osdDump, signal);
    if (hierarchy?.fsid !== dump.fsid || hierarchy.epoch !== dump.epoch) {
      const tree = crushTree(await ceph.ask(["osd", "tree"], answers.osdTree, signal));
      hierarchy = { fsid: dump.fsid, epoch: dump.epoch, tree };
    }
    const { tree } = hierarchy;
    const health = await ceph.ask(["health", "detail"], answers.health, signal);
    if (now - hourlyAt >= HOLDS_MS) {
      hourly = {
        versions: await ceph.ask(["versions"], answers.versions, signal),
        df: await spaceOf(ceph, signal),
      };
      // Where no manager was there to tell the space, it is asked again next time.
      hourlyAt = hourly.df === null ? Number.NEGATIVE_INFINITY : now;
    }
    return { dump, tree, health, df: hourly?.df ?? null, versions: hourly?.versions ?? null };
  };
}

/** What only a manager knows: without a word of it that can be read, the rest is as true as before. */
async function spaceOf(ceph: CephCommand, signal: AbortSignal): Promise<answers.OsdDf | null> {
  try {
    return await ceph.ask(["osd", "df"], answers.osdDf, signal);
  } catch (error) {
    if (error instanceof AgentError && WITHOUT_SPACE.has(error.code)) return null;
    throw error;
  }
}
