/**
 * A real node_exporter on the fixtures of machines that no lab has: what it makes of their hardware monitors, disks,
 * processors and memory is what we make of them.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { metricsText } from "../../../src/sockets/metrics/prometheus-text.ts";
import { treeAgent } from "../../support/agent/tree-agent.ts";
import { eventually } from "../../support/eventually.ts";
import { NOW } from "../../support/now.ts";
import { type ParsedFamily, parsePrometheus } from "../../support/text/prometheus.ts";

const PROGRAM = "prometheus-node-exporter";
const COLLECTORS = "cpu diskstats filefd hwmon loadavg meminfo pressure rapl stat vmstat".split(" ");
/** The clock of a tree stands still. Ours are about the whole package, and the drives' are in another family; labels of udev are not in the trees. */
const OTHER =
  /^node_(?:boot_time_seconds|disk_info|hwmon_temp_(?:celsius|crit|max|crit_alarm).*|hwmon_(?:chip_names|sensor_label))$/;

async function theirs(root: string): Promise<Map<string, ParsedFamily>> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const child = spawn(
    PROGRAM,
    [
      `--web.listen-address=127.0.0.1:${port}`,
      `--path.procfs=${join(root, "proc")}`,
      `--path.sysfs=${join(root, "sys")}`,
      "--collector.disable-defaults",
      ...COLLECTORS.map((name) => `--collector.${name}`),
    ],
    { stdio: "ignore" },
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  const text = await eventually(
    () =>
      fetch(`http://127.0.0.1:${port}/metrics`).then(
        (answer) => answer.text(),
        () => false as const,
      ),
    { intervalMs: 200 },
  );
  const lines = String(text)
    .split("\n")
    .filter((line) => /^(?:# (?:HELP|TYPE) )?node_(?!exporter|scrape)/.test(line));
  return parsePrometheus(`${lines.join("\n")}\n`);
}

const keyOf = (labels: Record<string, string>): string => JSON.stringify(Object.entries(labels).sort());

test.for(["ceph-node", "pi4"])("%s", async (tree, context) => {
  if (spawnSync(PROGRAM, ["--version"]).error) {
    console.warn(`skipped: apt-get install ${PROGRAM}`);
    return context.skip(`${PROGRAM} is not installed`);
  }
  const { view, root } = await treeAgent({ tree });
  const ours = parsePrometheus(metricsText(view, { serials: false, exclude: [] }, NOW));
  const others = await theirs(root);
  const wrong: string[] = [];
  let compared = 0;
  for (const [name, family] of ours) {
    const other = others.get(name);
    if (other === undefined || OTHER.test(name)) continue;
    if (family.type !== other.type) wrong.push(`${name}: ${family.type} instead of ${other.type}`);
    const values = new Map(other.samples.map(({ labels, value }) => [keyOf(labels), value]));
    for (const { labels, value } of family.samples) {
      const path = labels.path === undefined ? labels : { ...labels, path: join(root, labels.path) };
      const there = values.get(keyOf(path));
      compared++;
      if (there === undefined || Math.abs(there - value) > Math.abs(value) * 1e-9)
        wrong.push(`${name}${keyOf(labels)}: ${value} instead of ${there}`);
    }
    if (family.samples.length !== other.samples.length)
      wrong.push(`${name}: ${family.samples.length} series instead of ${other.samples.length}`);
  }
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(tree === "ceph-node" ? 300 : 50);
});
