/** A helper behind a real socket on a laid-out host with fake systemctl, systemd-run, ipmitool, wall and busctl. */
import { join } from "node:path";
import type { RebootLook } from "../../../src/helper/reboot/look.ts";
import { rebootOperation } from "../../../src/helper/reboot/reboot.ts";
import { openFiles } from "../../../src/system/files.ts";
import { type FakePrograms, fakePrograms } from "../machine/programs.ts";
import { layTree } from "../machine/tree.ts";
import { helperHouse, requestFrame, sendRaw, testHelper } from "./helper.ts";

/** EXT4_SUPER_MAGIC of linux/magic.h: a disk. */
export const EXT4 = 0xef53;

export interface RebootRigOptions {
  readonly systemd?: boolean;
  readonly bmc?: boolean;
  readonly policy?: string;
  readonly fileSystemType?: (folder: string) => number;
  readonly settleMs?: number;
  /** Programs that hang are ended after this. */
  readonly limitMs?: number;
  readonly files?: Record<string, string>;
}

export interface Answered {
  /** `ok` or the code of the error; `closed` without an answer. */
  readonly code: string;
  readonly message: string;
  readonly nextStep: string | null;
  readonly result: unknown;
}

const MANY = `
[commands]
remote = "on"
[allow]
local = ["reboot"]
[limits.reboot]
minutes_apart = 0
a_day = 1000
`;

export async function rebootRig(options: RebootRigOptions = {}) {
  const { systemd = true, bmc = false, policy = MANY, settleMs = 20, limitMs = 5_000 } = options;
  const fileSystemType = options.fileSystemType ?? (() => EXT4);
  const house = helperHouse(policy);
  const programs = fakePrograms(limitMs);
  const root = layTree({
    files: {
      "/proc/uptime": "90000.25 1.00\n",
      "/proc/sys/kernel/random/boot_id": "b1\n",
      ...(systemd ? { "/run/systemd/system/.keep": "" } : {}),
      ...(bmc ? { "/dev/ipmi0": "x" } : {}),
      ...options.files,
    },
  });
  const state = { stateFolder: house.stateFolder, policyPath: house.policyPath, fileSystemType };
  const { audits } = await testHelper(house, {
    files: openFiles(root),
    run: programs.run,
    fileSystemType,
    moreOperations: [rebootOperation({ state, settleMs }) as never],
  });

  async function call(operation: string, args: object, over: object = {}): Promise<Answered> {
    const frame = requestFrame({ operation, args, source: "local", deadline_ms: 20_000, ...over });
    const { answer } = await sendRaw(house.socket, frame);
    const error = answer?.error as { code: string; message: string; next_step: string | null } | undefined;
    return {
      code: answer === null ? "closed" : answer.ok ? "ok" : (error?.code ?? "none"),
      message: error?.message ?? "",
      nextStep: error?.next_step ?? null,
      result: answer?.result,
    };
  }

  return {
    ...{ house, programs, root, audits, call },
    reboot: (method: "graceful" | "hard", over: object = {}) =>
      call("reboot", { method }, { id: "cmd_1", ...over }),
    look: async (over: object = {}) =>
      (
        await call(
          "reboot.look",
          { id: null, source: "local", method: "graceful", ...over },
          { source: undefined },
        )
      ).result as RebootLook,
    /** Argument lines of all calls so far, without the random end of the units' names. */
    calls: () => programs.calls().map((line) => line.replace(/(--unit=foundry-agent-\w+)-[0-9a-f]{8}/, "$1")),
    entry: () =>
      house.record()[0] as { outcome: { state: string; error?: { code: string } }; steps?: string[] },
  };
}

/** A program that also notes, at each call, what the helper's record had in it at that moment. */
export function witnessing(programs: FakePrograms, name: string, stateFolder: string, script: string): void {
  const into = join(programs.folder, "record-at-calls");
  programs.put(name, `{ cat '${join(stateFolder, "done.json")}'; echo; } >> '${into}'\n${script}`);
}
