/**
 * What a helper is made of, the same behind its socket and in direct mode: the table of operations, what keeps it
 * alive, its policy and its record, all opened from two paths.
 */

import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { AgentError, errorCode } from "../model/errors.ts";
import { shellWord } from "../model/text/shell-word.ts";
import { type Clock, hostClock } from "../system/clock.ts";
import { type Files, openFiles } from "../system/files.ts";
import { type RunProgram, runProgram } from "../system/program.ts";
import type { Audit, Priority } from "./carry-out/audit.ts";
import { openAuditTrail } from "./carry-out/audit-trail.ts";
import { type CarryOut, openCarryOut } from "./carry-out/carry-out.ts";
import { type Keeper, openLocateRecord } from "./locate/record.ts";
import type { Operation } from "./operation.ts";
import { helperOperations } from "./operations.ts";
import { openChanges } from "./policy/changes.ts";
import { type LimitsRecord, openLimits } from "./policy/limits.ts";
import { readPolicy } from "./policy/policy.ts";
import { openSignedRecord } from "./policy/signed-record.ts";

/** systemd makes it (StateDirectory=), 0700. */
export const HELPER_STATE_FOLDER = "/var/lib/foundry-agent-helper";

export interface HelperOptions {
  readonly policyPath: string;
  /** Folder of the record of what was done and of the lights that are on. */
  readonly stateFolder: string;
  /** Takes lines for the journal, without line break; a bounded number a minute, acts aside. */
  readonly audit: (priority: Priority, text: string) => void;
  /** Besides root's, whose files are believed; this process' own uid if not given. */
  readonly owner?: number;
  readonly files?: Files;
  readonly clock?: Clock;
  readonly run?: RunProgram;
  /** `f_type` of the file system a folder is on, as statfs(2) has it; for tests. */
  readonly fileSystemType?: (folder: string) => number;
  /** Beside the table's own; for tests. */
  readonly moreOperations?: readonly Operation[];
}

export interface HelperParts {
  readonly carryOut: CarryOut;
  readonly audit: Audit;
  readonly owner: number;
  /** Take up what an earlier process left. What goes wrong is told in the audit log and stops nothing else. */
  begin(): void;
  busy(): boolean;
  close(): void;
  /** Nobody is connected any more: what was counted instead of told. */
  tellRest(): void;
}

/** @throws AgentError `helper_state` when the folder can't be made */
export function openParts(options: HelperOptions): HelperParts {
  const { policyPath, stateFolder } = options;
  const owner = options.owner ?? process.geteuid?.() ?? 0;
  const files = options.files ?? openFiles("/");
  const run = options.run ?? runProgram;
  const policy = () => readPolicy(policyPath, owner);
  makeFolder(stateFolder);
  const clock = options.clock ?? hostClock();
  const trail = openAuditTrail({ stateFolder, clock, tell: options.audit });
  const audit = trail.note;
  const record = openLimits({ path: join(stateFolder, "done.json"), files, owner });
  const lights = openLocateRecord({
    path: join(stateFolder, "lights.json"),
    owner,
    files,
    run,
    tell: (sentence) => options.audit(5, sentence),
  });
  const keepers: readonly Keeper[] = [noting(record), lights];
  const signatures = openSignedRecord({ path: join(stateFolder, "signed.json"), owner });
  const changes = openChanges({ policy, policyPath, record, signatures, clock });
  const fileSystemType = options.fileSystemType ?? ((folder: string) => statfsSync(folder).type);
  const state = { stateFolder, policyPath, fileSystemType };
  const table = helperOperations({ lights, policy, record, changes, state });
  const operations = [...table, ...(options.moreOperations ?? [])];
  const carryOut = openCarryOut({ operations, changes, files, clock, run, audit });

  function each(what: (keeper: Keeper) => void): void {
    for (const keeper of keepers) {
      try {
        what(keeper);
      } catch (error) {
        options.audit(4, error instanceof AgentError ? error.message : String(error));
      }
    }
  }

  return {
    carryOut,
    audit,
    owner,
    begin: () => each((keeper) => keeper.begin()),
    busy: () => carryOut.busy() || keepers.some((keeper) => keeper.busy()),
    close: () => each((keeper) => keeper.close()),
    tellRest: () => trail.close(),
  };
}

/** How long the host has been on is written down at both ends of the helper's short life. */
function noting(record: LimitsRecord): Keeper {
  return { begin: () => record.note(), busy: () => false, close: () => record.note() };
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new AgentError(
      "helper_state",
      `the helper's folder ${folder} can't be made (${errorCode(error)})`,
      `mkdir -m 0700 ${shellWord(folder)}`,
      { cause: error },
    );
  }
}
