/** A round that sends nothing: read how the server sees this node, and say what differs. */
import { AgentError } from "../../../model/errors.ts";
import type { ControlContext, SyncInput, SyncOutcome } from "../../control-api.ts";
import type { NodeFoundryConfig } from "../config-type.ts";
import { API, type Connection } from "../connection.ts";
import { readKeyFile } from "../key.ts";
import { keyKind } from "../key-kind.ts";
import { differences, findOwnNode, listNodes, ownFacts } from "./compare.ts";

/** There is nothing to be quick for, and every round costs the account's limit. */
const INTERVAL_S = 900;

export interface ReadOnly {
  readonly why: string;
  /** Monotonic, milliseconds; null: as long as the configuration says so. */
  readonly askAgainAt: number | null;
}

export interface Looker {
  /** A read-only key and nothing else: the operator wants to look on. @throws AgentError codes of `readKeyFile` */
  byKey(registered: boolean): ReadOnly | null;
  /** @throws AgentError `no_agent_api` without a key to read with, `node_not_listed`, `node_ambiguous`, any of the connection */
  round(why: string, input: SyncInput, signal: AbortSignal): Promise<SyncOutcome>;
  /** As found last. */
  node(): { readonly id: string; readonly note: string } | null;
}

export function openLooker(
  config: NodeFoundryConfig,
  context: ControlContext,
  connection: Connection,
): Looker {
  let found: { id: string; clusterId: string | null; note: string } | null = null;

  function tell(text: string, nextStep: string | null): void {
    context.conditions.raise({ code: "no_agent_api", subject: API, severity: "warning", text, nextStep });
  }

  return {
    node: () => found,
    byKey(registered) {
      if (config.keyFile === null || config.enrolKeyFile !== null || registered) return null;
      if (keyKind(readKeyFile(config.keyFile)) !== "read-only") return null;
      return { why: "the key may only read (nf_sk_ro_…)", askAgainAt: null };
    },
    async round(why, input, signal) {
      if (config.keyFile === null) {
        const nextStep =
          'write key_file = "/etc/foundry-agent/nodefoundry.key" below [nodefoundry], a file with a read-only key (nf_sk_ro_…)';
        tell(`Nothing is reported: ${why}, and there is no key to read with.`, nextStep);
        throw new AgentError("no_agent_api", `${why}, and there is no key to read with.`, nextStep);
      }
      const bearer = readKeyFile(config.keyFile);
      // Whoever looks on only needs none to register with.
      context.conditions.clear("enrol_key_needed", API);
      const own = ownFacts(context.identity().hostname, input.report);
      const get = (path: string) => connection.call({ method: "GET", path, bearer, signal });
      let nodes = await listNodes(get, found?.clusterId ?? null, connection.host);
      // In another cluster since the last time: look through all.
      if (found !== null && found.clusterId !== null && !nodes.some(({ id }) => id === found?.id)) {
        nodes = await listNodes(get, null, connection.host);
      }
      const node = findOwnNode(nodes, own);
      const differs = differences(node, own);
      const compared =
        differs.length === 0
          ? "what the server shows of this node is right"
          : `the server shows otherwise: ${differs.join("; ")}`;
      found = {
        id: node.id,
        clusterId: node.cluster_id,
        note: `${why}: read-only; ${compared}`.slice(0, 500),
      };
      tell(`${`Nothing is reported: ${why}; ${compared}`.slice(0, 500)}.`, null);
      return {
        confirmed: false,
        ackedEvents: [],
        resync: [],
        commands: [],
        cancel: [],
        serverNow: null,
        intervalS: INTERVAL_S,
        readOnly: true,
        openCommands: [],
        rejected: [],
      };
    },
  };
}
