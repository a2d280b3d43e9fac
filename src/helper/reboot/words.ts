/** What may stand in a request as a command's id and source: the same as in its frame (request.ts). */
import * as v from "valibot";
import { SOURCE_WORD } from "../policy/words.ts";

export const commandId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.:-]{1,128}$/));
export const commandSource = v.pipe(v.string(), v.regex(SOURCE_WORD));
