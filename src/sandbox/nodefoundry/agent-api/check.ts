/** Request bodies and queries against a valibot schema; what does not fit is a 400 that names the field. */
import * as v from "valibot";
import { ApiError, jsonBody } from "../../http.ts";
import { issueWords } from "../../issue-words.ts";
import type { Call } from "../world.ts";

/** @throws ApiError 400 `invalid_request` naming the first field that does not fit */
export function check<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new ApiError(400, "invalid_request", issueWords(result.issues[0]));
}

/** @throws ApiError 400 `invalid_json` or `invalid_request` */
export function checkBody<T>(call: Call, schema: v.GenericSchema<unknown, T>): T {
  return check(schema, jsonBody(call.request.body));
}
