/** What the sandbox says of this API to people: lines to paste. */
import type { SandboxKeys } from "./world.ts";

/** Without keys: anybody on this machine can read it. @param url base of the sandbox, without a slash at the end */
export function help(url: string): string {
  return `The keys were printed when it started. Take one:

  KEY=nf_sk_test_…

See what is there:

  curl -s ${url}/v1/nodes -H "Authorization: Bearer $KEY"
  curl -s ${url}/v1/clusters -H "Authorization: Bearer $KEY"

Ask a connected agent for something, and follow it:

  NODE=node_…
  curl -s -X POST ${url}/v1/nodes/$NODE/reboot -H "Authorization: Bearer $KEY"
  curl -s ${url}/v1/operations/op_… -H "Authorization: Bearer $KEY"
  curl -s -X POST ${url}/v1/nodes/$NODE/commands -H "Authorization: Bearer $KEY" \\
    -d '{"type": "collect", "params": {"sections": ["drives"]}}'
  curl -s -X POST ${url}/v1/operations/op_…/cancel -H "Authorization: Bearer $KEY"

What the agent has said:

  curl -s ${url}/v1/nodes/$NODE/report -H "Authorization: Bearer $KEY"
  curl -s ${url}/v1/nodes/$NODE/events -H "Authorization: Bearer $KEY"
`;
}

/** Keys, and how an agent is connected. */
export function welcome(url: string, keys: SandboxKeys): string {
  return `  enrolment key  ${keys.enrol}
  live key       ${keys.live}
  test key       ${keys.test}
  read-only key  ${keys.readOnly}

Enrol an agent whose config.toml says [nodefoundry] url = "${url}":
  echo ${keys.test} | foundry-agent enroll --key-file -
`;
}

/** Asking a node for a reboot, which a test key makes a rehearsal. */
export function calls(url: string, keys: SandboxKeys, nodeId: string): string[] {
  return [
    `curl -X POST -H "Authorization: Bearer ${keys.test}" -H "Content-Type: application/json" \\`,
    `  -d '{"method":"graceful"}' ${url}/v1/nodes/${nodeId}/reboot`,
    `curl -H "Authorization: Bearer ${keys.test}" ${url}/v1/operations/op_…  # the operation_id it answered`,
  ];
}
