/** Every kind of command this agent carries out. */
import { collectCommand } from "./collect.ts";
import type { AnyCommandType } from "./command-type.ts";
import { diagnosticsCommand } from "./diagnostics.ts";
import { locateCommand } from "./locate.ts";
import { noopCommand } from "./noop.ts";
import { rebootCommand } from "./reboot.ts";
import { smartTestCommand } from "./smart-test.ts";

export const COMMAND_TYPES: readonly AnyCommandType[] = [
  rebootCommand,
  collectCommand,
  smartTestCommand,
  locateCommand,
  diagnosticsCommand,
  noopCommand,
];
