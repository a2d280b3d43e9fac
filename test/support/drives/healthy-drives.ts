/**
 * A node whose drives have all to tell that the table of drives shows: the sections `drives` and `smart` as their
 * collectors make them of sysfs and of a fake smartctl.
 */
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import type { SmartData } from "../../../src/collectors/smart/schema.ts";
import type { Section } from "../../../src/model/report.ts";
import { section } from "../agent/pretend.ts";
import { collectFrom, type Tree } from "../machine/tree.ts";
import { NOW } from "../now.ts";
import { ataJson, driveTree, type FakeDrives } from "./fake-drives.ts";
import { capture } from "./smart.ts";
import { DAY_MS, mapHistory, rig, SLEEPS } from "./smart-rig.ts";

export const SERIALS = { sda: "HEALTHY-1", sdb: "PENDING-2", sdc: "FAILING-3", sdd: "ASLEEP-4" };
type Sections = { readonly drives: Section; readonly smart: Section };

export const MEMBER = "bus_0_megaraid_3";

/** Attribute rows and a test log as real drives have them. */
function testingAta(serial: string): object {
  const ata = ataJson(serial) as { ata_smart_data: { self_test: object } };
  const status = { value: 0xf6, string: "in progress, 60% remaining", remaining_percent: 60 };
  ata.ata_smart_data.self_test = { status, polling_minutes: { short: 2, extended: 54 } };
  const test = (hours: number, passed: boolean, string: string) => ({
    type: { value: 1, string: "Short offline" },
    status: { value: passed ? 0 : 112, string, passed },
    lifetime_hours: hours,
  });
  return {
    ...ata,
    power_on_time: { hours: 28_034 },
    ata_smart_self_test_log: {
      standard: {
        revision: 1,
        table: [
          test(28_000, true, "Completed without error"),
          test(20_000, false, "Completed: read failure"),
        ],
        count: 2,
      },
    },
  };
}

export function healthyTree(): Tree {
  return driveTree(SERIALS);
}

/** sda tests itself, sdb has bad sectors, sdc fails, sdd sleeps after the first round, and a RAID member is well. */
export function speakingDrives(drives: FakeDrives): void {
  const { sda, sdb, sdc, sdd } = SERIALS;
  drives.scan([
    ...Object.keys(SERIALS).map((name) => ({ device: `/dev/${name}`, type: "sat" })),
    { device: "/dev/bus/0", type: "megaraid,3" },
  ]);
  drives.says("/dev/sda", "sat", testingAta(sda));
  drives.says("/dev/sdb", "sat", ataJson(sdb, { temperature: { current: 38 } }, { 5: 20, 197: 3 }));
  drives.says("/dev/sdc", "sat", ataJson(sdc, { smart_status: { passed: false } }), 8);
  drives.says("/dev/sdd", "sat", ataJson(sdd));
  const member = JSON.parse(capture("vm-lab/smartctl-x-nvme0")) as object;
  drives.says("/dev/bus/0", "megaraid,3", { ...member, serial_number: "MEMBER-5", model_name: "LAB-MEMBER" });
}

async function healthySections(): Promise<Sections> {
  const tree = healthyTree();
  const { drives, clock, round } = rig(tree, { history: mapHistory() });
  speakingDrives(drives);
  clock.set(NOW - 12 * DAY_MS);
  await round();
  drives.says("/dev/sdb", "sat", ataJson(SERIALS.sdb, { temperature: { current: 38 } }, { 5: 28, 197: 3 }));
  drives.says("/dev/sdd", "sat", SLEEPS, 3);
  clock.set(NOW - 240_000);
  const data: SmartData = await round();
  const kernel = await collectFrom(drivesCollector(), tree);
  return { drives: section("drives", kernel), smart: section("smart", data, { collectedAt: NOW - 240_000 }) };
}

// What was found is never changed in place, so it is collected once a file.
let found: Promise<Sections> | null = null;
export async function sectionsOnce(): Promise<Sections> {
  found ??= healthySections();
  return { ...(await found) };
}
