/**
 * Faults that can be switched on: what a bad network, a broken proxy or an ailing server do to a client.
 * Each hits the requests that fit its method and path pattern, a number of times or until cleared.
 */
import * as v from "valibot";
import type { Answer } from "./http.ts";

const ms = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3_600_000));

/** As POSTed to /sandbox/faults. */
export const FaultSpec = v.strictObject({
  /**
   * status: an error answer (`status`, `code`) · 429, 503: the same with Retry-After · slow: `delay_ms` before
   * anything happens · slow_body: the true answer, a byte every `delay_ms` · html: 200 with a login page ·
   * broken_json: 200 with half an object · truncated: the true answer cut in the middle of the body ·
   * endless: 200 with a body that never ends · large: 200 with 5 MB of JSON · drop_before: connection cut,
   * nothing done · drop_after: all done, then the connection cut (a lost answer) · redirect: 307 to `location`.
   */
  kind: v.picklist([
    "status",
    "429",
    "503",
    "slow",
    "slow_body",
    "html",
    "broken_json",
    "truncated",
    "endless",
    "large",
    "drop_before",
    "drop_after",
    "redirect",
  ]),
  /** Only requests of this method. */
  method: v.optional(v.string()),
  /** Only this path; `*` stands for any run of characters. Default: every path outside /sandbox. */
  path: v.optional(v.string(), "*"),
  /** How many requests it hits; null: until it is cleared. */
  count: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))), null),
  delay_ms: v.optional(ms, 1000),
  retry_after_s: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400)), 1),
  location: v.optional(v.string()),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)), 500),
  code: v.optional(v.string(), "internal_error"),
});
export type FaultSpec = v.InferInput<typeof FaultSpec>;
export type Fault = v.InferOutput<typeof FaultSpec> & { readonly id: number };

export interface FaultControl {
  /** Switch one on; later ones come after earlier ones. @returns its id */
  set(spec: FaultSpec): number;
  /** One, or all. */
  clear(id?: number): void;
  /** What is on, with the counts that are left. */
  list(): Fault[];
  /** Remember the state of every API as it is now. */
  snapshot(): void;
  /** Put the remembered state back, as a server restored from an old backup: new epoch. @throws Error without a snapshot */
  restore(): void;
}

/** The list behind a FaultControl: `take` is the server's side. */
export interface FaultList {
  set(spec: FaultSpec): number;
  clear(id?: number): void;
  list(): Fault[];
  /** The first fault that fits, its count lowered. */
  take(method: string, path: string): Fault | null;
}

export function createFaultList(): FaultList {
  let last = 0;
  let faults: Fault[] = [];
  return {
    set(spec) {
      const fault = { ...v.parse(FaultSpec, spec), id: ++last };
      faults.push(fault);
      return fault.id;
    },
    clear(id) {
      faults = id === undefined ? [] : faults.filter((fault) => fault.id !== id);
    },
    list: () => faults.map((fault) => ({ ...fault })),
    take(method, path) {
      const fault = faults.find((each) => hits(each, method, path));
      if (!fault) return null;
      if (fault.count !== null) {
        fault.count -= 1;
        if (fault.count === 0) faults = faults.filter((each) => each !== fault);
      }
      return fault;
    },
  };
}

function hits(fault: Fault, method: string, path: string): boolean {
  if (fault.method !== undefined && fault.method !== method) return false;
  const literal = fault.path.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`).test(path);
}

/** The answer a fault gives in place of the true one, or null when it only delays or cuts that one. */
export function cannedAnswer(fault: Fault, requestId: string): Answer | null {
  const error = (status: number, code: string, message: string): Answer => ({
    status,
    body: { error: { code, message, request_id: requestId } },
  });
  const retry = { "retry-after": String(fault.retry_after_s) };
  switch (fault.kind) {
    case "status":
      return error(fault.status, fault.code, "A fault is switched on.");
    case "429":
      return { ...error(429, "rate_limited", "A fault is switched on."), headers: retry };
    case "503":
      return { ...error(503, "unavailable", "A fault is switched on."), headers: retry };
    case "html":
      return { status: 200, body: LOGIN_PAGE, headers: { "content-type": "text/html; charset=utf-8" } };
    case "broken_json":
      return {
        status: 200,
        body: '{"data": {"now": "2026-',
        headers: { "content-type": "application/json" },
      };
    case "large":
      return { status: 200, body: { data: { filler: "x".repeat(5_000_000) } } };
    case "redirect":
      return { status: 307, body: null, headers: { location: fault.location ?? "/v1/elsewhere" } };
    default:
      return null;
  }
}

const LOGIN_PAGE = "<!doctype html><title>Guest network</title><h1>Please sign in</h1>\n";
