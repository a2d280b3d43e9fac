/** `collect`: sections are collected now instead of at their next turn. */
import * as v from "valibot";
import type { CommandType } from "../command-type.ts";

const section = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/, "a section's name"));
const paramsSchema = v.strictObject({
  /** All without it. */
  sections: v.optional(v.pipe(v.array(section), v.minLength(1), v.maxLength(64))),
});

export const collectCommand: CommandType<v.InferOutput<typeof paramsSchema>> = {
  type: "collect",
  params: paramsSchema,
  needs: { hardware: false, disruptive: false },
  timeoutMs: 10 * 60_000,
  says: ({ sections }) => `collect ${sections?.join(", ") ?? "every section"}`,
  steps: [
    {
      name: "collect",
      idempotent: true,
      hardware: false,
      async run({ acts, params }) {
        const { collected, failed } = await acts.collect(params.sections ?? null);
        return { collected, failed };
      },
    },
  ],
};
