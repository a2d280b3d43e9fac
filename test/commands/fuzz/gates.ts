/** The real gates on facts that a random stream decides on. */
import type { OwnFacts } from "../../../src/commands/executor/ports.ts";
import type { GateVerdict } from "../../../src/commands/gates/gate.ts";
import { evaluateGates } from "../../../src/commands/gates/gates.ts";
import { COMMAND_TYPES } from "../../../src/commands/index.ts";
import type { CommandRecord } from "../../../src/commands/record.ts";

export function verdictsOf(
  { asked, progress }: CommandRecord,
  own: OwnFacts,
  host: {
    readonly bootId: string;
    readonly isAbsent: boolean;
    /** Null: the helper was not asked. */
    readonly goesDown: boolean | null;
    readonly inhibited: boolean;
  },
): readonly GateVerdict[] {
  const { bootId, isAbsent, goesDown, inhibited } = host;
  const type = COMMAND_TYPES.find((one) => one.type === asked.type);
  if (type === undefined) throw new Error("a type nobody knows");
  return evaluateGates(
    {
      ...asked,
      needs: type.needs,
      notBeforeUptimeMs: progress.notBefore?.bootId === bootId ? progress.notBefore.uptimeMs : null,
      signed: false,
    },
    {
      ...own,
      clockTrusted: own.time.exact,
      hardware: true,
      helper: isAbsent
        ? { present: false, why: { code: "helper_absent", text: "Nobody listens.", nextStep: null } }
        : { present: true },
      helperLook:
        goesDown === null
          ? null
          : { shutdown: { scheduled: false, underWay: goesDown }, refusal: null, againInMinutes: null },
      storage: { writable: true, volatile: null },
      inhibitors: inhibited ? [{ who: "backup", why: "it runs" }] : [],
      packageLock: false,
      updates: [],
      sessions: [],
      osds: { is: "no" },
    },
    {
      policy: {
        remote: "on",
        publicKey: null,
        allow: Object.fromEntries(
          ["nodefoundry", "local"].map((source) => [source, ["reboot", "collect", "smart_test", "locate"]]),
        ),
        volatileState: false,
      },
      policyFile: "policy.toml",
      configFile: "config.toml",
      forceAllowed: false,
      windows: [],
      timeZone: null,
      waitForSessions: false,
      uptimeGuardMs: 300_000,
    },
  );
}
