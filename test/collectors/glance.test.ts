/** What `npm start` says of each section in a few words. */
import { expect, test } from "vitest";
import { allCollectors } from "../../src/collectors/index.ts";
import { loadTree } from "../support/machine/tree.ts";
import { goldenReport } from "../support/text/golden.ts";

async function glances(machine: string): Promise<Record<string, string>> {
  const { sections } = await goldenReport(loadTree(machine));
  return Object.fromEntries(
    allCollectors().flatMap(({ name, glance }) => {
      const section = sections[name];
      return section?.state === "ok" ? [[name, glance(section.data)]] : [];
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
    memory?.glance({ total_bytes }),
  );
  expect(said).toEqual(["size not told", "512 MiB", "16.0 GiB", "1.5 TiB"]);
});

test("every section has words for what it holds, and for when it holds nothing", () => {
  const words = (name: string, data: unknown): string =>
    allCollectors()
      .find((one) => one.name === name)
      ?.glance(data) ?? "";
  const lldp = (neighbors: unknown[], problem: unknown = null) => words("lldp", { neighbors, problem });
  expect(lldp([])).toBe("no neighbour heard yet");
  expect(lldp([{ interface: "eth0", chassis: { name: "sw1", id: "x" } }])).toBe("eth0 to sw1");
  expect(lldp([], { text: "lldpd does not run." })).toBe("lldpd does not run.");
  expect(words("local", { facts: [{ name: "rack" }], problems: [{ file: "x.json" }] })).toBe(
    "rack, x.json left out",
  );
  expect(words("local", { facts: [], problems: [] })).toBe("no facts");
  const smart = (...severities: string[]) =>
    words("smart", { drives: severities.map((severity) => ({ severity })), problem: null });
  expect(smart()).toBe("0 drives");
  expect(smart("ok")).toBe("1 drive");
  expect(smart("ok", "fail", "warn")).toBe("3 drives, 2 of them not well");
  expect(words("bmc", { answering: false })).toBe("it does not answer");
  const bmc = {
    answering: true,
    product: null,
    manufacturer: "Supermicro",
    firmware: "1.0",
    source: "in-band",
  };
  expect(words("bmc", bmc)).toBe("Supermicro, firmware 1.0 (in-band)");
  const hardware = { product: { name: "X11" }, board: { name: null }, nics: [{}], gpus: [] };
  expect(words("hardware", { ...hardware, dimms: [{ populated: true }, { populated: false }] })).toBe(
    "X11, 1 memory module, 1 card",
  );
  expect(words("network", { interfaces: [] })).toBe("no interfaces");
  expect(words("drives", { drives: [] })).toBe("no drives");
  expect(words("cpu", { model: null })).toBe("model not told");
  expect(words("system", { os: null })).toBe("Linux, which one is not told");
});
