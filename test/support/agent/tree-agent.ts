/** A real agent on a fixture tree with a clock that is set by hand, and a sandbox it may report to. */

import type { AgentView } from "../../../src/sockets/agent-view.ts";
import { layTree, loadTree, mergeTrees, type Tree, treeMachine } from "../machine/tree.ts";
import type { Sandbox } from "../net/nodefoundry.ts";
import { NOW } from "../now.ts";
import { type HandClock, handClock } from "../store/store.ts";
import { type TestAgent, testAgent } from "./agent.ts";
import { pointedAt, sandbox } from "./server.ts";

export interface TreeAgent {
  readonly agent: TestAgent;
  /** What the sockets ask; a test may lay something over it (pretend.ts). */
  readonly view: AgentView;
  readonly clock: HandClock;
  readonly statusSocket: string;
  readonly controlSocket: string;
  /** Of the tree: what is changed there is found by the next look. */
  readonly root: string;
  /** Where it reports to when it is `registered`. */
  readonly server: Sandbox;
}

export interface TreeAgentOptions {
  /** test/fixtures/trees/NAME, and what is more in it. */
  readonly tree?: string;
  readonly more?: Partial<Tree>;
  /** TOML after the [agent] section. */
  readonly toml?: string;
  /** State and configuration of an earlier one. */
  readonly folder?: string;
  /** As long as what is absent may still come; 0 when left out. */
  readonly settleMs?: number;
  /** With this key of the sandbox; "none": it is pointed there and not registered. */
  readonly registered?: "test" | "live" | "none";
}

/** 12 s ago it looked at everything. Nothing it is asked touches this host: it has no helper. */
export async function treeAgent(options: TreeAgentOptions = {}): Promise<TreeAgent> {
  const { tree = "ceph-node", more = {}, toml = "", registered, ...rest } = options;
  const clock = handClock(NOW - 12_000);
  const whole = mergeTrees([loadTree(tree), { files: {}, now: NOW, ...more }]);
  const root = layTree(whole);
  const machine = treeMachine(whole, clock, root);
  const server = await sandbox({ now: clock.now });
  const pointed = registered === undefined ? "" : pointedAt(server.url);
  const agent = await testAgent({ machine, toml: `${pointed}${toml}`, ...rest });
  const { view, statusSocket, controlSocket } = agent;
  if (registered === "test" || registered === "live")
    await view.enroll("nodefoundry", server.keys[registered], {});
  clock.forward(12_000);
  return { agent, view, clock, statusSocket, controlSocket, root, server };
}
