/** Every kind of command this agent carries out. */

import type { AnyCommandType } from "./command-type.ts";
import { collectCommand } from "./types/collect.ts";
import { diagnosticsCommand } from "./types/diagnostics.ts";
import { locateCommand } from "./types/locate.ts";
import { noopCommand } from "./types/noop.ts";
import { rebootCommand } from "./types/reboot.ts";
import { smartTestCommand } from "./types/smart-test.ts";

export const COMMAND_TYPES: readonly AnyCommandType[] = [
  rebootCommand,
  collectCommand,
  smartTestCommand,
  locateCommand,
  diagnosticsCommand,
  noopCommand,
];
