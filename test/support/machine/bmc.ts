/** A BMC for tests: what ipmitool printed of two real responders, and a machine that has /dev/ipmi0. */
import { readFileSync } from "node:fs";
import type { FakeAnswer } from "./programs.ts";
import type { Tree } from "./tree.ts";

export function bmcFixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/bmc/${name}`, import.meta.url), "utf8");
}

const BMC = "/sys/devices/pci0000:00/IPI0001:00/bmc";

/** As Linux shows it where ipmi_si and ipmi_devintf are loaded; captured from a virtual machine. */
export const BMC_TREE: Tree = {
  files: {
    "/dev/ipmi0": "",
    [`${BMC}/device_id`]: "32\n",
    [`${BMC}/firmware_revision`]: "2.13\n",
    [`${BMC}/ipmi_version`]: "2.0\n",
    [`${BMC}/manufacturer_id`]: "0x002a7c\n",
    [`${BMC}/product_id`]: "0x0101\n",
  },
  links: {
    "/sys/class/ipmi/ipmi0": "/sys/devices/virtual/ipmi/ipmi0",
    "/sys/devices/virtual/ipmi/ipmi0/device": "/sys/devices/pci0000:00/IPI0001:00",
  },
};

/** OpenIPMI's simulator over a whole round. */
export function simulatorAnswers(over: Record<string, FakeAnswer> = {}): Record<string, FakeAnswer> {
  return {
    "mc info": { stdout: bmcFixture("sim-mc-info.txt") },
    "chassis status": { stdout: bmcFixture("sim-chassis-status.txt") },
    "chassis restart_cause": { stderr: bmcFixture("qemu-restart-cause.err"), status: 1 },
    "lan print": { stdout: bmcFixture("sim-lan-print.txt") },
    "-c sdr elist": { stdout: bmcFixture("sim-sdr-csv.txt") },
    "sel info": { stdout: bmcFixture("sim-sel-info.txt") },
    "-c sel elist last 1": { stdout: `${bmcFixture("sim-sel-csv.txt").trimEnd().split("\n").at(-1)}\n` },
    "-c sel elist last 100": {
      stdout: bmcFixture("sim-sel-csv.txt"),
      stderr: bmcFixture("sim-sel-csv.err"),
    },
    ...over,
  };
}
