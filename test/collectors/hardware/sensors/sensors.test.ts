/** Hardware monitors: what is read of which chip, what is left to others, and what hangs or sleeps. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isNoData } from "../../../../src/collectors/collector.ts";
import { sensorsCollector } from "../../../../src/collectors/hardware/sensors/sensors.ts";
import { forAllAsync } from "../../../support/for-all.ts";
import { collectContext, loadTree, type Tree, treeMachine } from "../../../support/machine/tree.ts";
import { collectMachine, collectTree, metricLines } from "../../../support/text/shape.ts";

const CHIP = "/sys/devices/platform/it87.2608/hwmon/hwmon1";

/** One chip with these files. */
function chip(files: Record<string, string>, more: Partial<Tree> = {}): Tree {
  const at = Object.entries(files).map(([name, text]) => [`${CHIP}/${name}`, text]);
  return {
    ...more,
    files: { [`${CHIP}/name`]: "it8628\n", ...Object.fromEntries(at), ...more.files },
    links: {
      "/sys/class/hwmon/hwmon1": CHIP,
      [`${CHIP}/device`]: "/sys/devices/platform/it87.2608",
      ...more.links,
    },
  };
}

test("a storage node's board, power meter and network card, and not its processors and drives again", async () => {
  const collector = sensorsCollector();
  const data = await collectTree(collector, loadTree("ceph-node"));
  expect(data.sensors.map(({ id, value }) => `${id} ${value}`)).toEqual([
    "platform_nct6775_656/fan1 1842",
    "platform_nct6775_656/fan2 0",
    "platform_nct6775_656/in0 1.096",
    "platform_nct6775_656/temp1 38",
    "platform_nct6775_656/temp2 0",
    "lnxsybus:00_acpi000d:00/power1 312",
    "0000:80:02_0_0000:81:00_0/temp1 61",
  ]);
  expect(metricLines(collector, data)).toEqual(
    expect.arrayContaining([
      'node_hwmon_fan_rpm{chip="platform_nct6775_656",sensor="fan1"} 1842',
      'node_hwmon_fan_min_rpm{chip="platform_nct6775_656",sensor="fan2"} 600',
      'node_hwmon_fan_alarm{chip="platform_nct6775_656",sensor="fan2"} 1',
      'node_hwmon_in_volts{chip="platform_nct6775_656",sensor="in0"} 1.096',
      'node_hwmon_temp_fault{chip="platform_nct6775_656",sensor="temp2"} 1',
      'node_hwmon_power_average_watt{chip="lnxsybus:00_acpi000d:00",sensor="power1"} 312',
      'node_hwmon_temp_crit_celsius{chip="0000:80:02_0_0000:81:00_0",sensor="temp1"} 105',
      'node_hwmon_sensor_label{chip="0000:80:02_0_0000:81:00_0",sensor="temp1",label="asic"} 1',
      'node_hwmon_chip_names{chip="platform_nct6775_656",chip_name="nct6798"} 1',
    ]),
  );
  expect(collector.table?.rows(data, 0)[0]).toEqual(["nct6798", "fan1", "1842 rpm", "at least 600"]);
});

test("a machine without any says so", async () => {
  const answer = await sensorsCollector().collect(collectContext(treeMachine(loadTree("container"))));
  expect(isNoData(answer) && answer.noData).toMatch(/no hardware monitor/);
});

test("a sensor that gives an error or nonsense costs its own value only", async () => {
  const data = await collectTree(
    sensorsCollector(),
    chip(
      { fan1_input: "1200\n", fan2_input: "900\n", fan3_input: "?\n", fan2_fault: "1\n" },
      { errors: { "/sys/class/hwmon/hwmon1/fan2_input": "ENXIO" } },
    ),
  );
  expect(data.sensors.map(({ value, fault, problem }) => [value, fault, problem])).toEqual([
    [1200, null, null],
    [null, true, "ENXIO"],
    [null, null, "not_a_number"],
  ]);
});

test("a device that sleeps is not woken", async () => {
  const data = await collectTree(
    sensorsCollector(),
    chip(
      { temp1_input: "40000\n" },
      { files: { "/sys/devices/platform/it87.2608/power/runtime_status": "suspended\n" } },
    ),
  );
  expect(data.sensors[0]).toMatchObject({ value: null, problem: "asleep" });
});

test("a device that does not answer is asked once and then left alone", async () => {
  const machine = treeMachine(chip({ temp1_input: "40000\n", temp2_input: "41000\n" }, { fifos: [] }));
  const reads: string[] = [];
  const slow = {
    ...machine.files.slow,
    async read(path: string, subject: string) {
      reads.push(subject);
      return await machine.files.slow.read(path, subject);
    },
  };
  const data = await collectMachine(sensorsCollector(), { ...machine, files: { ...machine.files, slow } });
  // Both are one device to whoever keeps an eye on those that hang.
  expect(reads).toEqual(["platform_it87_2608", "platform_it87_2608"]);
  expect(data.sensors.map(({ value }) => value)).toEqual([40, 41]);
});

test("two chips of one device have labels of their own", async () => {
  const other = "/sys/devices/platform/it87.2608/hwmon/hwmon2";
  const data = await collectTree(
    sensorsCollector(),
    chip(
      { fan1_input: "1\n" },
      {
        files: { [`${other}/name`]: "it87_wmi\n", [`${other}/fan1_input`]: "2\n" },
        links: {
          "/sys/class/hwmon/hwmon2": other,
          [`${other}/device`]: "/sys/devices/platform/it87.2608",
        },
      },
    ),
  );
  expect(data.sensors.map(({ id }) => id)).toEqual([
    "platform_it87_2608_it8628/fan1",
    "platform_it87_2608_it87_wmi/fan1",
  ]);
});

test("sensors above the limit are counted", async () => {
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`in${n}_input`, "5000\n"]));
  const data = await collectTree(sensorsCollector(), chip(files));
  expect([data.sensors.length, data.left_out]).toEqual([256, 44]);
});

test("1 000 files of nonsense crash nothing", async () => {
  const junk = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom("-1", "1e999", "9".repeat(400), "\0"));
  const names = [
    "temp1_input",
    "temp1_label",
    "temp1_crit",
    "power1_average",
    "fan1_alarm",
    "fan1_input",
    "name",
  ];
  await forAllAsync(
    fc.asyncProperty(fc.constantFrom(...names), junk, async (name, text) => {
      const tree = chip({ temp1_input: "1\n", fan1_input: "2\n", power1_average: "3\n", [name]: text });
      const { sensors } = await collectTree(sensorsCollector(), tree);
      for (const { value } of sensors) expect(value === null || Number.isFinite(value)).toBe(true);
    }),
    { seed: 31, cases: 1000 },
  );
});
