import { expect, test } from "vitest";
import { genericText } from "../../../src/cli/show/generic-view.ts";

const OPTIONS = { now: 1_760_000_000_000 };

test("shares of 1 are shown as per cent, by the name of the field or of what they are part of", () => {
  expect(
    genericText(
      {
        hit_ratio: 0.0312,
        failed_share: 0,
        used_fraction: 1,
        life_used_percent: 3,
        load: { one: 0.0312 },
        utilisation: { user: 0.0312, system: 0.4, iowait: 0.0004, idle: 0.5684 },
        pressure: { some: { avg10: 1.25, total_us: 2_000_000 } },
      },
      OPTIONS,
    ),
  ).toBe(`hit        3.1 %
failed     0 %
used       100 %
life used  3 %
load
  one  0.03
utilisation
  user    3.1 %
  system  40 %
  iowait  < 0.1 %
  idle    57 %
pressure
  some
    avg10  1.25 %
    total  2.0 s
`);
});

test("a share in a list, beside a field of the same name with another unit", () => {
  expect(genericText({ pools: [{ used_ratio: 0.25, used_bytes: 1024 }] }, OPTIONS)).toBe(`pools
  USED RATIO  USED BYTES
  25 %        1.0 KiB
`);
});
