/** The operations of a helper on a laid-out machine with fake programs, through the real port of direct mode. */

import { onTestFinished } from "vitest";
import { directHelper } from "../../../src/helper/direct.ts";
import type { Operation } from "../../../src/helper/operation.ts";
import type { HelperPort } from "../../../src/helper/port.ts";
import type { Files } from "../../../src/system/files.ts";
import type { RunProgram } from "../../../src/system/program.ts";
import { helperHouse } from "./helper.ts";

// biome-ignore lint/suspicious/noExplicitAny: arguments are checked by each operation's own schema.
type AnyOperation = Operation<any, any>;

/** @param given `policy` is the text of the policy.toml; without it OPEN_POLICY holds */
export function operationsPort(
  operations: readonly AnyOperation[],
  { files, run, policy }: { readonly files: Files; readonly run: RunProgram; readonly policy?: string },
): HelperPort {
  const { policyPath, stateFolder } = helperHouse(policy);
  const port = directHelper({
    policyPath,
    stateFolder,
    audit: () => undefined,
    files,
    run,
    moreOperations: operations,
  });
  onTestFinished(() => port.close());
  return port;
}

/** Nobody can ask root. */
export const NO_HELPER: HelperPort = {
  how: {
    kind: "none",
    need: "needs_helper",
    nextStep: "systemctl start foundry-agent-helper.socket",
  },
  call: () => Promise.reject(new Error("asked although nobody is there")),
};
