/** What the server tells agents about their rhythm. */
import { fairIntervalS } from "../limiter.ts";
import { accountLimit } from "./agent-api/auth.ts";
import type { NodeRecord } from "./state.ts";
import type { World } from "./world.ts";

/** interval_s for an answer, 5–86 400; lengthened when node calls count against the account. */
export function intervalS(world: World): number {
  const base = Math.min(86_400, Math.max(5, Math.round(world.options.intervalS ?? 60)));
  if (!world.options.countNodeTokensAgainstAccount) return base;
  const agents = Object.values(world.state.nodes).filter((node) => node.seed === null).length;
  return Math.min(86_400, fairIntervalS(agents, accountLimit(world), base));
}

/** wait_s for the enrol answer, and the longest a sync is held open, 0–300. */
export function waitS(world: World): number {
  return Math.min(300, Math.max(0, Math.round(world.options.waitS ?? 50)));
}

/** Has the node missed two of the rounds it announced itself? False for one that never spoke. */
export function isOverdue(world: World, node: NodeRecord): boolean {
  return node.sync !== null && world.now() > node.sync.at + node.sync.nextDueS * 2000 + 30_000;
}
