/** The NodeFoundry API as the sandbox mounts it. */
import type { SandboxApi } from "../mounted-api.ts";
import { openNodeFoundry } from "./api.ts";
import type { SandboxKeys } from "./world.ts";

export const nodefoundry: SandboxApi = {
  name: "nodefoundry",
  title: "NodeFoundry",
  keys: {
    live: "nf_sk_live_",
    test: "nf_sk_test_",
    readOnly: "nf_sk_ro_",
    enrol: "nf_en_",
  } satisfies SandboxKeys,
  open: (keys, options, rim) => openNodeFoundry(keys as unknown as SandboxKeys, options, rim),
};
