/** The log of health of an NVMe drive: what it tells, and pages in which there is nothing. */
import { expect, it } from "vitest";
import { smartVerdict } from "../../../src/collectors/smart/verdict/verdict.ts";
import { smartFacts } from "../../../src/helper/smart/json.ts";
import { capture } from "../../support/drives/smart.ts";

it("an NVMe drive with a warning", () => {
  const facts = smartFacts(capture("vm-lab/smartctl-x-nvme0-critical-warning-5"), null);
  expect(facts).toMatchObject({
    protocol: "NVMe",
    exit_status: 8,
    passed: false,
    wear_percent: 0,
    bytes_read: 2_560_000,
    nvme: { critical_warning: 5, available_spare_percent: 0, spare_threshold_percent: 0, media_errors: 0 },
  });
});

/** smartctl's own keys beside the log are made from it. */
const drive = (log: object, passed: boolean) =>
  smartFacts(
    JSON.stringify({
      smartctl: { version: [7, 4], exit_status: passed ? 0 : 8 },
      device: { protocol: "NVMe", type: "sntrealtek" },
      model_name: "X",
      smart_status: { passed },
      temperature: { current: 62 },
      power_on_time: { hours: 0 },
      nvme_smart_health_information_log: log,
    }),
    0,
  );
const page = (byte: number, temperature: number) => ({
  critical_warning: byte,
  temperature,
  available_spare: byte,
  available_spare_threshold: byte,
  percentage_used: byte,
  media_errors: byte,
  power_on_hours: byte,
});

it.each([
  ["zeros", drive(page(0, 0), true)],
  ["zeros, with the temperature that 0 K is", drive(page(0, -273), true)],
  ["ones", drive(page(255, 65_262), false)],
])("a page of nothing but %s tells nothing", (_name, facts) => {
  expect(facts).toMatchObject({ nvme: null, wear_percent: null, passed: null, temperature_c: null });
  expect(smartVerdict(facts)).toMatchObject({ severity: "unknown", smart_ok: null });
});

it.each([
  ["a new drive", drive({ ...page(0, 31), available_spare: 100, available_spare_threshold: 10 }, true), "ok"],
  ["one that does not tell its temperature", drive({ ...page(0, 0), power_on_hours: 9_000 }, true), "ok"],
  ["no spare blocks left", drive({ ...page(0, 31), available_spare_threshold: 10 }, true), "fail"],
  [
    "all warnings, and numbers that mean something",
    drive({ ...page(255, 40), percentage_used: 7 }, false),
    "fail",
  ],
])("not blank: %s", (_name, facts, severity) => {
  expect(facts.nvme).not.toBeNull();
  expect(smartVerdict(facts).severity).toBe(severity);
});
