/**
 * The look at a node after its boot: until all that worked before works again, or its time is over. What is seen changes
 * nothing of the reboot, which is done. It writes nothing on the way, so that an agent that is killed in it begins again,
 * with the end that was written down when the host came back.
 */
import type { Input } from "../machine.ts";
import type { CommandRecord } from "../record.ts";
import { compare, isAllBack } from "./compare.ts";
import type { Comparison, Picture } from "./picture.ts";

/** Who sees what works on this host. Neither look ever throws; what can't be seen is not among `seen`. */
export interface AfterBootPort {
  /** What works now, to be written down before a reboot; null: nobody wants the node to be looked at. */
  note(signal: AbortSignal): Promise<Picture | null>;
  /**
   * What of `before` works now.
   * @param last what the look before this one found: what was fine then may be left as it was seen
   */
  look(before: Picture, last: Picture | null, signal: AbortSignal): Promise<Picture>;
  /** How long after the boot it may take until all works, milliseconds; 0: the node is not looked at. */
  boundMs(): number;
  /** What this reboot has left broken, or nothing: on the disk when it returns, and shown until it is back. */
  keep(commandId: string, comparison: Comparison): void;
}

const LOOK_AGAIN_MS = 5_000;

export function openVerifying(
  port: AfterBootPort,
  host: { readonly bootId: string; uptimeMs(): number },
  inside: {
    readonly apply: (record: CommandRecord, input: Input) => CommandRecord;
    readonly pause: (ms: number) => Promise<void>;
    readonly stopping: AbortSignal;
  },
): (record: CommandRecord) => Promise<CommandRecord> {
  const { apply, pause, stopping } = inside;

  /** Of the boot that came back; of one that followed it by itself, anew. */
  function end({ progress }: CommandRecord): number {
    const until = progress.reboot?.lookUntil ?? null;
    return until?.bootId === host.bootId ? until.uptimeMs : host.uptimeMs() + port.boundMs();
  }

  /** @returns the record at its end; as it was when the agent stops meanwhile */
  return async function verify(record) {
    const before = record.progress.reboot?.before ?? null;
    if (before === null || record.asked.mode !== "live" || port.boundMs() === 0)
      return apply(record, { kind: "verified", looked: null });
    const until = end(record);
    let after: Picture | null = null;
    for (;;) {
      after = await port.look(before, after, stopping);
      if (stopping.aborted) return record;
      const comparison = compare(before, after);
      const left = until - host.uptimeMs();
      if (isAllBack(comparison) || left <= 0) {
        // First: killed in between, it is looked at and kept once more.
        port.keep(record.asked.id, comparison);
        return apply(record, { kind: "verified", looked: { after, comparison } });
      }
      await pause(Math.min(LOOK_AGAIN_MS, left));
      if (stopping.aborted) return record;
    }
  };
}
