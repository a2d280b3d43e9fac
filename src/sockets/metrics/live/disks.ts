/**
 * I/O of every block device: /proc/diskstats (Documentation/admin-guide/iostats.rst), where a sector is 512 bytes
 * whatever the device's. Partitions and what is only in memory are left out, as by node_exporter.
 */
import type { Metric } from "../../../collectors/collector.ts";
import type { Reader } from "./reader.ts";

const NO_DISK = /^(?:(?:z?ram|loop|fd|nbd)\d+|(?:h|s|v|xv)d[a-z]+\d+|nvme\d+n\d+p\d+)$/;
const SECTOR = 512;
const MS = 0.001;

interface Disk {
  readonly device: string;
  /** After the name: 11 numbers, from Linux 4.18 on 15, from 5.5 on 17. */
  readonly counts: readonly number[];
}

function column(
  index: number,
  name: string,
  help: string,
  factor = 1,
  type: "counter" | "gauge" = "counter",
): Metric<readonly Disk[]> {
  return {
    name: `node_disk_${name}`,
    help,
    type,
    *samples(disks) {
      for (const { device, counts } of disks) {
        const value = counts[index];
        if (value !== undefined) yield { value: value * factor, labels: { device } };
      }
    },
  };
}

export function diskReader(): Reader<readonly Disk[]> {
  return {
    name: "disks",
    section: "drives",
    read({ text, first }) {
      const disks = first(parseDisks(text("/proc/diskstats")));
      return disks.length === 0 ? null : disks;
    },
    metrics: [
      column(0, "reads_completed_total", "Reads that were completed."),
      column(1, "reads_merged_total", "Reads that were merged with another."),
      column(2, "read_bytes_total", "Bytes read.", SECTOR),
      column(3, "read_time_seconds_total", "Seconds spent by all reads.", MS),
      column(4, "writes_completed_total", "Writes that were completed."),
      column(5, "writes_merged_total", "Writes that were merged with another."),
      column(6, "written_bytes_total", "Bytes written.", SECTOR),
      column(7, "write_time_seconds_total", "Seconds spent by all writes.", MS),
      column(8, "io_now", "Requests that are in progress.", 1, "gauge"),
      column(9, "io_time_seconds_total", "Seconds in which there were requests.", MS),
      column(10, "io_time_weighted_seconds_total", "Seconds in which there were requests, each counted.", MS),
      column(11, "discards_completed_total", "Discards that were completed."),
      column(12, "discards_merged_total", "Discards that were merged with another."),
      column(13, "discarded_sectors_total", "Sectors of 512 bytes discarded."),
      column(14, "discard_time_seconds_total", "Seconds spent by all discards.", MS),
      column(15, "flush_requests_total", "Flushes that were completed."),
      column(16, "flush_requests_time_seconds_total", "Seconds spent by all flushes.", MS),
    ],
  };
}

/** `   8       0 sda 33587 …`; lines of another form are left out. */
function parseDisks(text: string): Disk[] {
  const found: Disk[] = [];
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    const [major = "", minor = "", device = "", ...columns] = line.trim().split(/\s+/, 20);
    if (!/^\d+$/.test(major) || !/^\d+$/.test(minor) || NO_DISK.test(device)) continue;
    const counts = columns.map(Number);
    if (counts.length >= 11 && counts.every((count) => Number.isFinite(count) && count >= 0))
      found.push({ device, counts });
  }
  return found;
}
