/**
 * What a real Prometheus makes of the agent's metrics, beside those of a real node_exporter: rates over a minute are
 * true, and every family that both have is the same in type, labels and values.
 */
import { expect, test } from "vitest";
import { type ParsedFamily, parsePrometheus } from "../../support/text/prometheus.ts";
import { LOAD, lacking, SCRAPE_S, type Scene, startScene } from "./scene.ts";

/** What a rate may be off: the two are scraped at other moments, and scraping is traffic as well. */
const SHARE = 0.05;

/** Families of which ours are about less, and why. */
const FEWER: readonly [RegExp, string][] = [
  [/^node_filesystem_/, "of file systems on local drives only: statfs of another one may hang"],
  [/^node_network_(?!receive_|transmit_)/, "only what the kernel or the driver says"],
  [/^node_disk_/, "no disks in memory (zram, nbd)"],
];

/** Labels that identify hardware are empty here unless metrics.serials is on, and udev's names are the kernel's. */
const OTHER_LABELS = /^node_(?:disk|network|dmi)_info$/;

test("a rate over a minute is what node_exporter's is, and the load that there is", async (context) => {
  const missing = lacking();
  if (missing !== null) {
    console.warn(`skipped: ${missing}`);
    return context.skip(missing);
  }
  const scene = await startScene();
  // Window after window, not only once: a counter that stands still for a while has some that are true.
  const scrapes = 60 / SCRAPE_S;
  await expect
    .poll(() => Math.min(...scene.query("count_over_time(up[2m])").values()), {
      timeout: 200_000,
      interval: 2000,
    })
    .toBeGreaterThan(scrapes + 4);
  for (const direction of ["receive", "transmit"]) {
    const name = `node_network_${direction}_bytes_total{device="lo"}`;
    for (const offset of [1, SCRAPE_S, 2 * SCRAPE_S]) {
      const [ours = 0, theirs = 0] = rates(scene, `rate(${name}[1m] offset ${offset}s)`);
      expect(ours / theirs, `${ours} beside ${theirs}`).toBeGreaterThan(1 - SHARE);
      expect(ours / theirs, `${ours} beside ${theirs}`).toBeLessThan(1 + SHARE);
      expect(ours / LOAD, `${ours} of ${LOAD}`).toBeGreaterThan(1 - SHARE);
      expect(ours / LOAD, `${ours} of ${LOAD}`).toBeLessThan(1 + 2 * SHARE);
    }
    // From one scrape to the next.
    const [ours = 0, theirs = 0] = rates(scene, `irate(${name}[1m])`);
    expect(Math.abs(ours / theirs - 1)).toBeLessThan(4 * SHARE);
  }
  const idle = rates(scene, 'sum by (job) (rate(node_cpu_seconds_total{mode="idle"}[1m]))');
  expect(Math.abs((idle[0] ?? 0) - (idle[1] ?? 0))).toBeLessThan(0.2);

  await everyFamily(scene);
});

/** Ours, then theirs. */
function rates(scene: Scene, expression: string): number[] {
  const found = scene.query(expression);
  return ["ours", "theirs"].map((job) => {
    const [one] = [...found].filter(([labels]) => (JSON.parse(labels) as { job: string }).job === job);
    return one?.[1] ?? 0;
  });
}

async function everyFamily(scene: Scene): Promise<void> {
  const wrong = new Set<string>();
  let pending: ReadonlySet<string> | null = null;
  let compared = 0;
  // A value lies between what the other said before and after it; one that leaps may need more than one look.
  await expect
    .poll(
      () => {
        const [before, ours, after] = [
          scene.scrape("theirs"),
          scene.scrape("ours"),
          scene.scrape("theirs"),
        ].map(parsed) as [Families, Families, Families];
        const open = new Set<string>();
        compared = 0;
        for (const [name, family] of ours) {
          const [was, is] = [before.get(name), after.get(name)];
          if (was === undefined || is === undefined || OTHER_LABELS.test(name)) continue;
          if (family.type !== is.type) wrong.add(`${name}: ${family.type} instead of ${is.type}`);
          for (const { labels, value } of family.samples) {
            const names = (of: Record<string, string>): string => Object.keys(of).sort().join();
            if (names(labels) !== names(is.samples[0]?.labels ?? {}))
              wrong.add(`${name}{${names(labels)}} instead of {${names(is.samples[0]?.labels ?? {})}}`);
            const [from, to] = [was, is].map((one) => sampleOf(one, labels));
            if (from === undefined || to === undefined)
              wrong.add(`${name}${JSON.stringify(labels)} only here`);
            else if (
              value < nearly(name, Math.min(from, to), -1) ||
              value > nearly(name, Math.max(from, to), 1)
            )
              open.add(`${name}${JSON.stringify(labels)}: ${value}, not ${from} to ${to}`);
            compared++;
          }
          if (FEWER.some(([fewer]) => fewer.test(name))) continue;
          for (const { labels } of is.samples)
            if (sampleOf(family, labels) === undefined)
              wrong.add(`${name}${JSON.stringify(labels)} only there`);
        }
        const keys = [...open].map((text) => text.replace(/: .*/, ""));
        pending = pending === null ? new Set(keys) : new Set(keys.filter((key) => pending?.has(key)));
        return [...pending, ...wrong];
      },
      { timeout: 60_000, interval: 500 },
    )
    .toEqual([]);
  expect(compared).toBeGreaterThan(120);
}

type Families = ReadonlyMap<string, ParsedFamily>;

/** Theirs has types that the strict reader does not know, of the Go runtime. */
function parsed(text: string): Families {
  const lines = text.split("\n").filter((line) => /^(?:# (?:HELP|TYPE) )?node_/.test(line));
  return parsePrometheus(`${lines.join("\n")}\n`);
}

function sampleOf(family: ParsedFamily, labels: Record<string, string>): number | undefined {
  const key = JSON.stringify(Object.entries(labels).sort());
  return family.samples.find((sample) => JSON.stringify(Object.entries(sample.labels).sort()) === key)?.value;
}

/**
 * Theirs writes large numbers with seven digits less (1.9e+09); and the space of a file system, which others fill
 * meanwhile, is not read at the scrape.
 */
function nearly(name: string, value: number, direction: 1 | -1): number {
  const slack = /^node_filesystem_(?:free|avail|files_free)/.test(name) ? 0.1 : 1e-9;
  return value + direction * Math.abs(value) * slack;
}
