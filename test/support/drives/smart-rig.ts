/** The collector `smart` over real operations and a fake smartctl, with a clock that is set by hand. */

import type { SmartData, SmartDrive } from "../../../src/collectors/smart/schema.ts";
import { type SmartCollectorOptions, smartCollector } from "../../../src/collectors/smart/smart.ts";
import type { HelperPort } from "../../../src/helper/port.ts";
import type { SmartHistory, SmartSample } from "../../../src/model/smart.ts";
import type { Files } from "../../../src/system/files.ts";
import type { Machine } from "../../../src/system/machine.ts";
import { collectContext, type Tree, treeMachine } from "../machine/tree.ts";
import { type HandClock, handClock } from "../store/store.ts";
import { collectData } from "../text/shape.ts";
import { jsonMemory } from "./drives.ts";
import { type FakeDrives, fakeDrives } from "./fake-drives.ts";
import { capture, inProcessHelper, LONG_MS } from "./smart.ts";

export const SLEEPS = capture("vm-lab-replay/replay-n-standby-3-sleep");
export const DAY_MS = 86_400_000;

export interface Rig {
  readonly drives: FakeDrives;
  readonly clock: HandClock;
  readonly machine: Machine;
  round(): Promise<SmartData>;
  /** As after a restart: only what is remembered is left. */
  restart(): void;
  collector(): ReturnType<typeof smartCollector>;
  readonly memory: ReturnType<typeof jsonMemory>;
}

/** @param more `timeoutMs`: after which what hangs is ended; what does not has all the time that it needs */
export function rig(
  tree: Tree,
  more: Partial<SmartCollectorOptions> & { timeoutMs?: number; types?: readonly string[] } = {},
  makeHelper?: (files: Files) => HelperPort,
): Rig {
  const drives = fakeDrives();
  const clock = handClock();
  const machine = treeMachine(tree, clock);
  const memory = jsonMemory();
  const { timeoutMs = LONG_MS, types = [], ...options } = more;
  const helper =
    makeHelper?.(machine.files) ??
    inProcessHelper(machine.files, (argv) => (drives.hanging(argv) ? timeoutMs : LONG_MS));
  const make = () => smartCollector({ helper, history: null, ...options });
  let collector = make();
  return {
    drives,
    clock,
    machine,
    memory,
    collector: () => collector,
    restart() {
      collector = make();
    },
    round: async () =>
      await collectData(collector, { ...collectContext(machine), memory, options: { types } }),
  };
}

export function device(data: SmartData, label: string): SmartDrive {
  const found = data.drives.find((drive) => drive.device === label);
  if (found === undefined)
    throw new Error(`no ${label} among ${data.drives.map((it) => it.device).join(" ")}`);
  return found;
}
export const verdicts = (data: SmartData): string[] =>
  data.drives.map((drive) => `${drive.device} ${drive.state} ${drive.severity} ${drive.smart_ok}`);

export function mapHistory(): SmartHistory {
  const kept = new Map<string, SmartSample[]>();
  return {
    read: (serial) => kept.get(serial) ?? [],
    add: (serial, sample) => void kept.set(serial, [...(kept.get(serial) ?? []), sample]),
  };
}
