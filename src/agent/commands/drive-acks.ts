/** Saying that what a drive warns of is known, and taking it back: written first, told as an event, then shown. */
import type { AckBook } from "../../collectors/smart/acks/book.ts";
import type { Logger } from "../../model/log.ts";
import type { AgentView } from "../../sockets/agent-view.ts";
import type { Store } from "../../store/types.ts";
import type { Current } from "../current.ts";

export function driveAcks(options: {
  readonly current: Pick<Current, "running" | "settled">;
  readonly store: Pick<Store, "appendEvents">;
  readonly acks: AckBook;
  readonly log: Logger;
  readonly now: () => number;
}): Pick<AgentView, "ackDrive" | "unackDrive"> {
  const { current, store, acks, log, now } = options;

  async function changed(type: string, data: Record<string, unknown>): Promise<void> {
    store.appendEvents([{ type, severity: "info", data }], now());
    // Its failure is the section's own to tell.
    await current
      .running()
      .schedule.runNow("smart")
      .catch(() => undefined);
  }

  return {
    async ackDrive({ id, codes, note, by }) {
      await current.settled();
      const ack = acks.accept(id, codes, note, by, new Date(now()).toISOString());
      const { drive, reasons } = ack;
      log.info(
        { drive, by, reasons: reasons.map(({ code }) => code) },
        "what a drive warns of is accepted as known",
      );
      await changed("drive.acknowledged", {
        drive,
        id,
        by,
        note,
        reasons: reasons.map((one) => ({ ...one })),
      });
      return ack;
    },
    async unackDrive(names, by) {
      await current.settled();
      for (const name of names) {
        const ack = acks.remove(name);
        if (ack === null) continue;
        log.info({ drive: ack.drive, by }, "what a drive warns of is not accepted any more");
        await changed("drive.unacknowledged", { drive: ack.drive, by });
        return ack;
      }
      return null;
    },
  };
}
