/** Times on the wire of the two sockets. */

/** RFC 3339 in UTC with milliseconds; null for null and for what no calendar has. */
export function rfc3339(ms: number | null): string | null {
  if (ms === null || !(Math.abs(ms) <= 8.64e15)) return null;
  return new Date(ms).toISOString();
}
