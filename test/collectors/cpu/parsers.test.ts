import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nameOf, parseCpuList } from "../../../src/collectors/cpu/model.ts";
import { chipLabel, degrees } from "../../../src/collectors/cpu/temperature.ts";
import { parseThrottledFlags } from "../../../src/collectors/cpu/throttling.ts";
import { parseLoad, parseTotalTicks, utilisationBetween } from "../../../src/collectors/cpu/usage.ts";
import { parseCpuInfo } from "../../../src/collectors/linux/cpuinfo.ts";
import { parsePressure } from "../../../src/collectors/linux/pressure.ts";
import { oneLine } from "../../../src/collectors/linux/text.ts";
import { forAll } from "../../support/for-all.ts";

function arm(...cores: [implementer: string, part: string][]): ReturnType<typeof nameOf> {
  const blocks = cores.map(
    ([implementer, part], i) => `processor\t: ${i}\nCPU implementer\t: ${implementer}\nCPU part\t: ${part}\n`,
  );
  return nameOf(parseCpuInfo(blocks.join("\n")));
}

test("ARM parts by name, mixed ones both, unknown ones by number", () => {
  expect(arm(["0x41", "0xd0b"], ["0x41", "0xd0b"])).toEqual({ model: "Cortex-A76", vendor: "ARM" });
  expect(arm(["0x41", "0xd03"], ["0x41", "0xd09"])).toEqual({
    model: "Cortex-A53 + Cortex-A73",
    vendor: "ARM",
  });
  expect(arm(["0x41", "0xfff"])).toEqual({ model: "part 0xfff", vendor: "ARM" });
  expect(arm(["0x99", "0x001"])).toEqual({ model: "part 0x001", vendor: "implementer 0x99" });
});

test("a 32-bit kernel's model name names no model", () => {
  const info = parseCpuInfo(
    "processor\t: 0\nmodel name\t: ARMv7 Processor rev 3 (v7l)\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\nHardware\t: BCM2711\n",
  );
  expect(nameOf(info)).toEqual({ model: "Cortex-A72", vendor: "ARM" });
  expect(info.board.get("Hardware")).toBe("BCM2711");
});

test("POWER, RISC-V, LoongArch and MIPS say it in their own keys", () => {
  expect(nameOf(parseCpuInfo("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n")).model).toBe(
    "POWER9, altivec supported",
  );
  expect(nameOf(parseCpuInfo("processor\t: 0\nhart\t\t: 1\nuarch\t\t: sifive,u74-mc\n")).model).toBe(
    "sifive,u74-mc",
  );
  const loongArch =
    "system type\t: generic\n\nprocessor\t: 0\nCPU Family\t: Loongson-64bit\nModel Name\t: Loongson-3A5000\n";
  expect(nameOf(parseCpuInfo(loongArch)).model).toBe("Loongson-3A5000");
  expect(nameOf(parseCpuInfo("processor\t: 0\ncpu model\t: MIPS 1004Kc V2.15\n")).model).toBe(
    "MIPS 1004Kc V2.15",
  );
});

test.each([
  ["0-3,8,10-11", [0, 1, 2, 3, 8, 10, 11]],
  ["0", [0]],
  ["", []],
  ["x,1-", []],
  ["3-1", []],
])("CPU list %j", (text, cpus) => {
  expect(parseCpuList(text)).toEqual(cpus);
});

test("a huge CPU list ends", () => {
  expect(parseCpuList("0-99999,0-99999")).toHaveLength(4096);
});

test.each([
  ["50005\n", 0x50005],
  ["0x50005", 0x50005],
  ["throttled=0x0", 0],
  ["", null],
  ["yes", null],
  ["123456789", null],
])("throttling flags %j", (text, flags) => {
  expect(parseThrottledFlags(text)).toBe(flags);
});

test.each([
  [52_000, 52],
  [51_121, 51.1],
  [-5_000, -5],
  [0, 0],
  [-274_000, null],
  [1e9, null],
  [null, null],
])("%j thousandths", (thousandths, celsius) => {
  expect(degrees(thousandths)).toBe(celsius);
});

test.each([
  ["/sys/devices/platform/coretemp.0", "platform_coretemp_0"],
  ["/sys/devices/pci0000:00/0000:00:18.3", "pci0000:00_0000:00:18_3"],
  ["/sys/devices/virtual/thermal/thermal_zone0", "thermal_thermal_zone0"],
  ["/", ""],
])("chip label of %s", (device, label) => {
  expect(chipLabel(device)).toBe(label);
});

describe("/proc/stat", () => {
  test("the total", () => {
    const text =
      "cpu  10 0 20 70 1 2 3 4 0 0\ncpu0 4 0 10 30 1 1 1 2 0 0\ncpu12 6 0 10 40 0 1 2 2 0 0\nintr 1 2 3\n";
    expect(parseTotalTicks(text)).toEqual([10, 0, 20, 70, 1, 2, 3, 4]);
  });

  test("an old kernel's four columns", () => {
    expect(parseTotalTicks("cpu  10 0 20 70\n")).toEqual([10, 0, 20, 70, 0, 0, 0, 0]);
  });

  test.each(["", "cpu", "cpu  1 2", "cpu  a b c d", "cpu0 1 2 3 4", "cpu  1 2 3 99999999999999999999"])(
    "%j is none",
    (text) => {
      expect(parseTotalTicks(text)).toBeNull();
    },
  );

  test("shares add up to one and none is negative", () => {
    const ticks = fc.array(fc.nat(1e9), { minLength: 8, maxLength: 8 });
    forAll(
      fc.property(ticks, ticks, (before, after) => {
        const shares = utilisationBetween(before, after);
        if (shares === null) return;
        const values = Object.values(shares);
        for (const value of values) expect(value).toBeGreaterThanOrEqual(0);
        expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 1);
      }),
      { seed: 23, cases: 1000 },
    );
  });
});

test("load averages", () => {
  expect(parseLoad("0.08 0.03 0.03 4/103 6787\n")).toEqual({ one: 0.08, five: 0.03, fifteen: 0.03 });
  for (const text of ["", "0.08", "0.08 0.03", "a b c", "0.08 0.03 x"]) expect(parseLoad(text)).toBeNull();
});

test("pressure with and without the full line", () => {
  const some = "some avg10=0.12 avg60=0.50 avg300=1.00 total=123\n";
  expect(parsePressure(some)?.full).toBeNull();
  expect(parsePressure(`${some}full avg10=0.00 avg60=0.00 avg300=99.99 total=0\n`)?.full?.avg300).toBe(99.99);
  for (const text of [
    "",
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    some.slice(0, 20),
    "some avg10=. avg60=1 avg300=1 total=1",
  ])
    expect(parsePressure(text)).toBeNull();
});

test("any text goes through every parser", () => {
  const line = fc.stringMatching(
    /^(?:cpu\d{0,2}|some|full|processor|model name|CPU part|0\.1)[ \t:=\da-fx.-]{0,40}$/,
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 500 }),
    fc.array(line, { maxLength: 30 }).map((lines) => lines.join("\n")),
  );
  const finite = (value: unknown): boolean =>
    value === null || typeof value !== "object"
      ? typeof value !== "number" || Number.isFinite(value)
      : Object.values(value).every(finite);
  forAll(
    fc.property(text, (raw) => {
      for (const parse of [parseTotalTicks, parseLoad, parsePressure, parseThrottledFlags, parseCpuList])
        expect(finite(parse(raw))).toBe(true);
      const name = nameOf(parseCpuInfo(raw));
      for (const value of [name.model, name.vendor, oneLine(raw)])
        if (value !== null) expect(value).toMatch(/^[^\x00-\x1f\x7f\ufffd]{1,128}$/);
    }),
    { seed: 29, cases: 2000 },
  );
});
