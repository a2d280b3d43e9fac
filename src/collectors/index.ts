/** Every collector there is. Adding one: its file, its fixture, and one line here. */

import type { HelperPort } from "../helper/port.ts";
import { noHelper } from "../helper/port.ts";
import type { SmartHistory } from "../model/smart.ts";
import { bmcCollector } from "./bmc/bmc.ts";
import { cephCollector } from "./ceph/ceph.ts";
import type { Collector } from "./collector.ts";
import { cpuCollector } from "./cpu/cpu.ts";
import { drivesCollector } from "./drives/drives.ts";
import { driveKeys } from "./drives/scan/keys.ts";
import { hardwareCollector } from "./hardware/hardware.ts";
import { sensorsCollector } from "./hardware/sensors/sensors.ts";
import { lldpCollector } from "./lldp.ts";
import { localCollector } from "./local/local.ts";
import { memoryCollector } from "./memory/memory.ts";
import { networkCollector } from "./network/network.ts";
import { type AckBook, NO_ACKS, openAcks } from "./smart/acks/book.ts";
import { smartCollector } from "./smart/smart.ts";
import { systemCollector } from "./system/system.ts";

// biome-ignore lint/suspicious/noExplicitAny: each collector is exact in its own file; the table holds them all.
export type AnyCollector = Collector<any>;

/** What some of them need from the rest of the agent. */
export interface CollectorParts {
  /** For what only root may read. */
  readonly helper: HelperPort;
  /** null: nothing is kept over a restart. */
  readonly smartHistory: SmartHistory | null;
  /** What is known and accepted of drives. */
  readonly acks: AckBook;
  /** Called when a collector has more to tell than it told: run it again soon. null: it tells next time. */
  readonly again: ((name: string) => void) | null;
}

/** For whoever wants their declarations only, or what can be read without root. */
const WITHOUT: CollectorParts = {
  helper: noHelper("needs_helper", "systemctl enable --now foundry-agent-helper.socket"),
  smartHistory: null,
  acks: openAcks(NO_ACKS),
  again: null,
};

export function allCollectors({
  helper,
  smartHistory,
  acks,
  again,
}: CollectorParts = WITHOUT): AnyCollector[] {
  const keys = driveKeys();
  return [
    drivesCollector(keys),
    smartCollector({
      helper,
      keys,
      acks,
      history: smartHistory,
      ...(again === null ? {} : { onLate: () => again("smart") }),
    }),
    networkCollector(),
    systemCollector(),
    cpuCollector(helper),
    memoryCollector(),
    sensorsCollector(),
    bmcCollector({ helper }),
    hardwareCollector({ helper }),
    lldpCollector({ helper }),
    cephCollector(again === null ? {} : { onLate: () => again("ceph") }),
    localCollector(),
  ];
}
