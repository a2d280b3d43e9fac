/** A look at the gates of one command that waits, and what comes of it. */
import { randomUUID } from "node:crypto";
import { ANNOUNCED_AHEAD_S, isFinal } from "../../model/command.ts";
import { errorCode } from "../../model/errors.ts";
import type { AnyCommandType } from "../command-type.ts";
import { decide, simulatedStops } from "../gates/gates.ts";
import { splaySeconds } from "../gates/grace.ts";
import { utc } from "../gates/text.ts";
import type { Journal } from "../journal/journal.ts";
import type { Input } from "../machine.ts";
import type { CommandRecord } from "../record.ts";
import { openSaid } from "../said.ts";
import type { HoldKeeper } from "./hold.ts";
import type { ExecutorPorts, OwnFacts } from "./ports.ts";
import { rehearsal } from "./rehearsal.ts";
import type { ServerTime } from "./server-time.ts";
import { callAs } from "./steps.ts";
import { within } from "./waker.ts";

const ANNOUNCE_MS = 20_000;
/** Reasons to wait that end on many nodes at once: a window opens, a hold is released, the power is back. */
const TOGETHER: ReadonlySet<string> = new Set(["outside_window", "held", "just_booted"]);

export interface Looking {
  /** @returns the record as it is afterwards: running when every gate let it through */
  lookAt(record: CommandRecord): Promise<CommandRecord>;
  /** What the executor knows of the facts; null: of no command in particular. */
  ownFacts(record: CommandRecord | null): OwnFacts;
}

export function openLooking(
  { state, host, gates, hands, tell }: ExecutorPorts,
  inside: {
    readonly journal: Journal;
    readonly time: ServerTime;
    readonly hold: HoldKeeper;
    readonly active: () => CommandRecord | null;
    readonly apply: (record: CommandRecord, input: Input) => CommandRecord;
    readonly typeOf: (record: CommandRecord) => AnyCommandType;
    readonly stopping: AbortSignal;
  },
): Looking {
  const { journal, time, hold, active, apply, typeOf, stopping } = inside;
  const { clock } = host;
  const announced = openSaid(isOver);

  async function lookAt(record: CommandRecord): Promise<CommandRecord> {
    const { asked } = record;
    const own = ownFacts(record);
    let verdicts = await gates.verdicts(record, own, false, stopping);
    // Asking the helper starts a process: only when nothing else stands in the way.
    const asksHelper = asked.mode === "live" && typeOf(record).reboot !== undefined;
    if (decide(verdicts).verdict === "pass" && asksHelper)
      verdicts = await gates.verdicts(record, ownFacts(record), true, stopping);
    // Meanwhile it may have been cancelled, or set aside with this node's identity.
    const now = journal.read(asked.id);
    if (now === null || isFinal(now.progress.state) || stopping.aborted) return now ?? record;
    // A hold that was set meanwhile has been told as set: looked at anew, with it.
    if (own.hold === null && hold.held() !== null && asked.source !== "local") return now;
    const rehearsed = rehearsal(now, typeOf(now), gates.policy(), verdicts);
    if (rehearsed !== null) return apply(now, rehearsed);
    const decision = decide(verdicts);
    const share = decision.verdict === "pass" ? splayLeft(now) : 0;
    if (share > 0) return apply(now, postponed(share));
    if (decision.verdict === "pass")
      return apply(now, { kind: "gates", verdict: "pass", simulated: simulatedStops(verdicts) });
    if (decision.why.code === "grace" && asksHelper) announce(now);
    return apply(now, { kind: "gates", verdict: decision.verdict, why: decision.why });
  }

  /** Seconds, where it waited for something that ends for a whole fleet in one moment. */
  function splayLeft({ asked, progress }: CommandRecord): number {
    const together = progress.state === "waiting" && TOGETHER.has(progress.why?.code ?? "");
    return together && asked.source !== "local" && typeOf({ asked, progress }).needs.disruptive
      ? splaySeconds(asked.nodeId, asked.id, gates.settings().splayS)
      : 0;
  }

  function postponed(seconds: number): Input {
    const text = `Its share of the splay: it begins at ${utc(clock.now() + seconds * 1_000, "second")}.`;
    return {
      kind: "postponed",
      notBefore: { bootId: host.bootId, uptimeMs: host.uptimeMs() + seconds * 1_000 },
      why: { code: "grace", text, nextStep: null },
    };
  }

  function isOver(id: string): boolean {
    const record = journal.read(id);
    return record === null || isFinal(record.progress.state);
  }

  /** Once, to whoever is logged in; that it can't be said is no reason not to do it. */
  function announce(record: CommandRecord): void {
    const { asked, progress } = record;
    if (progress.notBefore === null) return;
    const in_s = Math.max(0, Math.round((progress.notBefore.uptimeMs - host.uptimeMs()) / 1_000));
    if (in_s > ANNOUNCED_AHEAD_S) return; // told when it is nearer
    if (!announced.isNew(asked.id, "announced")) return;
    const method = typeOf(record).reboot?.(asked.params) ?? "graceful";
    const args = { id: asked.id, in_s, source: asked.source, method };
    // With an id of its own: the command's is for the reboot.
    const call = { ...callAs(record), id: randomUUID(), deadlineMs: ANNOUNCE_MS };
    within(stopping, ANNOUNCE_MS, (signal) =>
      hands.helper().call("reboot.announce", args, signal, call),
    ).catch((error: unknown) =>
      tell.log.debug(
        { command: asked.id, code: errorCode(error) },
        "nobody could be told that the host is about to reboot",
      ),
    );
  }

  function ownFacts(record: CommandRecord | null): OwnFacts {
    const busy = active();
    return {
      time: time.known(),
      now: clock.now(),
      uptimeMs: host.uptimeMs(),
      hold: hold.held(),
      lost: state.lost.get(),
      busyWith:
        busy === null || busy.asked.id === record?.asked.id
          ? null
          : { id: busy.asked.id, type: busy.asked.type },
    };
  }

  return { lookAt, ownFacts };
}
