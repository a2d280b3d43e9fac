/** What is read at a scrape: fresh, once a second, bounded, and whatever the files say. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allCollectors } from "../../../../src/collectors/index.ts";
import { render } from "../../../../src/sockets/metrics/families.ts";
import { type LiveFamilies, openLive } from "../../../../src/sockets/metrics/live/live.ts";
import { type AnyReader, MOST_ITEMS } from "../../../../src/sockets/metrics/live/reader.ts";
import { allReaders } from "../../../../src/sockets/metrics/live/readers.ts";
import { treeAgent } from "../../../support/agent/tree-agent.ts";
import { forAll } from "../../../support/for-all.ts";
import { layTree, loadTree, type Tree, treeMachine } from "../../../support/machine/tree.ts";
import { NOW } from "../../../support/now.ts";
import { handClock } from "../../../support/store/store.ts";
import { type ParsedFamily, parsePrometheus } from "../../../support/text/prometheus.ts";

const ALL: ReadonlySet<string> = new Set(allCollectors().map(({ name }) => name));

function parsed({ families, failed }: LiveFamilies): Map<string, ParsedFamily> {
  expect(failed).toEqual([]);
  const text = render(families);
  return text === "" ? new Map() : parsePrometheus(text);
}

/** Two looks, a second apart, at a machine whose files may be changed between. */
function scene(tree: Tree, readers?: () => readonly AnyReader[]) {
  const clock = handClock(NOW);
  const root = layTree(tree);
  const live = openLive(treeMachine(tree, clock, root), readers);
  return {
    look: (sections = ALL) => parsed(live(sections)),
    raw: (sections = ALL) => live(sections),
    write: (path: string, text: string) => writeFileSync(join(root, path), text),
    text: (path: string) => readFileSync(join(root, path), "utf8"),
    forward: (ms = 1000) => clock.forward(ms),
  };
}

function value(families: Map<string, ParsedFamily>, name: string, labels: Record<string, string> = {}) {
  return families
    .get(name)
    ?.samples.find((sample) => Object.entries(labels).every(([key, one]) => sample.labels[key] === one))
    ?.value;
}

const stat = (idle: number, more = ""): string =>
  `cpu  10 0 20 ${idle} 1 2 3 4 0 0\ncpu0 10 0 20 ${idle} 1 2 3 4 5 6\nintr 77 1 2 3\nctxt 12\nbtime 1\nprocesses 5\nprocs_running 2\nprocs_blocked 1\n${more}`;

test("counters are those of the scrape, not of the last collection", async () => {
  const { view, root, clock } = await treeAgent({ tree: "vm" });
  const before = view.live().families.get("node_disk_written_bytes_total")?.lines;
  const path = join(root, "/proc/diskstats");
  const moved = readFileSync(path, "utf8").replace(/^( *\d+ +\d+ vda(?: \d+){6} )\d+/m, "$1987654321");
  writeFileSync(path, moved);
  clock.forward(1000);
  const after = view.live().families.get("node_disk_written_bytes_total")?.lines;
  expect(before?.size).toBeGreaterThan(0);
  const series = 'node_disk_written_bytes_total{device="vda"}';
  expect(after?.get(series)).toBe(`${series} ${987_654_321 * 512}\n`);
  expect(before?.get(series)).not.toBe(after?.get(series));
});

test("who scrapes without end is given one look a second", () => {
  const scenery = scene({ files: { "/proc/loadavg": "1.00 2.00 3.00 1/2 3\n" } });
  const first = scenery.raw();
  scenery.write("/proc/loadavg", "9.00 2.00 3.00 1/2 3\n");
  scenery.forward(999);
  expect(scenery.raw()).toBe(first);
  scenery.forward(1);
  expect(value(scenery.look(), "node_load1")).toBe(9);
});

test("a file that several want is read once a look", () => {
  let reads = 0;
  const reader = (name: string): AnyReader => ({
    name,
    section: "cpu",
    read: ({ text }) => text("/proc/stat"),
    metrics: [],
  });
  const machine = treeMachine({ files: { "/proc/stat": stat(1) } });
  const counting = {
    ...machine,
    files: {
      ...machine.files,
      read(path: string, most?: number) {
        reads++;
        return machine.files.read(path, most);
      },
    },
  };
  openLive(counting, () => [reader("one"), reader("two")])(ALL);
  expect(reads).toBe(1);
});

test("what belongs to a section that is switched off is not read", async () => {
  const { view } = await treeAgent({ tree: "vm", toml: "[collectors.network]\nenabled = false\n" });
  const { families } = view.live();
  expect(families.has("node_network_receive_bytes_total")).toBe(false);
  expect(families.has("node_disk_written_bytes_total")).toBe(true);
});

test("a reader that breaks costs only its own, and that is told", () => {
  const broken: AnyReader = {
    name: "broken",
    section: "cpu",
    read: () => {
      throw new TypeError("bug");
    },
    metrics: [],
  };
  const { families, failed } = scene({ files: { "/proc/stat": stat(1) } }, () => [
    broken,
    ...allReaders(),
  ]).raw();
  expect(failed).toEqual(["broken"]);
  expect(families.has("node_cpu_seconds_total")).toBe(true);
});

describe("a CPU's times", () => {
  test("do not step back where the kernel's do by a little", () => {
    const scenery = scene({ files: { "/proc/stat": stat(1000) } });
    expect(value(scenery.look(), "node_cpu_seconds_total", { mode: "idle" })).toBe(10);
    scenery.write("/proc/stat", stat(950));
    scenery.forward();
    expect(value(scenery.look(), "node_cpu_seconds_total", { mode: "idle" })).toBe(10);
  });

  test("begin anew when it was gone for a while", () => {
    const scenery = scene({ files: { "/proc/stat": stat(1000) } });
    scenery.look();
    scenery.write("/proc/stat", stat(700));
    scenery.forward();
    const after = scenery.look();
    expect(value(after, "node_cpu_seconds_total", { mode: "idle" })).toBe(7);
  });

  test("are forgotten with a CPU that goes", () => {
    const scenery = scene({ files: { "/proc/stat": stat(1000) } });
    scenery.look();
    scenery.write("/proc/stat", "cpu  1 1 1 1\nintr 1\n");
    scenery.forward();
    expect(scenery.look().has("node_cpu_seconds_total")).toBe(false);
    scenery.write("/proc/stat", stat(990));
    scenery.forward();
    expect(value(scenery.look(), "node_cpu_seconds_total", { mode: "idle" })).toBe(9.9);
  });
});

test("the kernel's own counts", () => {
  const families = scene({
    files: {
      "/proc/stat": stat(1),
      "/proc/sys/fs/file-nr": "1696\t0\t9223372036854775807\n",
      "/proc/pressure/irq": "full avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n",
      "/proc/pressure/io":
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=3\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=2\n",
      "/proc/vmstat": "nr_free_pages 1\npgpgin 5\npgmajfault 6\noom_kill 7\n",
      "/proc/meminfo": "MemTotal:  10 kB\nActive(anon):  3 kB\nHugePages_Total:  4\nNewInTheFuture: 1 kB\n",
    },
  }).look();
  const expected: Record<string, number> = {
    node_intr_total: 77,
    node_context_switches_total: 12,
    node_forks_total: 5,
    node_procs_running: 2,
    node_procs_blocked: 1,
    node_filefd_allocated: 1696,
    node_filefd_maximum: 2 ** 63,
    node_pressure_irq_stalled_seconds_total: 2.5,
    node_pressure_io_waiting_seconds_total: 3e-6,
    node_pressure_io_stalled_seconds_total: 2e-6,
    node_vmstat_pgpgin: 5,
    node_vmstat_pgmajfault: 6,
    node_vmstat_oom_kill: 7,
    node_memory_MemTotal_bytes: 10240,
    node_memory_Active_anon_bytes: 3072,
    node_memory_HugePages_Total: 4,
  };
  expect(Object.fromEntries(Object.keys(expected).map((name) => [name, value(families, name)]))).toEqual(
    expected,
  );
  expect(value(families, "node_cpu_guest_seconds_total", { mode: "nice" })).toBe(0.06);
});

describe("machines of another size", () => {
  const disk = (name: string): string => `   8  0 ${name} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n`;

  test("512 CPUs, 600 disks and 600 interfaces are shown whole", () => {
    const families = scene({
      files: {
        "/proc/stat": `cpu  1 1 1 1\n${Array.from({ length: 512 }, (_, n) => `cpu${n} 1 2 3 4 5 6 7 8 9 10\n`).join("")}intr 5${" 0".repeat(100_000)}\nctxt 9\n`,
        "/proc/diskstats": Array.from({ length: 600 }, (_, n) => disk(`sd${letters(n)}`)).join(""),
        "/proc/net/dev": `a\nb\n${Array.from({ length: 600 }, (_, n) => `veth${n}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n`).join("")}`,
      },
    }).look();
    expect(families.get("node_cpu_seconds_total")?.samples).toHaveLength(512 * 8);
    expect(value(families, "node_context_switches_total")).toBe(9);
    expect(families.get("node_disk_flush_requests_total")?.samples).toHaveLength(600);
    expect(families.get("node_network_transmit_carrier_total")?.samples).toHaveLength(600);
    for (const { value: left } of families.get("foundry_agent_scrape_left_out")?.samples ?? [])
      expect(left).toBe(0);
  });

  test("above the limit it is said how many are left out, and the host's own interfaces stay", () => {
    const line = (name: string): string => `${name}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n`;
    const families = scene({
      files: {
        "/proc/net/dev": `a\nb\n${Array.from({ length: MOST_ITEMS + 5 }, (_, n) => line(`veth${n}`)).join("")}${line("eno1")}`,
      },
    }).look();
    const devices = families.get("node_network_receive_bytes_total")?.samples ?? [];
    expect(devices).toHaveLength(MOST_ITEMS);
    expect(devices.some(({ labels }) => labels.device === "eno1")).toBe(true);
    expect(value(families, "foundry_agent_scrape_left_out", { reader: "interfaces" })).toBe(6);
  });

  test("partitions and disks in memory are left out, a kernel before 4.18 has no discards", () => {
    const families = scene({
      files: {
        "/proc/diskstats": `${[
          "sda",
          "sda1",
          "sdaa12",
          "nvme0n1",
          "nvme0n1p2",
          "loop0",
          "ram1",
          "zram0",
          "dm-0",
          "md127",
          "sr0",
        ]
          .map(disk)
          .join("")}   8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n`,
      },
    }).look();
    const devices = (name: string) => families.get(name)?.samples.map(({ labels }) => labels.device);
    expect(devices("node_disk_io_now")).toEqual(["sda", "nvme0n1", "dm-0", "md127", "sr0", "sdb"]);
    expect(devices("node_disk_discarded_sectors_total")).not.toContain("sdb");
  });
});

test("nothing there is no family, and no error", () => {
  const NOTHING = ["foundry_agent_scrape_left_out"];
  expect([...scene({ files: {} }).look().keys()]).toEqual(NOTHING);
  for (const code of ["EACCES", "EIO"]) {
    const files = Object.keys(loadTree("vm").files).filter((path) => path.startsWith("/proc"));
    const errors = Object.fromEntries(files.map((path) => [path, code]));
    expect([
      ...scene({ ...loadTree("vm"), errors })
        .look()
        .keys(),
    ]).toEqual(NOTHING);
  }
});

test("1 000 mutated files give what Prometheus takes", () => {
  const tree = loadTree("ceph-node");
  const scenery = scene(tree);
  const paths = Object.keys(tree.files).filter(
    (path) => path.startsWith("/proc/") && typeof tree.files[path] === "string" && path.split("/").length < 6,
  );
  const wanted = paths.filter((path) =>
    /stat$|meminfo|loadavg|file-nr|diskstats|net\/dev|pressure|softnet|sockstat|snmp/.test(path),
  );
  expect(wanted.length).toBeGreaterThan(6);
  const originals = new Map(wanted.map((path) => [path, scenery.text(path)]));
  forAll(
    fc.property(
      fc.constantFrom(...wanted),
      fc.nat(),
      fc.oneof(
        fc.string({ maxLength: 30 }),
        fc.constantFrom("-1", "18446744073709551616", "\n", "", "\0", "1e999", "nan"),
      ),
      fc.nat({ max: 60 }),
      (path, seed, junk, cut) => {
        const text = originals.get(path) ?? "";
        const at = seed % (text.length + 1);
        scenery.write(path, text.slice(0, at) + junk + text.slice(at + cut));
        scenery.forward();
        const families = scenery.look();
        scenery.write(path, text);
        for (const { samples } of families.values())
          for (const { value: one } of samples) expect(Number.isFinite(one)).toBe(true);
      },
    ),
    { seed: 12, cases: 1000 },
  );
});

function letters(n: number): string {
  const last = String.fromCharCode(97 + (n % 26));
  return n < 26 ? last : letters(Math.floor(n / 26) - 1) + last;
}
