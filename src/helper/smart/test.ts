/** `smart.test`: start or end a self-test inside a drive. It wakes the drive, and only the policy allows it. */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { SmartTestAnswer } from "../../model/smart.ts";
import type { Operation } from "../operation.ts";
import { checkDevice, deviceArg, smartLanes, typeArg } from "./device.ts";
import { messagesOf } from "./json.ts";
import { scanJsonSchema } from "./json-schema.ts";
import { smartctlJson } from "./json-text.ts";
import { runSmartctl } from "./run.ts";

const TIMEOUT_MS = 30_000;

export interface SmartTestArgs {
  readonly device: string;
  readonly type: string;
  readonly test: "short" | "long" | "abort";
}

/** @throws AgentError `self_test_refused` (the drive can't, or one runs already), else as `smart.read` */
export const smartTest: Operation<SmartTestArgs, SmartTestAnswer> = {
  name: "smart.test",
  args: v.strictObject({
    device: deviceArg,
    type: typeArg,
    test: v.picklist(["short", "long", "abort"]),
  }),
  timeoutMs: TIMEOUT_MS + 5_000,
  lanes: ({ device, type }) => smartLanes(device, type),
  policy: "smart_test",
  async perform({ device, type, test }, context) {
    checkDevice(context.files, context.kept, device);
    const what = test === "abort" ? ["-X"] : ["-t", test];
    const args = ["--json=c", ...what, "-d", type, device];
    const { stdout, status } = await runSmartctl(context, device, args, TIMEOUT_MS);
    const messages = messagesOf(v.parse(scanJsonSchema, smartctlJson(stdout)).smartctl);
    // Bits 1, 2 and 4: not understood, not opened, a command refused. The others tell of the drive's health.
    if ((status & 0b111) !== 0) {
      const said = messages.map(({ text }) => text).join("; ");
      throw new AgentError(
        "self_test_refused",
        test === "abort"
          ? `The self-test of ${device} could not be ended${said === "" ? "" : ` (${said})`}`
          : `${device} did not start a ${test} self-test${said === "" ? ": it can't, or one runs already" : ` (${said})`}`,
        `See what it does now: foundry-agent drives ${device.slice("/dev/".length)}`,
      );
    }
    return { test, messages };
  },
};
