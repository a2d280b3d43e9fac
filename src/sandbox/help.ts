/** The page at /: what this is, and lines to paste. Keys are not on it: anybody on this machine can read it. */
import type { MountedApi } from "./mounted-api.ts";

/** @param url base of the sandbox, without a slash at the end */
export function helpPage(url: string, apis: readonly MountedApi[]): string {
  const names = apis.map(({ title }) => `the ${title} API`).join(", ");
  return `foundry-agent sandbox: ${names}, with no hardware behind it but the agents you connect.

${apis.map((api) => api.help(url)).join("\n")}
Make things go wrong (429, 503, slow, slow_body, html, broken_json, truncated, endless, large,
drop_before, drop_after, redirect, status), restore an old state, and end it:

  curl -s -X POST ${url}/sandbox/faults -d '{"kind": "503", "path": "/v1/nodes/*/sync", "count": 3}'
  curl -s -X POST ${url}/sandbox/faults -d '{"kind": "snapshot"}'
  curl -s -X POST ${url}/sandbox/faults -d '{"kind": "restore"}'
  curl -s ${url}/sandbox/faults
  curl -s -X DELETE ${url}/sandbox/faults
`;
}
