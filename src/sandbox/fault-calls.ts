/** /sandbox/faults: the switches of faults.ts over HTTP, for people and for tests of other programs. */
import * as v from "valibot";
import { type FaultControl, FaultSpec } from "./faults.ts";
import { type Answer, ApiError, jsonBody, type Request } from "./http.ts";
import { issueWords } from "./issue-words.ts";

/** @throws ApiError */
export function faultCall(faults: FaultControl, request: Request): Answer {
  // A web page open in a browser on this machine must not get at the switches.
  if (request.headers.origin !== undefined) throw new ApiError(403, "forbidden", "Not from a web page.");
  const id = /^\/sandbox\/faults(?:\/(\d{1,9}))?$/.exec(request.path);
  if (!id) throw new ApiError(404, "not_found", `There is no ${request.path}; see /.`);
  if (request.method === "DELETE") faults.clear(id[1] === undefined ? undefined : Number(id[1]));
  else if (request.method === "POST" && id[1] === undefined) return setFault(faults, jsonBody(request.body));
  else if (request.method !== "GET")
    throw new ApiError(404, "not_found", "GET, POST and DELETE are known here.");
  return { status: 200, body: { data: faults.list() } };
}

function setFault(faults: FaultControl, body: unknown): Answer {
  const kind = body !== null && typeof body === "object" && "kind" in body ? body.kind : undefined;
  if (kind === "snapshot") {
    faults.snapshot();
    return { status: 200, body: { data: { kind } } };
  }
  if (kind === "restore") {
    try {
      faults.restore();
    } catch (error) {
      throw new ApiError(409, "no_snapshot", error instanceof Error ? error.message : String(error));
    }
    return { status: 200, body: { data: { kind } } };
  }
  const spec = v.safeParse(FaultSpec, body);
  if (!spec.success) {
    throw new ApiError(400, "invalid_request", issueWords(spec.issues[0]));
  }
  return { status: 201, body: { data: { id: faults.set(spec.output), ...spec.output } } };
}
