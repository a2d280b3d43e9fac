/** What `npm start` says of each section in a few words. */
import { expect, test } from "vitest";
import { allCollectors } from "../../src/collectors/index.ts";
import { loadTree } from "../support/machine/tree.ts";
import { goldenReport } from "../support/text/golden.ts";

async function glances(machine: string): Promise<Record<string, string | null>> {
  const { sections } = await goldenReport(loadTree(machine));
  return Object.fromEntries(
    allCollectors().flatMap(({ name, glance }) => {
      const section = sections[name];
      return section?.state === "ok" && glance !== undefined ? [[name, glance(section.data)]] : [];
    }),
  );
}

test("a Raspberry Pi in a few words", async () => {
  expect(await glances("pi4")).toEqual({
    drives: "mmcblk0, sda",
    network: "eth0, lo, wlan0",
    system: "Debian GNU/Linux 12 (bookworm)",
    cpu: "Cortex-A72",
    memory: "3.7 GiB",
  });
});

test("memory is counted in the largest unit it fills", () => {
  const memory = allCollectors().find(({ name }) => name === "memory");
  const said = [null, 512 * 2 ** 20, 16 * 2 ** 30, 1.5 * 2 ** 40].map((total_bytes) =>
    memory?.glance?.({ total_bytes }),
  );
  expect(said).toEqual([null, "512 MiB", "16.0 GiB", "1.5 TiB"]);
});
