/** `smart_test`: a self-test inside a drive is started; the drive goes on working meanwhile. */
import * as v from "valibot";
import type { CommandType } from "../command-type.ts";

const paramsSchema = v.strictObject({
  /** Bare kernel name: `sda`, `nvme0n1`. */
  device: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9]{1,31}$/, "a bare kernel name like nvme0n1")),
  kind: v.picklist(["short", "long"]),
});

export const smartTestCommand: CommandType<v.InferOutput<typeof paramsSchema>> = {
  type: "smart_test",
  params: paramsSchema,
  needs: { hardware: true, disruptive: false },
  timeoutMs: 2 * 60_000,
  says: ({ device, kind }) => `start a ${kind} self-test of ${device}`,
  steps: [
    {
      name: "start the test",
      // The helper knows the id: asked again, it answers from its record.
      idempotent: true,
      hardware: true,
      async run({ acts, helper, params: { device, kind } }) {
        const way = acts.smartWay(device);
        await helper("smart.test", { ...way, test: kind });
        return { device, kind };
      },
    },
  ],
};
