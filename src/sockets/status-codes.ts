/** Error code → HTTP status on the two sockets. */
const STATUS_OF: Readonly<Record<string, number>> = {
  bad_request: 400,
  refused: 403,
  bad_params: 400,
  malformed: 400,
  unsupported: 400,
  helper_refused: 403,
  unsigned: 403,
  bad_signature: 403,
  policy_unusable: 403,
  not_found: 404,
  nothing_known: 404,
  method_not_allowed: 405,
  too_large: 413,
  too_many_streams: 429,
  timeout: 504,
  helper_timeout: 504,
  unhealthy: 503,
  unavailable: 503,
  unexpected: 500,
};

/** The status of an error's code; 409 (the agent is not in a state to do that) for those not named. */
export function statusOf(code: string): number {
  return STATUS_OF[code] ?? (code.startsWith("no_such_") ? 404 : code.startsWith("refused_") ? 403 : 409);
}
