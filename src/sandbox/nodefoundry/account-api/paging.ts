/** Lists: `page` from 1, `per_page` 1–100, default 25; `{data, meta: {page, per_page, total}}`. */
import { type Answer, ApiError } from "../../http.ts";
import type { Call } from "../world.ts";

/** @throws ApiError 400 `invalid_request` for a page or per_page out of range */
export function page<T>(call: Call, items: readonly T[], view: (item: T) => unknown): Answer {
  const number = wholeNumber(call, "page", 1, 1_000_000);
  const size = wholeNumber(call, "per_page", 25, 100);
  const shown = items.slice((number - 1) * size, number * size);
  return {
    status: 200,
    body: { data: shown.map(view), meta: { page: number, per_page: size, total: items.length } },
  };
}

function wholeNumber(call: Call, name: string, fallback: number, max: number): number {
  const text = call.request.query.get(name);
  if (text === null) return fallback;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > max) {
    throw new ApiError(400, "invalid_request", `${name}: expected a whole number from 1 to ${max}.`);
  }
  return number;
}
