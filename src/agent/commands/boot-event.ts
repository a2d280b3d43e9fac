/**
 * A reboot that no command of ours asked for is an event, with its cause as far as anything on this host knows:
 * what the kernel left (pstore), the watchdog, the BMC, a Raspberry Pi's firmware, and whether this agent was
 * stopped before it or just ended, as in a power cut.
 */
import type { EventDraft } from "../../model/event.ts";
import type { Report } from "../../model/report.ts";
import type { Store } from "../../store/types.ts";

interface Mark {
  readonly bootId: string;
  /** The agent ended by itself, as it does when the host is shut down. */
  readonly stopped: boolean;
}

const KEY = "mark";

export interface BootWatch {
  /**
   * Once, after the first collection: what is known of the boot.
   * @param asked id of the command that the boot `from` was ended for, or null
   */
  started(report: Report, asked: (from: string) => string | null): void;
  /** The agent ends in an orderly way. */
  stopped(): void;
}

export function openBootWatch(store: Store, bootId: string, now: () => number): BootWatch {
  const values = store.values("boot");

  function write(mark: Mark): void {
    const before = markOf(values.get(KEY));
    // Every write is an fsync on somebody's SD card.
    if (before?.bootId !== mark.bootId || before.stopped !== mark.stopped)
      values.set(KEY, JSON.stringify(mark));
  }

  return {
    started(report, asked) {
      const before = markOf(values.get(KEY));
      const isNew = before !== null && before.bootId !== bootId && bootId !== "unknown";
      if (isNew && asked(before.bootId) === null)
        store.appendEvents([unasked(before, bootId, report)], now());
      // After the event: told twice is better than not told.
      write({ bootId, stopped: false });
    },
    stopped: () => write({ bootId, stopped: true }),
  };
}

/** Pure. */
function unasked(before: Mark, bootId: string, { sections }: Report): EventDraft {
  const system = sections.system?.data as
    | {
        boot_time?: string | null;
        last_boot?: { cause: string | null; source: string | null; kernel_dumps: number | null };
      }
    | null
    | undefined;
  const bmc = sections.bmc?.data as { restart_cause?: string | null } | null | undefined;
  const cpu = sections.cpu?.data as
    | { throttling?: { under_voltage?: { since_boot?: boolean | null } } }
    | null
    | undefined;
  return {
    type: "reboot",
    severity: "warning",
    data: {
      asked: false,
      from_boot_id: before.bootId,
      boot_id: bootId,
      boot_time: system?.boot_time ?? null,
      clean_stop: before.stopped,
      cause: system?.last_boot?.cause ?? (before.stopped ? "shutdown" : null),
      source: system?.last_boot?.source ?? (before.stopped ? "the agent was stopped before" : null),
      kernel_dumps: system?.last_boot?.kernel_dumps ?? null,
      bmc_restart_cause: bmc?.restart_cause ?? null,
      under_voltage: cpu?.throttling?.under_voltage?.since_boot ?? null,
    },
  };
}

function markOf(text: string | null): Mark | null {
  if (text === null) return null;
  try {
    const { bootId, stopped } = JSON.parse(text) as Partial<Mark>;
    return typeof bootId === "string" && typeof stopped === "boolean" ? { bootId, stopped } : null;
  } catch {
    return null;
  }
}
