/** Kernels of machines in public bug reports, through the collector as a whole. */
import { expect, test } from "vitest";
import { systemCollector } from "../../../src/collectors/system/system.ts";
import { loadCase } from "../../support/machine/cases.ts";
import { collectTree, conditionCodes } from "../../support/text/shape.ts";

test.each([
  ["rpm-kernel-order-running-newest", false, null],
  ["rpm-kernel-order-running-old", true, "4.18.0-553.5.1.el8_10.x86_64"],
  ["rpm-kernel-order-el9", false, null],
  ["same-abi-kernel-update-debian", true, null],
  ["reboot-since-is-build-time-debian", true, "6.1.0-28-amd64"],
])("%s: a reboot is required: %s", async (name, required, newest_kernel) => {
  const collector = systemCollector();
  const data = await collectTree(collector, loadCase(`system/${name}`));
  expect(data.reboot_required).toMatchObject({ required, newest_kernel });
  expect(conditionCodes(collector, data).includes("reboot_required")).toBe(required);
  if (data.reboot_required.since !== null)
    expect(Date.parse(data.reboot_required.since)).toBeGreaterThanOrEqual(Date.parse(data.boot_time ?? ""));
});

test("uptime as lxcfs and gVisor write it", async () => {
  const tree = loadCase("system/rpm-kernel-order-el9");
  for (const [text, uptime] of [
    ["1234.0 1234.0\n", 1234],
    ["1234 5\n", 1234],
    ["1234.56 7.89\n", 1234],
    ["1234.56", null],
    ["-1.00 2.00\n", null],
  ] as const) {
    tree.files["/proc/uptime"] = text;
    expect([text, (await collectTree(systemCollector(), tree)).uptime_s]).toEqual([text, uptime]);
  }
});
