/** Every metric the program declares, with samples of real data: what documentation and rules are compared with. */

import { bmcCollector } from "../../../src/collectors/bmc/bmc.ts";
import { bmcMetrics } from "../../../src/collectors/bmc/metrics.ts";
import type { Metric, Sample } from "../../../src/collectors/collector.ts";
import { allCollectors } from "../../../src/collectors/index.ts";
import { smartMetrics } from "../../../src/collectors/smart/metrics.ts";
import { bmcInfo, bmcLan, bmcSel, bmcSensors } from "../../../src/helper/bmc/operations.ts";
import { render } from "../../../src/sockets/metrics/families.ts";
import { allReaders } from "../../../src/sockets/metrics/live/readers.ts";
import { ownFamilies } from "../../../src/sockets/metrics/own.ts";
import { treeAgent } from "../agent/tree-agent.ts";
import { capture } from "../drives/smart.ts";
import { rig } from "../drives/smart-rig.ts";
import { operationsPort } from "../helper/operations.ts";
import { NOW } from "../now.ts";
import { parsePrometheus } from "../text/prometheus.ts";
import { collectData } from "../text/shape.ts";
import { BMC_TREE, simulatorAnswers } from "./bmc.ts";
import { answering, fakePrograms } from "./programs.ts";
import { collectContext, treeMachine } from "./tree.ts";

let gathering: Promise<ReadonlyMap<string, readonly Sample[]>> | null = null;

/** Family -> its samples, of those fixtures that give some. Ask within a test, which owns the folders they are laid out in. */
export function families(): Promise<ReadonlyMap<string, readonly Sample[]>> {
  gathering ??= gather();
  return gathering;
}

async function gather(): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const declared = new Map<string, Sample[]>();
  const add = (name: string, samples: Iterable<Sample>): void => {
    declared.set(name, [...(declared.get(name) ?? []), ...samples]);
  };
  for (const { metrics } of [...allCollectors(), ...allReaders()])
    for (const { name } of metrics) add(name, []);
  for (const tree of ["ceph-node", "pi4"]) {
    const { view } = await treeAgent({ tree, registered: "test" });
    const { sections } = view.report();
    for (const collector of view.collectors()) {
      const data = sections[collector.name]?.data;
      if (data !== null && data !== undefined)
        for (const metric of collector.metrics) add(metric.name, metric.samples(data));
    }
    const { families: live } = view.live();
    for (const { name, samples } of parsePrometheus(render(live)).values()) add(name, samples);
    const status = view.status();
    const condition = { code: "some", severity: "info" as const, text: "", nextStep: null, since: NOW };
    const own = ownFamilies({ ...status, conditions: [condition] }, true, ["made"], NOW);
    for (const { name, samples } of own) add(name, samples);
  }
  const addFrom = <Data>(metrics: readonly Metric<Data>[], data: Data): void => {
    for (const metric of metrics) add(metric.name, metric.samples(data));
  };
  const drives = rig({ files: {} });
  drives.drives.scan([
    { device: "/dev/sda", type: "scsi" },
    { device: "/dev/sdc", type: "sat" },
    { device: "/dev/nvme0", type: "nvme" },
  ]);
  drives.drives.says("/dev/sda", "scsi", capture("vm-lab/smartctl-x-sda"), 4);
  drives.drives.says("/dev/sdc", "sat", capture("vm-lab/smartctl-x-sdc"), 4);
  drives.drives.says("/dev/nvme0", "nvme", capture("vm-lab/smartctl-x-nvme0-critical-warning-8"), 8);
  addFrom(smartMetrics, await drives.round());
  const programs = fakePrograms();
  answering(programs, "ipmitool", simulatorAnswers());
  const machine = treeMachine(BMC_TREE);
  const helper = operationsPort([bmcInfo, bmcLan, bmcSel, bmcSensors], {
    files: machine.files,
    run: programs.run,
  });
  addFrom(bmcMetrics, await collectData(bmcCollector({ helper }), collectContext(machine)));
  return declared;
}
