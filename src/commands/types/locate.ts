/** `locate`: the light on a drive's slot blinks for a while, so that the person in front of the rack finds it. */
import * as v from "valibot";
import type { CommandType } from "../command-type.ts";

const DAY_S = 86_400;
const paramsSchema = v.strictObject({
  serial: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  on: v.boolean(),
  ttl_s: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7 * DAY_S)), 600),
});

export const locateCommand: CommandType<v.InferOutput<typeof paramsSchema>> = {
  type: "locate",
  params: paramsSchema,
  needs: { hardware: true, disruptive: false },
  timeoutMs: 2 * 60_000,
  says: ({ serial, on }) => `switch the light of drive ${serial} ${on ? "on" : "off"}`,
  steps: [
    {
      name: "switch the light",
      // The helper knows the id: asked again, it answers from its record.
      idempotent: true,
      hardware: true,
      async run({ helper, params: { serial, on, ttl_s } }) {
        // The helper lets none blink longer than a day.
        const asked = on ? { serial, on, for_s: Math.min(ttl_s, DAY_S) } : { serial, on };
        return (await helper("drive.locate", asked)) as Record<string, unknown>;
      },
    },
  ],
};
