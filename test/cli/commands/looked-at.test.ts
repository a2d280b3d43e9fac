/** The look after a boot of a great host: numbers for all, names for the first, and how many are not named. */
import { expect, it } from "vitest";
import { lookedAt } from "../../../src/cli/commands/looked-at.ts";
import { tally } from "../../../src/commands/after-boot/compare.ts";
import type { Picture } from "../../../src/commands/after-boot/picture.ts";
import type { CommandWire } from "../../../src/sockets/wire/command-schemas.ts";

it("says how many more are worse than it names", () => {
  const items = Array.from({ length: 50 }, (_, index) => `/srv/${index}`).map(
    (name) => ({ kind: "mount", id: name, name, is: "writable" }) as const,
  );
  const before: Picture = { seen: ["mount"], items, settled: true };
  const after: Picture = { ...before, items: items.slice(45) };
  const reboot = { checked: tally(before, after) };
  const text = lookedAt({ reboot } as unknown as CommandWire, { color: false, width: 100 } as never) ?? "";
  expect(text).toMatch(/mounts\S*[^\n]* 50 +5$/m);
  expect(text.match(/is gone/g)).toHaveLength(20);
  expect(text.trimEnd()).toMatch(/\nAnd 25 more\.$/);
});
