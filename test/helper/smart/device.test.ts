/** Types of devices: those of every smartctl up to 7.5 that change nothing by being asked, and no others. */
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { smartOptions } from "../../../src/collectors/smart/rounds/options.ts";
import {
  isTypeKnown,
  notPassedOn,
  TYPE_NOT_PASSED_ON,
  TYPES_TEXT,
} from "../../../src/helper/smart/device.ts";

describe("types", () => {
  it.each([
    ...[
      "ata",
      "scsi",
      "auto",
      "sat",
      "sat,auto",
      "sat,12",
      "sat,auto,16",
      "nvme",
      "nvme,0x1",
      "nvme,0xffffffff",
    ],
    ...["usbcypress", "usbprolific", "usbsunplus", "usbjmicron", "usbjmicron,p,x,1", "marvell"],
    ...["sntjmicron", "sntjmicron,0x1", "sntasmedia", "sntrealtek"],
    // 7.4 and 7.5
    ...[
      "usbasm1352r,0",
      "usbasm1352r,1",
      "sntasmedia/sat",
      "sntrealtek/sat",
      "sntjmicron/sat",
      "sntjmicron,0x2/sat",
    ],
    ...["usbsunplus/sat", "sssraid,1,2", "sat,auto+megaraid,7", "scsi+cciss,3", "areca,1/2", "aacraid,0,0,3"],
  ])("%s", (type) => {
    expect(isTypeKnown(type)).toBe(true);
  });

  it.each([
    ...[
      "",
      "-x",
      "sat ",
      "SAT",
      "usbasm1352r",
      "usbasm1352r,2",
      "sntasmedia,1",
      "snt/sat",
      "sat/sat",
      "nvme,0x",
      "test",
    ],
    // They write to the disk, or send what the caller likes.
    ...["jmb39x,0", "jmb39x-q,1", "jms56x,0", "intelliprop,0", "usbcypress,0x4", "sat+jmb39x,0"],
  ])("not %s", (type) => {
    expect(isTypeKnown(type)).toBe(false);
  });

  it("the list for people names what is allowed, and only that", () => {
    const named = TYPES_TEXT.replace(/ \(.*?\)| and the like/g, "").split(", ");
    expect(named.length).toBeGreaterThan(20);
    for (const type of named)
      expect([type, isTypeKnown(type.replace("0xN", "0x1").replace(/N/g, "1"))]).toEqual([type, true]);
  });
});

it("a line of the configuration that is wrong is told what may stand there", () => {
  const wrong = v.safeParse(smartOptions.types, ["/dev/sdb usbwhatever"]);
  expect(wrong.issues?.[0]?.message).toMatch(/usbjmicron".*one of sat, .*usbasm1352r,N.*megaraid,N/);
  expect(v.safeParse(smartOptions.types, ["/dev/sdb sntasmedia/sat"]).success).toBe(true);
});

it("why a device is not asked can be told from its sentence", () => {
  expect(TYPE_NOT_PASSED_ON.exec(notPassedOn("jmb39x,0"))?.[1]).toBe("jmb39x,0");
});
