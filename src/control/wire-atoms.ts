/** Small things on the wires of control APIs, each checked for where it ends up; sizes capped. */
import * as v from "valibot";

/** @param most characters */
export const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
/** Safe in a path and in a file name. */
export const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/));
/** RFC 3339 → milliseconds since the epoch. */
export const time = v.pipe(
  v.string(),
  v.maxLength(40),
  v.regex(/^\d{4}-\d\d-\d\dT/),
  v.transform((value) => Date.parse(value)),
  v.number(),
  v.finite(),
);
