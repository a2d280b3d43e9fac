/** A claim of two drives as it may be in a memory; apart from keys.ts, which is asked without a schema. */
import * as v from "valibot";

const text = v.pipe(v.string(), v.maxLength(512));

export const sharedSchema = v.object({ claim: text, owner: v.nullable(text) });
