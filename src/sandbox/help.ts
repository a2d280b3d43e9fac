/** The page at /: what this is, and lines to paste. Keys are not on it: anybody on this machine can read it. */

/** @param url base of the sandbox, without a slash at the end */
export function helpPage(url: string): string {
  return `foundry-agent sandbox: the NodeFoundry API, with no hardware behind it but the agents you connect.

The keys were printed when it started. Take one:

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

Make things go wrong (429, 503, slow, slow_body, html, broken_json, truncated, endless, large,
drop_before, drop_after, redirect, status), restore an old state, and end it:

  curl -s -X POST ${url}/sandbox/faults -d '{"kind": "503", "path": "/v1/nodes/*/sync", "count": 3}'
  curl -s -X POST ${url}/sandbox/faults -d '{"kind": "snapshot"}'
  curl -s -X POST ${url}/sandbox/faults -d '{"kind": "restore"}'
  curl -s ${url}/sandbox/faults
  curl -s -X DELETE ${url}/sandbox/faults
`;
}
